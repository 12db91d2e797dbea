/** What the host has set for all rooms: bans and the places of walls, connected to the store. */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Bans } from '../realtime/policy/bans.ts';
import { WallPlaces } from '../realtime/policy/wall-places.ts';
import { banRecords, wallPlaceRecords } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';
import { SharedList } from './shared-list.ts';
import { type ReserveNumbers, SharedNumbers } from './shared-numbers.ts';

export interface HostRecordsOptions {
  readonly store: Store;
  /** See `Bans`. */
  readonly secret: Uint8Array;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** Numbers for what is added, if other servers change them too. */
  readonly reserve: ReserveNumbers | undefined;
}

export interface HostRecords {
  readonly bans: Bans;
  readonly places: WallPlaces;
  /**
   * Reads again what another server may have stored.
   *
   * @param takenOver a room that another server has run until now
   * @throws StoreError
   */
  refresh(takenOver?: string): Promise<void>;
}

/** @throws StoreError */
export async function openHostRecords(options: HostRecordsOptions): Promise<HostRecords> {
  const { store, secret, date, clock, reserve } = options;
  const onFailure = (error: Error): void => options.log.warn('not-kept', error.message);
  const storedBans = async () => (await store.serverRecord('bans', banRecords)) ?? [];
  const storedPlaces = async () => (await store.serverRecord('walls', wallPlaceRecords)) ?? [];
  const put = (record: string) => (all: unknown) => store.putServerRecord(record, all);
  const [knownBans, knownPlaces] = [await storedBans(), await storedPlaces()];
  if (!reserve) {
    const keep = (record: string) => (all: unknown) => void put(record)(all).catch(onFailure);
    return {
      bans: new Bans({ secret, date, clock, bans: knownBans, onChange: keep('bans') }),
      places: new WallPlaces(date, knownPlaces, keep('walls')),
      refresh: async () => {},
    };
  }
  const sharedBans = new SharedList(knownBans, {
    ...{ read: storedBans, write: put('bans'), onFailure },
    keyOf: ({ since, room, participant }) => `${since} ${room} ${participant}`,
    onReplaced: (all) => bans.replace(all),
  });
  const sharedPlaces = new SharedList(knownPlaces, {
    ...{ read: storedPlaces, write: put('walls'), onFailure },
    keyOf: ({ pass }) => pass,
    onReplaced: (all) => places.replace(all),
  });
  const numbersOf = (list: string, known: readonly { readonly id: number }[]) =>
    SharedNumbers.open(
      list,
      known.map(({ id }) => id),
      reserve,
    );
  const ofBans = await numbersOf('bans', knownBans);
  const ofPlaces = await numbersOf('walls', knownPlaces);
  const bans = new Bans({
    ...{ secret, date, clock, bans: knownBans },
    onChange: (all) => sharedBans.changed(all),
  });
  bans.newId = () => ofBans.next();
  const places = new WallPlaces(date, [], (all) => sharedPlaces.changed(all));
  places.newId = () => ofPlaces.next();
  // Not those of a server that begins: walls of a room may be up on another one.
  places.replace(knownPlaces);
  return {
    bans,
    places,
    async refresh(takenOver) {
      await Promise.all([sharedBans.refresh(), sharedPlaces.refresh()]);
      if (takenOver !== undefined) places.takenOver(takenOver);
    },
  };
}
