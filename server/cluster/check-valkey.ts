/** Checks at the start whether a Valkey can keep rooms. */
import type { Clock } from '../platform/clock.ts';
import { ClusterError } from './cluster-error.ts';
import { type Reply, ValkeyConnection } from './valkey-connection.ts';

/** Of Redis; every version of Valkey will do. */
const OLDEST = [7, 2] as const;

/**
 * Connects for the first time.
 *
 * @throws ClusterError
 */
export async function openChecked(url: string, clock: Clock): Promise<ValkeyConnection> {
  const connection = await connect(url, clock);
  try {
    await check(connection);
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

async function connect(url: string, clock: Clock): Promise<ValkeyConnection> {
  try {
    return await ValkeyConnection.open(url, clock);
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

const ask = async (connection: ValkeyConnection, ...command: string[]): Promise<string> =>
  `${await asked(connection, ...command)}`;

/** @throws ClusterError */
async function asked(connection: ValkeyConnection, ...command: string[]): Promise<Reply> {
  try {
    return await connection.ask(...command);
  } catch (error) {
    const { message } = error as Error;
    const isDenied = /NOPERM|NOAUTH|unknown command/i.test(message);
    throw new ClusterError(
      isDenied ? 'not-allowed' : 'unreachable',
      `--cluster: Valkey does not answer to ${command.join(' ')} (${message}).`,
    );
  }
}
