/**
 * A list that several servers change. Each stores its own changes, not the list as it knows it, so
 * that it undoes none of the others'.
 */
import { isDeepStrictEqual } from 'node:util';
import { Mutex } from '../platform/mutex.ts';

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
