/** How a host who has lost her token comes to another one, with the rooms that this server keeps. */
import { resolve } from 'node:path';

/** How a server was started. */
export interface ServerStart {
  /** By hand, by systemd, or in a container. */
  readonly by: 'hand' | 'service' | 'container';
  /** The folder where rooms are kept, as it was set; or `none`. */
  readonly data: string;
  /** The folder that it was started in. */
  readonly folder: string;
  /** Whom a service runs as, where that is known. */
  readonly user?: string | undefined;
}

/** Rooms are kept here where nobody says otherwise. */
const USUAL = '.data';

const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Words that follow "lost?". */
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
  return `npm start -- ${data === USUAL ? '' : `--data ${kept} `}--new-host-token`;
}
