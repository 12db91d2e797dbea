/** Checks at the start whether a Valkey can keep rooms. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { ClusterError, Refused } from './cluster-error.ts';
import { LogFull } from './fenced-log.ts';
import { type Argument, type Reply, ValkeyConnection } from './valkey-connection.ts';
import { Prepared, ValkeyLog } from './valkey-log.ts';

/** Of Redis; every version of Valkey will do. */
const OLDEST = [7, 2] as const;

/**
 * Connects for the first time.
 *
 * @throws ClusterError
 */
export async function openChecked(url: string, clock: Clock): Promise<ValkeyConnection> {
  const connection = await connectTo(url, clock);
  try {
    await check(connection);
    await tryWriting(connection, clock);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The address without what is secret. */
function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}

/** As `ValkeyConnection.open`. @throws ClusterError */
export async function connectTo(
  ...[url, ...how]: Parameters<typeof ValkeyConnection.open>
): Promise<ValkeyConnection> {
  try {
    return await ValkeyConnection.open(url, ...how);
  } catch (error) {
    const { message } = (error as { cause?: Error }).cause ?? (error as Error);
    if (/WRONGPASS|NOAUTH|invalid password|NOPERM/i.test(message)) {
      throw new ClusterError(
        'not-allowed',
        `--cluster: Valkey at ${addressOf(url)} does not accept the user or password (${message}).`,
      );
    }
    throw new ClusterError(
      'unreachable',
      `--cluster: Valkey at ${addressOf(url)} cannot be reached (${message}).`,
    );
  }
}

async function check(connection: ValkeyConnection): Promise<void> {
  const info = await ask(connection, 'INFO');
  const fact = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const redis = fact('redis_version') ?? '0.0';
  const [major, minor] = redis.split('.').map(Number);
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  if (fact('valkey_version') === undefined && !isNew) {
    throw new ClusterError(
      'too-old',
      `--cluster: this is Redis ${redis}; rooms need Valkey, or Redis ${OLDEST.join('.')} or later.`,
    );
  }
  if (fact('cluster_enabled') === '1') {
    throw new ClusterError(
      'divided',
      '--cluster: this Valkey divides its keys among several; set "cluster-enabled no".',
    );
  }
  if (fact('role') !== 'master') {
    throw new ClusterError(
      'replica',
      '--cluster: this Valkey copies another one and takes no writes; name that one.',
    );
  }
  const setting = async (name: string): Promise<string> => {
    const reply = await asked(connection, 'CONFIG', 'GET', name);
    return `${(reply as readonly Reply[])[1]}`;
  };
  if ((await setting('appendonly')) !== 'yes' || (await setting('appendfsync')) !== 'always') {
    throw new ClusterError(
      'not-durable',
      '--cluster: Valkey must write everything to the disk at once; set "appendonly yes" and "appendfsync always".',
    );
  }
  if ((await setting('no-appendfsync-on-rewrite')) !== 'no') {
    throw new ClusterError(
      'not-durable',
      '--cluster: Valkey must write to the disk also while it rewrites its file; set "no-appendfsync-on-rewrite no".',
    );
  }
  const most = Number(await setting('maxmemory'));
  if (most > 0 && (await setting('maxmemory-policy')) !== 'noeviction') {
    throw new ClusterError(
      'evicts',
      '--cluster: Valkey would delete rooms when its memory is full; set "maxmemory-policy noeviction".',
    );
  }
  if (most > 0 && Number(fact('used_memory')) >= most) {
    throw new ClusterError(
      'full',
      `--cluster: Valkey is full: it uses all of its ${Math.floor(most / 2 ** 20)} MiB (maxmemory).`,
    );
  }
}

/** Writes once as rooms are written: its user may lack rights that nothing else needs. */
async function tryWriting(connection: ValkeyConnection, clock: Clock): Promise<void> {
  const probe = { key: 'probe', isApart: false };
  // It leaves nothing behind.
  const changes = [new Uint8Array(), undefined].map((bytes) => ({ ...probe, bytes }));
  for (let attempt = 1; ; attempt++) {
    try {
      const log = new ValkeyLog(connection);
      await log.writeUnfenced(new Prepared(changes, 'probe', connection));
      return;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof LogFull) throw new ClusterError('full', `--cluster: ${message}`);
      if (error instanceof Refused || attempt === 3) {
        throw new ClusterError(
          error instanceof Refused ? 'not-allowed' : 'unreachable',
          `--cluster: Valkey does not take what rooms write (${message}).`,
        );
      }
      // Its disk may be busy, and the connection that has waited in vain is being replaced.
      await pause(clock, DEFAULTS.cluster.answer);
    }
  }
}

const ask = async (connection: ValkeyConnection, ...command: string[]): Promise<string> =>
  `${await asked(connection, ...command)}`;

/** As `ValkeyConnection.ask`. @throws ClusterError */
export async function asked(connection: ValkeyConnection, ...command: Argument[]): Promise<Reply> {
  try {
    return await connection.ask(...command);
  } catch (error) {
    const { message } = error as Error;
    const isDenied = /NOPERM|NOAUTH|unknown command/i.test(message);
    throw new ClusterError(
      isDenied ? 'not-allowed' : 'unreachable',
      `--cluster: Valkey does not answer to ${command[0]} (${message}).`,
    );
  }
}
