/** What a process has of a cluster: its records, its leases, and the secret that all share. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Records } from '../storage/records.ts';
import { openChecked } from './check-valkey.ts';
import { RoomLeases } from './room-leases.ts';
import { ValkeyConnection } from './valkey-connection.ts';
import { SECRET_KEY } from './valkey-keys.ts';
import { valkeyLeases } from './valkey-leases.ts';
import { openValkeyRecords } from './valkey-records.ts';

const SECRET_LENGTH = 32;

export interface Cluster {
  readonly records: Records;
  readonly leases: RoomLeases;
  /** Signs resume tokens, so that every process knows those of the others, [32]. */
  readonly secret: Uint8Array;
  /** Has something called when the lease of a room has ended that this process has. */
  onEnd(call: (room: string) => void): void;
}

export interface ClusterOptions {
  /** redis://user:password@host:port/database */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Connects to a cluster. @throws ClusterError */
export async function openCluster({ url, clock, log }: ClusterOptions): Promise<Cluster> {
  const holder = randomUUID();
  const reads = await openChecked(url, clock);
  const connections = [reads];
  const close = (): void => {
    for (const one of connections) one.close();
  };
  try {
    const connect = async (): Promise<ValkeyConnection> => {
      const connection = await ValkeyConnection.open(url, clock);
      connections.push(connection);
      return connection;
    };
    const leaseStore = valkeyLeases(await connect());
    let ended = (_: string): void => {};
    const onEnd = (room: string): void => ended(room);
    const leases = new RoomLeases({ leases: leaseStore, holder, clock, onEnd });
    const records = openValkeyRecords({
      ...{ reads, writes: await connect(), leases, holder, clock },
      onFull: (room, why) => log.error('room-stopped', `Room "${room}" stops: ${why}`, { room }),
    });
    await reads.ask('SET', SECRET_KEY, randomBytes(SECRET_LENGTH), 'NX');
    const secret = new Uint8Array((await reads.ask('GET', SECRET_KEY)) as Buffer);
    return {
      records: { ...records, close: () => records.close().then(close) },
      leases,
      secret,
      onEnd: (call) => {
        ended = call;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}
