/** Grown states that training comes back to, so that the rule learns what to do long after growing. */
import type { Random } from '../../shared/random.ts';

export interface PoolEntry {
  /** Index of the image it shall show. */
  readonly image: number;
  /** [S, S, C]. */
  readonly states: Float32Array;
  /** How that image was mirrored and moved when it was planted: the seed of its chance, 24 bits. */
  readonly look?: number;
  /** Steps since it was planted. */
  readonly age: number;
  /** [S, S], 1 where the ground is open to it; what others hold is closed (0). Absent: all is open. */
  readonly open?: Uint8Array;
}

/**
 * As in the published training: drawn entries are taken out, states are put in, and of too many a random choice stays
 * (Palm et al. 2022, code of 2021).
 */
export class Pool {
  private entries: PoolEntry[];

  constructor(
    private readonly size: number,
    entries: Iterable<PoolEntry> = [],
  ) {
    this.entries = [...entries];
  }

  get count(): number {
    return this.entries.length;
  }

  copy(): Pool {
    return new Pool(this.size, this.entries);
  }

  /** Takes out n random entries. @throws RangeError there are fewer */
  take(n: number, random: Random): PoolEntry[] {
    if (n > this.entries.length) {
      throw new RangeError(`pool holds ${this.entries.length} states, not ${n}`);
    }
    return Array.from({ length: n }, () => this.remove(random.integer(this.entries.length)));
  }

  /** Puts entries in; of too many a random choice stays, old and new alike. */
  add(entries: readonly PoolEntry[], random: Random): void {
    this.entries.push(...entries);
    while (this.entries.length > this.size) this.remove(random.integer(this.entries.length));
  }

  /** Drops entries that do not fit. */
  keep(fits: (entry: PoolEntry) => boolean): void {
    if (!this.entries.every(fits)) this.entries = this.entries.filter(fits);
  }

  all(): readonly PoolEntry[] {
    return this.entries;
  }

  private remove(at: number): PoolEntry {
    const [entry] = this.entries.splice(at, 1);
    return entry;
  }
}
