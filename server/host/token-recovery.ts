/** Tells a host who has lost the token how to create a new one for the same rooms. */
import { resolve } from 'node:path';

/** How the server was started. */
export interface ServerStart {
  /** Manually, by systemd, or in a container. */
  readonly by: 'hand' | 'service' | 'container';
  /** The value of `--data`: a folder, or `none`. */
  readonly data: string;
  /** Whether it shares its rooms with others, over a Valkey whose URL must stay secret. */
  readonly isShared?: boolean;
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
export function tokenRecoveryHint(start: ServerStart): string {
  const { by, data, folder, user, isShared = false } = start;
  const isKept = data !== 'none';
  if (!isKept && !isShared) return 'the next start makes another';
  const kept = isKept ? quoted(resolve(folder, data)) : data;
  const shared = isShared ? ' VIVARIUM_CLUSTER=...' : '';
  if (by === 'container') {
    return `stop the container; run its image once with the same ${isKept ? `${kept} and ` : ''}settings${shared && `, above all${shared}`}, and the command: node server/start.mjs --new-host-token; write it down, Ctrl-C, start the container`;
  }
  if (by === 'service') {
    const as = user === undefined ? '' : `runuser -u ${quoted(user)} -- `;
    return `stop the service; in ${quoted(folder)}, with whatever other VIVARIUM_… the service has before npm: ${as}env VIVARIUM_DATA=${kept}${shared} npm start -- --new-host-token; write it down, Ctrl-C, start the service`;
  }
  const command = `npm start -- ${data === DEFAULT_FOLDER ? '' : `--data ${kept} `}--new-host-token`;
  return shared ? `${shared.trim()} ${command}` : command;
}
