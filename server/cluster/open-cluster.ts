/** What a process has of a cluster: its records, its leases, and the secret that all share. */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Records } from '../storage/records.ts';
import { StoreError } from '../storage/store-error.ts';
import { asked, connectTo, openChecked } from './check-valkey.ts';
import { type ReportLoad, reportLoad } from './node-loads.ts';
import { RoomLeases } from './room-leases.ts';
import type { ValkeyConnection } from './valkey-connection.ts';
import { numbersKey, SECRET_KEY } from './valkey-keys.ts';
import { valkeyLeases } from './valkey-leases.ts';
import { openValkeyRecords } from './valkey-records.ts';

const SECRET_LENGTH = 32;
/** What still holds is said again after this time, ms. */
const SAY_AGAIN = 3_600_000;

const RESERVE = `
local first = 1 + math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], first + tonumber(ARGV[2]) - 1)
return first
`;

export interface Cluster {
  readonly records: Records;
  /** What this process is called; no other has the same name. */
  readonly node: string;
  readonly leases: RoomLeases;
  /** Signs resume tokens, so that every process knows those of the others, [32]. */
  readonly secret: Uint8Array;
  /**
   * Reserves numbers that no other process gets, above some.
   *
   * @returns the first of them
   * @throws StoreError unreachable
   */
  reserve(list: string, above: number, count: number): Promise<number>;
  readonly report: ReportLoad;
  /** By room that Valkey has refused lately: a sentence that says why. */
  refused(): ReadonlyMap<string, string>;
  /** Has something called when the lease of a room has ended that this process has. */
  onEnd(call: (room: string) => void): void;
}

export interface ClusterOptions {
  /** redis://user:password@host:port/database */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

const adviceOn = (why: string): string =>
  /^OOM /.test(why) ? 'Valkey is full; raise its "maxmemory".' : why;

/** Connects to a cluster. @throws ClusterError */
export async function openCluster({ url, clock, log }: ClusterOptions): Promise<Cluster> {
  const holder = randomUUID();
  const reads = await openChecked(url, clock);
  const connections = [reads];
  const close = (): void => {
    for (const one of connections) one.close();
  };
  try {
    const connect = async (
      onAnswering?: (isAnswering: boolean, why: string) => void,
    ): Promise<ValkeyConnection> => {
      const connection = await connectTo(url, clock, onAnswering);
      connections.push(connection);
      return connection;
    };
    // Its leases are renewed each second, so that it is the first to notice.
    const leaseStore = valkeyLeases(
      await connect((isAnswering, why) => {
        if (isAnswering) log.warn('valkey-back', 'Valkey answers again.');
        else log.error('valkey-away', `Valkey does not answer (${why}); rooms stop until it does.`);
      }),
    );
    let ended = (_: string): void => {};
    const onEnd = (room: string): void => ended(room);
    const refused = new Map<string, { readonly sentence: string; readonly at: number }>();
    /** When something was last said, ms. */
    const said = new Map<string, number>();
    const onRefused = (room: string, why: string): void => {
      leases.holdOff(room, DEFAULTS.cluster.refused);
      const sentence = `Room "${room}" does not run here: ${adviceOn(why)}`;
      refused.set(room, { sentence, at: clock.now() });
      if (clock.now() - (said.get(sentence) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN) return;
      said.set(sentence, clock.now());
      log.error('room-refused', sentence, { room });
    };
    const leases = new RoomLeases({ leases: leaseStore, holder, clock, onEnd, onRefused });
    const records = openValkeyRecords({
      ...{ reads, writes: await connect(), leases, holder, clock },
      onRefused,
    });
    await asked(reads, 'SET', SECRET_KEY, randomBytes(SECRET_LENGTH), 'NX');
    const secret = new Uint8Array((await asked(reads, 'GET', SECRET_KEY)) as Buffer);
    return {
      records: { ...records, close: () => records.close().then(close) },
      leases,
      secret,
      node: `${hostname().slice(0, 48)}-${holder.slice(0, 8)}`,
      async reserve(list, above, count) {
        try {
          return Number(await reads.run(RESERVE, [numbersKey(list)], above, count));
        } catch (error) {
          throw new StoreError(
            'unreachable',
            `Valkey cannot be used: ${(error as Error).message}.`,
          );
        }
      },
      report: reportLoad(reads),
      refused: () => {
        // Rooms are tried again before that.
        const since = clock.now() - 2 * DEFAULTS.cluster.refused;
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
