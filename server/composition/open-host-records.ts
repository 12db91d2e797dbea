/** What the host has set for all rooms: bans and the places of walls, connected to the store. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Mutex } from '../platform/queues.ts';
import { Bans } from '../realtime/policy/bans.ts';
import { type WallPlace, WallPlaces } from '../realtime/policy/wall-places.ts';
import { banRecords, wallPlaceRecords } from '../storage/record-schemas.ts';
import type { Store } from '../storage/store.ts';

export interface SharedListOptions<T> {
  /** The list as it is stored. @throws StoreError */
  readonly read: () => Promise<readonly T[]>;
  /** Stores the list. @throws StoreError */
  readonly write: (all: readonly T[]) => Promise<void>;
  /** Names an item for good; its id may be that of another server's item. */
  readonly keyOf: (item: T) => string;
  /** Called with what others have changed. */
  readonly onReplaced: (all: readonly T[]) => void;
  /** Changes could not be stored; they are tried again with the next. */
  readonly onFailure: (error: Error) => void;
}

/** A change that may not be stored yet. */
interface Change<T> {
  /** Undefined: it is removed. */
  readonly item: T | undefined;
  /** How often it was written. */
  writes: number;
}

/** A change that another server has overwritten is written once more, and no more than that. */
const MOST_WRITES = 2;

/** Changes of one server to a list in a store. */
export class SharedList<T extends { readonly id: number }> {
  /** Changes that are not known to be stored, by key. */
  private readonly changes = new Map<string, Change<T>>();
  private readonly mutex = new Mutex();

  /** @param known the list as it is stored */
  constructor(
    private known: readonly T[],
    private readonly options: SharedListOptions<T>,
  ) {}

  /** This server has changed the list. */
  changed(all: readonly T[]): void {
    const { keyOf, onFailure } = this.options;
    const before = new Map(this.known.map((item) => [keyOf(item), item]));
    for (const item of all) {
      const key = keyOf(item);
      if (!isDeepStrictEqual(before.get(key), item)) this.change(key, item);
      before.delete(key);
    }
    for (const key of before.keys()) this.change(key, undefined);
    this.known = all;
    this.refresh().catch(onFailure);
  }

  /** Takes what others have stored, and stores what is not stored yet. @throws StoreError */
  refresh(): Promise<void> {
    const { read, write, onReplaced } = this.options;
    return this.mutex.runExclusive(async () => {
      const stored = await read();
      for (const [key, change] of this.changes) {
        const isDone = change.writes >= MOST_WRITES || this.isStored(stored, key, change);
        if (isDone) this.changes.delete(key);
      }
      const changes = new Map(this.changes);
      if (changes.size > 0) await write(this.merged(stored, changes));
      for (const change of changes.values()) change.writes++;
      // With what has been changed here meanwhile.
      this.known = this.merged(stored, this.changes);
      onReplaced(this.known);
    });
  }

  private change(key: string, item: T | undefined): void {
    this.changes.set(key, { item, writes: 0 });
  }

  private isStored(stored: readonly T[], key: string, { item }: Change<T>): boolean {
    const found = stored.find((one) => this.options.keyOf(one) === key);
    return found && item ? isDeepStrictEqual(found, { ...item, id: found.id }) : found === item;
  }

  private merged(stored: readonly T[], changes: ReadonlyMap<string, Change<T>>): readonly T[] {
    const { keyOf } = this.options;
    const items = new Map(stored.map((item) => [keyOf(item), item]));
    for (const [key, { item }] of changes) {
      const id = items.get(key)?.id;
      if (!item) items.delete(key);
      else items.set(key, { ...item, id: id ?? freeId(item.id, [...items.values()]) });
    }
    return [...items.values()];
  }
}

/** That id, or the next one if another server has given it meanwhile. */
function freeId(id: number, items: readonly { readonly id: number }[]): number {
  const ids = items.map((item) => item.id);
  return ids.includes(id) ? 1 + Math.max(...ids) : id;
}

/**
 * Reserves numbers for this server.
 *
 * @param list of the items
 * @param above the largest number that is known to be in use
 * @returns the first of them
 * @throws StoreError
 */
export type ReserveNumbers = (list: string, above: number, count: number) => Promise<number>;

/** Numbers reserved at a time. */
const COUNT = 20;

/** Numbers for one list, at hand without waiting. */
export class SharedNumbers {
  private readonly free: number[] = [];
  private largest = 0;
  private reserving: Promise<void> | undefined;

  private constructor(
    private readonly list: string,
    private readonly reserve: ReserveNumbers,
  ) {}

  /** @param known the numbers in use @throws StoreError */
  static async open(
    list: string,
    known: readonly number[],
    reserve: ReserveNumbers,
  ): Promise<SharedNumbers> {
    const numbers = new SharedNumbers(list, reserve);
    numbers.largest = Math.max(0, ...known);
    await numbers.more();
    return numbers;
  }

  /** A number that no server has given. Without the store, it may have to be given again later. */
  next(): number {
    if (this.free.length < COUNT / 2) this.more().catch(() => {});
    const number = this.free.shift() ?? this.largest + 1;
    this.largest = Math.max(this.largest, number);
    return number;
  }

  private more(): Promise<void> {
    this.reserving ??= this.reserve(this.list, this.largest, COUNT)
      .then((first) => {
        for (let i = 0; i < COUNT; i++) this.free.push(first + i);
      })
      .finally(() => {
        this.reserving = undefined;
      });
    return this.reserving;
  }
}

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
    newId: () => ofBans.next(),
  });
  const changed = (all: readonly WallPlace[]) => sharedPlaces.changed(all);
  const places = new WallPlaces(date, [], changed, () => ofPlaces.next());
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
