/**
 * Connects a process to a cluster: to the cluster's records, leases and shared secret. Start
 * reading at `openCluster`.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { jobState, serverState } from '../../shared/host/state.ts';
import { type Clock, pause } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Records } from '../storage/records.ts';
import { ANSWER_TIMEOUT } from './bus/bus.ts';
import {
  type Acquired,
  type Held,
  LEASE,
  type LeaseStore,
  REPORT_INTERVAL,
  RoomLeases,
} from './lease.ts';
import {
  type Argument,
  ClusterError,
  fenceKey,
  heirKey,
  leaseKey,
  NODE_PREFIX,
  NODES_KEY,
  Refused,
  type Reply,
  SECRET_KEY,
  ValkeyConnection,
} from './valkey-connection.ts';
import { LogFull, openValkeyRecords, Prepared, ValkeyLog } from './valkey-records.ts';

const { lease, offer } = LEASE;

const ACQUIRE = `
local fence = KEYS[2]
local epoch = tonumber(redis.call('HGET', fence, 'epoch') or '0')
local released = tonumber(redis.call('HGET', fence, 'released') or '0')
local renewals = redis.call('HGET', fence, 'renewals') or '0'
local holder = ARGV[1] .. '/' .. (epoch + 1)
local heir = redis.call('GET', KEYS[3]) or ARGV[1]
local isLeased = redis.call('EXISTS', KEYS[1]) == 1
local isAbandoned = renewals == ARGV[3]
if heir ~= ARGV[1] or (isLeased and not isAbandoned) then return { tonumber(renewals) } end
redis.call('SET', KEYS[1], holder, 'PX', ARGV[2])
redis.call('HSET', fence, 'epoch', epoch + 1, 'last', 0)
redis.call('HINCRBY', fence, 'renewals', 1)
return { tonumber(renewals), epoch + 1, epoch == released and 1 or 0 }
`;

/**
 * Lua script that renews a lease. The flag `allow-oom` lets the script run even if Valkey's memory
 * is full.
 */
const RENEW = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[2], 'renewals', 1)
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/**
 * Lua script that releases a lease. Marks the room as released only if the leader has stored
 * everything.
 */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], 'released', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
return redis.call('DEL', KEYS[1])
`;

/**
 * Creates a store for leases in Valkey.
 *
 * @param connection used only for leases. On a shared connection, a large write could delay
 *   renewals
 */
export function valkeyLeases(connection: ValkeyConnection): LeaseStore {
  const keys = (room: string): string[] => [leaseKey(room), fenceKey(room), heirKey(room)];
  return {
    async acquire(room, holder, abandoned): Promise<Acquired | Held> {
      const reply = await connection.run(ACQUIRE, keys(room), holder, lease, abandoned ?? '');
      const [renewals, epoch, isReleased] = (reply as readonly Reply[]).map(Number);
      if (epoch === undefined) return { renewals };
      return { epoch, isReleased: isReleased === 1, renewals };
    },
    async renew(room, holder, epoch) {
      return (await connection.run(RENEW, keys(room), `${holder}/${epoch}`, lease)) === 1;
    },
    async release(room, holder, epoch, { isStored, heir = '' }) {
      const released = isStored ? epoch : '';
      await connection.run(RELEASE, keys(room), `${holder}/${epoch}`, released, heir, offer);
    },
  };
}

const load = v.object({
  /** Unique name of the process. */
  node: v.string(),
  /**
   * Work that each room of the process causes, by room name: the number of cells of awake
   * organisms.
   */
  rooms: v.record(v.string(), v.pipe(v.number(), v.minValue(0))),
  /** Rooms of other servers that the process could take over immediately. */
  followed: v.array(v.string()),
  /**
   * Server state for the host's page. Undefined if the process is stopping, or if it runs another
   * version of the program.
   */
  server: v.fallback(v.optional(serverState), undefined),
  /** Films that the process has recorded or is recording. */
  jobs: v.fallback(v.optional(v.array(jobState)), undefined),
});
export type NodeLoad = v.InferOutput<typeof load>;

/**
 * Sends this process's report to the cluster.
 *
 * @returns the reports of the other processes
 * @throws Error if Valkey does not answer
 */
export type ReportLoad = (own: NodeLoad) => Promise<NodeLoad[]>;

/**
 * Lua script that stores a process's report and returns the reports of the other processes. The
 * flag `allow-oom` lets the script run even if Valkey's memory is full.
 */
const REPORT = `#!lua flags=allow-oom
local prefix, own = ARGV[1], ARGV[2]
redis.call('SET', prefix .. own, ARGV[3], 'PX', ARGV[4])
redis.call('SADD', KEYS[1], own)
local found = {}
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local load = redis.call('GET', prefix .. node)
  if not load then redis.call('SREM', KEYS[1], node)
  elseif node ~= own then found[#found + 1] = load end
end
return found
`;

export const reportLoad =
  (connection: ValkeyConnection): ReportLoad =>
  async (own) => {
    const life = 3 * REPORT_INTERVAL;
    const found = await connection.run(
      ...([REPORT, [NODES_KEY], NODE_PREFIX, own.node, JSON.stringify(own), life] as const),
    );
    return (found as readonly Reply[]).flatMap((one) => {
      // Skip reports from other versions of the program if they do not match the schema.
      const parsed = v.safeParse(load, JSON.parse(`${one}`));
      return parsed.success ? [parsed.output] : [];
    });
  };

/** Oldest supported version of Redis; every version of Valkey is supported. */
const OLDEST = [7, 2] as const;

/**
 * Connects to Valkey, and checks Valkey's settings and the rights of the Valkey user.
 *
 * @throws ClusterError if Valkey cannot be reached, or if a check fails
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

/**
 * Calls `ValkeyConnection.open`, but turns errors into sentences for the host.
 *
 * @throws ClusterError if Valkey cannot be reached
 */
async function connectTo(
  ...[url, ...how]: Parameters<typeof ValkeyConnection.open>
): Promise<ValkeyConnection> {
  try {
    return await ValkeyConnection.open(url, ...how);
  } catch (error) {
    const { message } = (error as { cause?: Error }).cause ?? (error as Error);
    // Do not show the user and password of the URL in the error message.
    const { hostname, port } = new URL(url);
    const address = `${hostname}:${port || 6379}`;
    throw failure(
      /WRONGPASS|NOAUTH|invalid password|NOPERM/i.test(message)
        ? `Valkey at ${address} rejects the user or password in the URL (${message}).`
        : `Valkey at ${address} cannot be reached (${message}). Check that Valkey runs, and that the URL is correct.`,
    );
  }
}

const SETTINGS = [
  'appendonly',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'maxmemory',
  'maxmemory-policy',
] as const;

async function check(connection: ValkeyConnection): Promise<void> {
  const info = `${await asked(connection, 'INFO')}`;
  const fact = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const redis = fact('redis_version') ?? '0.0';
  const [major, minor] = redis.split('.').map(Number);
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  const settings = {} as Record<(typeof SETTINGS)[number], string>;
  for (const name of SETTINGS) {
    const reply = await asked(connection, 'CONFIG', 'GET', name);
    settings[name] = `${(reply as readonly Reply[])[1]}`;
  }
  const most = Number(settings.maxmemory);
  const faults: [boolean, string][] = [
    [
      fact('valkey_version') === undefined && !isNew,
      `Redis ${redis} is too old. Use Redis ${OLDEST.join('.')} or later, or Valkey.`,
    ],
    [
      fact('cluster_enabled') === '1',
      'Vivarium cannot use a Valkey cluster. Set "cluster-enabled no" in the configuration of Valkey.',
    ],
    [
      fact('role') !== 'master',
      'this Valkey server is a read-only replica. Use the URL of the primary server instead.',
    ],
    [
      settings.appendonly !== 'yes' || settings.appendfsync !== 'always',
      'Valkey must write every change to disk immediately. Set "appendonly yes" and "appendfsync always".',
    ],
    [
      settings['no-appendfsync-on-rewrite'] !== 'no',
      'Valkey must write every change to disk, even while rewriting the append-only file. Set "no-appendfsync-on-rewrite no".',
    ],
    [
      most > 0 && settings['maxmemory-policy'] !== 'noeviction',
      'Valkey would delete rooms if its memory were full. Set "maxmemory-policy noeviction".',
    ],
    [
      most > 0 && Number(fact('used_memory')) >= most,
      `Valkey uses all memory that "maxmemory" allows (${Math.floor(most / 2 ** 20)} MiB). Raise "maxmemory".`,
    ],
  ];
  for (const [isFault, why] of faults) if (isFault) throw failure(why);
}

const failure = (why: string): ClusterError => new ClusterError(`--cluster: ${why}`);

/** Checks that the Valkey user is allowed to write rooms: writes and removes a test record. */
async function tryWriting(connection: ValkeyConnection, clock: Clock): Promise<void> {
  // The second change has no bytes, so it removes the record.
  const changes = [{ key: 'probe', bytes: new Uint8Array() }, { key: 'probe' }];
  for (let attempt = 1; ; attempt++) {
    try {
      const log = new ValkeyLog(connection);
      await log.write('', undefined, new Prepared(changes, connection));
      return;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof LogFull) throw failure(message);
      if (error instanceof Refused || attempt === 3) {
        throw failure(`Valkey does not let this server store rooms (${message}).`);
      }
      // Wait before the next attempt, because Valkey's disk may be busy or the connection may be
      // lost.
      await pause(clock, ANSWER_TIMEOUT);
    }
  }
}

/**
 * Calls `ValkeyConnection.ask`, but turns errors into sentences for the host.
 *
 * @throws ClusterError if the command fails
 */
async function asked(connection: ValkeyConnection, ...command: Argument[]): Promise<Reply> {
  try {
    return await connection.ask(...command);
  } catch (error) {
    const { message } = error as Error;
    throw failure(`Valkey does not answer the command ${command[0]} (${message}).`);
  }
}

const SECRET_LENGTH = 32;

export interface Cluster {
  readonly records: Records;
  /** Unique, readable name of this process: the host name and a random id. */
  readonly node: string;
  readonly leases: RoomLeases;
  /**
   * 32-byte secret, shared by all processes. It signs resume tokens. With such a token, a page that
   * reconnects gets its seat in the room back.
   */
  readonly secret: Uint8Array;
  readonly report: ReportLoad;
  /**
   * Returns Valkey's recent refusals of leases or writes, as sentences for the host, by room name.
   */
  refused(): ReadonlyMap<string, string>;
  /** Sets the function to call when a lease of this process has ended without being released. */
  onEnd(call: (room: string) => void): void;
}

/**
 * Connects to a cluster.
 *
 * @param url address of Valkey, in the form redis://user:password@host:port/database
 * @throws ClusterError if Valkey cannot be reached, or if a check of its settings or rights fails
 */
export async function openCluster(url: string, clock: Clock, log: Log): Promise<Cluster> {
  const holder = randomUUID();
  const reads = await openChecked(url, clock);
  const connections = [reads];
  const close = (): void => {
    for (const one of connections) one.close();
  };
  try {
    const onAnswering = (isAnswering: boolean, why: string): void => {
      const warning = `Valkey does not answer (${why}). The rooms stop until Valkey answers again.`;
      if (isAnswering) log.warn('valkey-back', 'Valkey answers again.');
      else log.error('valkey-away', warning);
    };
    // Log failures of only this connection. It renews leases every second, so it is the first to
    // notice that Valkey does not answer.
    const renewals = await connectTo(url, clock, onAnswering);
    connections.push(renewals);
    const writes = await connectTo(url, clock);
    connections.push(writes);
    let ended = (_: string): void => {};
    const onEnd = (room: string): void => ended(room);
    /** The latest refusal for each room, with its time in ms. */
    const refused = new Map<string, { sentence: string; at: number }>();
    const onRefused = (room: string, why: string): void => {
      leases.holdOff(room, LEASE.refused);
      const advice = /^OOM /.test(why)
        ? 'Valkey is full. Raise "maxmemory" in the configuration of Valkey.'
        : why;
      const sentence = `Room "${room}" cannot run on this server: ${advice}`;
      if (refused.get(room)?.sentence !== sentence) log.error('room-refused', sentence, { room });
      refused.set(room, { sentence, at: clock.now() });
    };
    const leases = new RoomLeases({
      ...{ leases: valkeyLeases(renewals), holder, clock, onEnd, onRefused },
    });
    const records = openValkeyRecords({ reads, writes, leases, clock, onRefused });
    await asked(reads, 'SET', SECRET_KEY, randomBytes(SECRET_LENGTH), 'NX');
    const secret = new Uint8Array((await asked(reads, 'GET', SECRET_KEY)) as Buffer);
    return {
      records: { ...records, close: () => records.close().then(close) },
      leases,
      secret,
      node: `${hostname().slice(0, 48)}-${holder.slice(0, 8)}`,
      report: reportLoad(reads),
      refused: () => {
        // Omit old refusals. If Valkey still refused the room, there would be a newer refusal,
        // because this server tries again after `LEASE.refused` ms.
        const since = clock.now() - 2 * LEASE.refused;
        const lately = [...refused].filter(([, { at }]) => at > since);
        return new Map(lately.map(([room, { sentence }]) => [room, sentence]));
      },
      onEnd: (call) => {
        ended = call;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Opens a cluster's records for reading only. Writes to rooms fail, because this process has no
 * leases.
 *
 * @throws ClusterError if Valkey cannot be reached
 */
export async function readCluster(url: string, clock: Clock): Promise<Records> {
  const connection = await connectTo(url, clock);
  const holder = `reader ${process.pid}`;
  const leases = new RoomLeases({ leases: valkeyLeases(connection), holder, clock });
  const records = openValkeyRecords({ reads: connection, writes: connection, leases, clock });
  return { ...records, close: () => records.close().then(() => connection.close()) };
}
