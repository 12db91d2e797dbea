/** Tells a host who has lost the token how to create a new one for the same rooms. */
import { resolve } from 'node:path';

/** How the server was started. */
export interface ServerStart {
  /** Manually, by systemd, or in a container. */
  readonly by: 'hand' | 'service' | 'container';
  /** The value of `--data`: a folder, or `none`. */
  readonly data: string;
  /** The working directory. */
  readonly folder: string;
  /** The user that the service runs as, if known. */
  readonly user?: string | undefined;
}

/** The default of `--data`. */
const DEFAULT_FOLDER = '.data';

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The hint that the log shows after "lost?". */
export function tokenRecoveryHint({ by, data, folder, user }: ServerStart): string {
  if (data === 'none') return 'the next start makes another';
  const kept = quoted(resolve(folder, data));
  if (by === 'container') {
    return `stop the container; run its image once with the same ${kept} and settings, and the command: node server/start.mjs --new-host-token; write it down, Ctrl-C, start the container`;
  }
  if (by === 'service') {
    const as = user === undefined ? '' : `runuser -u ${quoted(user)} -- `;
    return `stop the service; in ${quoted(folder)}, with whatever other VIVARIUM_… the service has before npm: ${as}env VIVARIUM_DATA=${kept} npm start -- --new-host-token; write it down, Ctrl-C, start the service`;
  }
  return `npm start -- ${data === DEFAULT_FOLDER ? '' : `--data ${kept} `}--new-host-token`;
}
