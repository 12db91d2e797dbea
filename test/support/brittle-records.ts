/** Records in memory that refuse to write while they are told so. */

import { openMemory, StoreError, type Write } from '../../server/storage/records.ts';

export function brittle(kept: Map<string, Uint8Array>) {
  const records = openMemory(kept);
  const disk = { full: false };
  const write = async (what: Write): Promise<void> => {
    if (disk.full) throw new StoreError('disk-full', 'The disk takes no more.');
    await records.write(what);
  };
  return { disk, records: { ...records, write } };
}
