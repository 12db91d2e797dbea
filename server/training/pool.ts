/**
 * A pool of grown states that are trained further, so that the rule learns to persist long after
 * growth.
 */
import type { Random } from '../../shared/random.ts';

/** An organism in the pool. */
export interface PoolEntry {
  /** Index of its target image. */
  readonly image: number;
  /** [S, S, C]. */
  readonly states: Float32Array;
  /** Seed of the image's augmentation, 24 bits. */
  readonly look?: number;
  /** Steps since the seed. */
  readonly age: number;
  /** [S, S]: 1 open ground, 0 ground of neighbours. Absent: all is open. */
  readonly open?: Uint8Array;
  /** [S, S]: steps until a cell that was killed can live again; else 0. Absent: none was. */
  readonly closed?: Uint8Array;
}

/**
 * As in the published training (Palm et al. 2022, code of 2021): drawn entries are removed, states
 * are added, and above the size random entries are dropped.
 */
export class Pool {
  private entries: PoolEntry[];

  constructor(
    private readonly size: number,
    entries: Iterable<PoolEntry> = [],
  ) {
    this.entries = [...entries];
  }

  /** Number of entries. */
  get count(): number {
    return this.entries.length;
  }

  /** A pool with the same entries. */
  copy(): Pool {
    return new Pool(this.size, this.entries);
  }

  /** Removes n random entries. @throws RangeError there are fewer */
  take(n: number, random: Random): PoolEntry[] {
    if (n > this.entries.length) {
      throw new RangeError(`pool holds ${this.entries.length} states, not ${n}`);
    }
    return Array.from({ length: n }, () => this.remove(random.integer(this.entries.length)));
  }

  /** Adds entries; above the size drops random ones, old or new. */
  add(entries: readonly PoolEntry[], random: Random): void {
    this.entries.push(...entries);
    while (this.entries.length > this.size) this.remove(random.integer(this.entries.length));
  }

  /** Keeps only entries that fit. */
  keep(fits: (entry: PoolEntry) => boolean): void {
    if (!this.entries.every(fits)) this.entries = this.entries.filter(fits);
  }

  /** All entries. */
  all(): readonly PoolEntry[] {
    return this.entries;
  }

  private remove(index: number): PoolEntry {
    return this.entries.splice(index, 1)[0];
  }
}
