/** Connects the walls' places to the store. */
import type { Log } from '../platform/log.ts';
import { WallPlaces } from '../realtime/policy/wall-places.ts';
import { wallPlaceRecords } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';

const RECORD = 'walls';

/** @throws StoreError */
export async function openWallPlaces(
  store: Store,
  date: () => number,
  log: Log,
): Promise<WallPlaces> {
  const stored = await store.serverRecord(RECORD, wallPlaceRecords);
  return new WallPlaces(date, stored, (all) => {
    void store
      .putServerRecord(RECORD, all)
      .catch((error: Error) => log.warn('not-kept', error.message));
  });
}
