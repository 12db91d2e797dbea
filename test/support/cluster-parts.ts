/** What one process of a cluster has, without its rooms. */
import { RoomLeases } from '../../server/cluster/lease.ts';
import { valkeyLeases } from '../../server/cluster/open-cluster.ts';
import { ValkeyConnection } from '../../server/cluster/valkey-connection.ts';
import { openValkeyRecords } from '../../server/cluster/valkey-records.ts';
import { systemClock } from '../../server/platform/clock.ts';
import type { Records } from '../../server/storage/records.ts';

export interface ClusterParts {
  readonly leases: RoomLeases;
  readonly records: Records;
  close(): Promise<void>;
}

let count = 0;

export async function openClusterParts(url: string): Promise<ClusterParts> {
  const connect = () => ValkeyConnection.open(url, systemClock);
  const [ofLeases, reads, writes] = [await connect(), await connect(), await connect()];
  const holder = `process-${++count}`;
  const leases = new RoomLeases({ leases: valkeyLeases(ofLeases), holder, clock: systemClock });
  const records = openValkeyRecords({ reads, writes, leases, clock: systemClock });
  return {
    leases,
    records,
    async close() {
      await leases.releaseAll();
      await records.close();
      for (const one of [ofLeases, reads, writes]) one.close();
    },
  };
}
