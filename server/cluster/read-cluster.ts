/** The records of a cluster for a process that runs no rooms. */
import type { Clock } from '../platform/clock.ts';
import type { Records } from '../storage/records.ts';
import { connectTo } from './check-valkey.ts';
import { RoomLeases } from './room-leases.ts';
import { valkeyLeases } from './valkey-leases.ts';
import { openValkeyRecords } from './valkey-records.ts';

/** Opens the records for reading; without a lease, those of rooms cannot be written. @throws ClusterError */
export async function readCluster(url: string, clock: Clock): Promise<Records> {
  const connection = await connectTo(url, clock);
  const holder = `reader ${process.pid}`;
  const leases = new RoomLeases({
    ...{ leases: valkeyLeases(connection), holder, clock },
    onEnd: () => {},
  });
  const records = openValkeyRecords({
    ...{ reads: connection, writes: connection, leases, holder, clock },
    onRefused: () => {},
  });
  return { ...records, close: () => records.close().then(() => connection.close()) };
}
