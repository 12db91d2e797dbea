/** What the host has set for all rooms: bans and the places of walls, connected to the store. */
import type { Log } from '../platform/log.ts';
import { Bans } from '../realtime/policy/bans.ts';
import { WallPlaces } from '../realtime/policy/wall-places.ts';
import { banRecords, wallPlaceRecords } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';

export interface HostRecordsOptions {
  readonly store: Store;
  /** See `Bans`. */
  readonly secret: Uint8Array;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly log: Log;
}

export interface HostRecords {
  readonly bans: Bans;
  readonly places: WallPlaces;
  /** Reads again what another server may have stored. @throws StoreError */
  refresh(): Promise<void>;
}

/** @throws StoreError */
export async function openHostRecords({
  store,
  secret,
  date,
  log,
}: HostRecordsOptions): Promise<HostRecords> {
  const put = (record: string) => (all: unknown) => {
    void store
      .putServerRecord(record, all)
      .catch((error: Error) => log.warn('not-kept', error.message));
  };
  const storedBans = () => store.serverRecord('bans', banRecords);
  const storedPlaces = () => store.serverRecord('walls', wallPlaceRecords);
  const bans = new Bans(secret, date, await storedBans(), put('bans'));
  const places = new WallPlaces(date, await storedPlaces(), put('walls'));
  return {
    bans,
    places,
    async refresh() {
      bans.replace((await storedBans()) ?? []);
      places.replace((await storedPlaces()) ?? []);
    },
  };
}
