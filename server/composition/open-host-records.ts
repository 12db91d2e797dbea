/**
 * Opens the host's records that apply to all rooms: the bans and the wall seats. The servers of a
 * cluster share these records.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Mutex } from '../platform/queues.ts';
import { Bans } from '../realtime/policy/bans.ts';
import { WallSeats } from '../realtime/policy/wall-seats.ts';
import { banRecords, wallSeatRecords } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';

interface ListStore<T> {
  /** Reads the stored list. @throws StoreError */
  readonly read: () => Promise<readonly T[]>;
  /** Stores the list. @throws StoreError */
  readonly write: (all: readonly T[]) => Promise<void>;
  /** Called with the merged list, which may contain changes of other servers. */
  readonly onReplaced: (all: readonly T[]) => void;
}

/** A change that may not be stored yet. */
interface Change<T> {
  /** The changed item; undefined if the item was removed. */
  readonly item: T | undefined;
  /** How often the change has been written. */
  writes: number;
}

/**
 * Maximum number of times that a change is written. A change is written again if another server has
 * overwritten it.
 */
const MOST_WRITES = 2;

/** A stored list that several servers can change. Ids of items are unique across servers. */
class SharedList<T extends { readonly id: number }> {
  /** Changes that may not be stored yet, by id. */
  private readonly changes = new Map<number, Change<T>>();
  private readonly mutex = new Mutex();

  /** @param known the stored list */
  constructor(
    private known: readonly T[],
    private readonly store: ListStore<T>,
  ) {}

  /** Finds and stores the changes that this server has made. @throws StoreError */
  changed(all: readonly T[]): Promise<void> {
    const before = new Map(this.known.map((item) => [item.id, item]));
    for (const item of all) {
      if (!isDeepStrictEqual(before.get(item.id), item)) this.change(item.id, item);
      before.delete(item.id);
    }
    for (const id of before.keys()) this.change(id, undefined);
    this.known = all;
    return this.refresh();
  }

  /**
   * Adopts the changes that other servers have stored, and stores those of this server.
   *
   * @throws StoreError
   */
  refresh(): Promise<void> {
    return this.mutex.runExclusive(async () => {
      const stored = await this.store.read();
      for (const [id, { item, writes }] of this.changes) {
        const found = stored.find((one) => one.id === id);
        if (writes >= MOST_WRITES || isDeepStrictEqual(found, item)) this.changes.delete(id);
      }
      const changes = new Map(this.changes);
      if (changes.size > 0) await this.store.write(merged(stored, changes));
      for (const change of changes.values()) change.writes++;
      // Also adopt changes that this server made during the write.
      this.known = merged(stored, this.changes);
      this.store.onReplaced(this.known);
    });
  }

  private change(id: number, item: T | undefined): void {
    this.changes.set(id, { item, writes: 0 });
  }
}

function merged<T extends { readonly id: number }>(
  stored: readonly T[],
  changes: ReadonlyMap<number, Change<T>>,
): readonly T[] {
  const items = new Map(stored.map((item) => [item.id, item]));
  for (const [id, { item }] of changes) {
    if (item) items.set(id, item);
    else items.delete(id);
  }
  return [...items.values()];
}

export interface HostRecordsOptions {
  readonly store: Store;
  /** Whether other servers change the records too. */
  readonly isShared: boolean;
  /** The secret that `Bans` needs. */
  readonly secret: Uint8Array;
  /** Wall clock, ms. */
  readonly date: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

export async function openHostRecords(options: HostRecordsOptions) {
  const { store, isShared, secret, date, clock, log } = options;
  const readBans = async () => (await store.serverRecord('bans', banRecords)) ?? [];
  const readSeats = async () => (await store.serverRecord('walls', wallSeatRecords)) ?? [];
  const [knownBans, knownSeats] = [await readBans(), await readSeats()];
  const sharedBans = new SharedList(knownBans, {
    read: readBans,
    write: (all) => store.putServerRecord('bans', all),
    onReplaced: (all) => bans.replace(all),
  });
  const sharedSeats = new SharedList(knownSeats, {
    read: readSeats,
    write: (all) => store.putServerRecord('walls', all),
    onReplaced: (all) => wallSeats.replace(all),
  });
  const warn = (error: Error): void => log.warn('not-kept', error.message);
  const bans = new Bans({
    ...{ secret, date, clock, bans: knownBans },
    onChange: (all) =>
      void (isShared ? sharedBans.changed(all) : store.putServerRecord('bans', all)).catch(warn),
  });
  // If servers share walls, a wall that is not here may be on another server, so it is not lost.
  const wallSeats = new WallSeats(
    date,
    isShared ? [] : knownSeats,
    (all) =>
      void (isShared ? sharedSeats.changed(all) : store.putServerRecord('walls', all)).catch(warn),
  );
  if (isShared) wallSeats.replace(knownSeats);
  return {
    bans,
    wallSeats,
    /**
     * Adopts changes that other servers may have stored.
     *
     * @param takenOver a room that another server has run until now
     * @throws StoreError
     */
    async refresh(takenOver?: string): Promise<void> {
      if (!isShared) return;
      await Promise.all([sharedBans.refresh(), sharedSeats.refresh()]);
      if (takenOver !== undefined) wallSeats.takenOver(takenOver);
    },
  };
}

export type HostRecords = Awaited<ReturnType<typeof openHostRecords>>;
