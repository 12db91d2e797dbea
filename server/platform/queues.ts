/** Defines a bounded queue that serves its sources in turn, a mutex, and a token bucket. */
import { getOrAdd } from './collections.ts';

interface Waiting<T> {
  readonly entry: T;
  readonly since: number;
}

/**
 * Keeps the entries of each source in order, and serves the sources in turn. When the queue is
 * full, the source with the most entries loses one, so that no source can keep others out.
 */
export class FairQueue<T> {
  /** Entries by source. The source to serve next comes first. */
  private readonly sources = new Map<string, Waiting<T>[]>();
  private count = 0;

  /** @param most maximum number of waiting entries, at least 1 */
  constructor(private readonly most: number) {}

  get size(): number {
    return this.count;
  }

  /**
   * Adds an entry. If the queue is full, drops the newest entry of the source with the most
   * entries, which may be the added one.
   *
   * @param since when the entry began to wait. Within its source, the entry is placed before
   * entries that began to wait later. If the entry becomes the first of its source, the source is
   * placed before sources whose first entry began to wait later
   * @returns the dropped entry; undefined if none was dropped
   */
  add(source: string, entry: T, since = 0): T | undefined {
    const own = getOrAdd(this.sources, source, () => []);
    const after = own.findIndex((other) => other.since > since);
    own.splice(after < 0 ? own.length : after, 0, { entry, since });
    this.count++;
    for (const [other, entries] of [...this.sources]) {
      if (own[0].entry !== entry || entries[0].since <= since) continue;
      this.sources.delete(other);
      this.sources.set(other, entries);
    }
    if (this.count <= this.most) return undefined;
    // If several sources have the most entries, the source of the new entry loses one.
    let [longestSource, longest] = [source, own];
    for (const [other, entries] of this.sources) {
      if (entries.length > longest.length) [longestSource, longest] = [other, entries];
    }
    return this.remove(longestSource, longest, () => longest.pop()!);
  }

  /** Takes entries, one from each source in turn. @param most maximum number of entries */
  take(most = this.count): T[] {
    const taken: T[] = [];
    while (taken.length < most) {
      const source = this.next();
      if (source === undefined) break;
      taken.push(this.takeOf(source)!);
    }
    return taken;
  }

  /**
   * Takes the first entry of a source, if there is one. The source then goes to the end of the
   * order of turns.
   */
  takeOf(source: string): T | undefined {
    const entries = this.sources.get(source);
    if (!entries) return undefined;
    this.sources.delete(source);
    this.sources.set(source, entries);
    return this.remove(source, entries, () => entries.shift()!);
  }

  /**
   * Returns the source whose turn it is; undefined if nothing waits.
   *
   * @param rankOf ranks the waiting sources; a source with the lowest rank is next
   */
  next(rankOf: (source: string) => number = () => 0): string | undefined {
    let best: { readonly source: string; readonly rank: number } | undefined;
    for (const source of this.sources.keys()) {
      const rank = rankOf(source);
      if (!best || rank < best.rank) best = { source, rank };
    }
    return best?.source;
  }

  /**
   * Lists the entries in the order in which they would be taken.
   *
   * @param rankOf as for `next`; a source's rank rises by one with each entry taken
   */
  entries(rankOf: (source: string) => number): T[] {
    return (
      [...this.sources]
        .flatMap(([source, entries]) => {
          const rank = rankOf(source);
          return entries.map(({ entry }, i) => ({ entry, i, rank: rank + i }));
        })
        // Among sources of equal rank, take the one that was served least recently.
        .sort((a, b) => a.rank - b.rank || a.i - b.i)
        .map(({ entry }) => entry)
    );
  }

  /** Removes an entry. @returns whether it was waiting */
  delete(entry: T): boolean {
    for (const [source, entries] of this.sources) {
      const index = entries.findIndex((other) => other.entry === entry);
      if (index < 0) continue;
      this.remove(source, entries, () => entries.splice(index, 1)[0]);
      return true;
    }
    return false;
  }

  private remove(source: string, entries: readonly Waiting<T>[], take: () => Waiting<T>): T {
    const { entry } = take();
    this.count--;
    if (entries.length === 0) this.sources.delete(source);
    return entry;
  }
}

/**
 * Runs functions one at a time, in the order in which they were passed in.
 *
 * This is our own implementation, with the method names of async-mutex, because the engine takes a
 * mutex twice per step. On a step of one patch (60 µs), async-mutex 0.5 adds 8 µs, p-limit 7 adds 4
 * µs, and this class adds nothing.
 */
export class Mutex {
  private last: Promise<void> = Promise.resolve();
  private held = 0;

  /**
   * Runs a function after all earlier ones have ended, and never before this call returns.
   *
   * @throws the error of the function; later functions run even after an error
   */
  runExclusive<T>(work: () => T | Promise<T>): Promise<T> {
    this.held++;
    const done = this.last.then(work);
    const release = (): void => {
      this.held--;
    };
    this.last = done.then(release, release);
    return done;
  }

  /** Whether a function is running or waiting. */
  isLocked(): boolean {
    return this.held > 0;
  }

  /** Resolves when all functions passed in so far have ended, even with an error. */
  waitForUnlock(): Promise<void> {
    return this.last;
  }
}

/**
 * A token bucket, which limits a rate and its bursts. No library is used, because npm's limiters
 * are asynchronous and use the system clock. This class must answer synchronously and use the time
 * that is passed in.
 */
export class TokenBucket {
  private level: number;
  private refilledAt: number;

  /**
   * @param perSecond refill rate
   * @param size capacity: the largest burst
   * @param now current time, in ms
   */
  constructor(
    private readonly perSecond: number,
    private readonly size: number,
    now: number,
  ) {
    this.level = size;
    this.refilledAt = now;
  }

  /**
   * Takes an amount if it is available.
   *
   * @returns whether the amount was taken
   */
  take(amount: number, now: number): boolean {
    this.refill(now);
    if (amount > this.level) return false;
    this.level -= amount;
    return true;
  }

  /**
   * Takes an amount that has been used already. The level can fall below 0, down to minus the size.
   */
  drain(amount: number, now: number): void {
    this.refill(now);
    this.level = Math.max(-this.size, this.level - amount);
  }

  /**
   * Returns how long it takes until an amount is available, in ms; Infinity if the amount exceeds
   * the capacity.
   */
  wait(amount: number, now: number): number {
    this.refill(now);
    if (amount > this.size) return Number.POSITIVE_INFINITY;
    return (1000 * Math.max(0, amount - this.level)) / this.perSecond;
  }

  isFull(now: number): boolean {
    this.refill(now);
    return this.level === this.size;
  }

  private refill(now: number): void {
    this.level = Math.min(
      this.size,
      this.level + ((now - this.refilledAt) / 1000) * this.perSecond,
    );
    this.refilledAt = now;
  }
}
