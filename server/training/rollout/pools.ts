/**
 * Holds pools of grown states that are trained further, so that the rule learns to persist long
 * after growth: states on free ground, states with neighbours, and patients.
 */
import type { Random } from '../../../shared/random.ts';
import type { TrainingConfig } from '../config.ts';
import { openGround } from './wounds.ts';

/** An organism in a pool. */
export interface PoolEntry {
  /** Index of its target image. */
  readonly image: number;
  /** Shape [S, S, C]. */
  readonly states: Float32Array;
  /** Random seed of the image's augmentation, 24 bits. */
  readonly look?: number;
  /** Number of steps since the organism was planted. */
  readonly age: number;
  /** [S, S]: 1 = open ground, 0 = ground of neighbours. If absent, all ground is open. */
  readonly open?: Uint8Array;
  /**
   * [S, S]: number of steps until a killed cell can live again, 0 for all other cells. If absent,
   * no cell was killed.
   */
  readonly closed?: Uint8Array;
}

/** `crowd`: states with neighbours, each with its open ground. `patients`: see `patients.ts`. */
export const POOLS = ['pool', 'crowd', 'patients'] as const;
export type PoolName = (typeof POOLS)[number];
export type PoolStates = Readonly<Record<PoolName, readonly PoolEntry[]>>;

/**
 * The pools of a run. As in the published training (Palm et al. 2022, code of 2021), drawn states
 * are removed and other states are added. If a pool exceeds its size, random states are dropped.
 */
export class Pools {
  private readonly of: Record<PoolName, PoolEntry[]>;

  constructor(
    private readonly config: Pick<TrainingConfig, 'pool'>,
    { pool, crowd, patients }: PoolStates,
  ) {
    this.of = { pool: [...pool], crowd: [...crowd], patients: [...patients] };
  }

  /** Returns new pools that hold the same states. */
  copy(): Pools {
    return new Pools(this.config, this.of);
  }

  /** Returns a copy of all states. */
  all(): PoolStates {
    return this.copy().of;
  }

  count(name: PoolName): number {
    return this.of[name].length;
  }

  /** Draws a state without removing it. */
  any(name: PoolName, random: Random): PoolEntry {
    return this.of[name][random.integer(this.count(name))];
  }

  /** Removes and returns n random states. The pool must have at least n. */
  take(name: PoolName, n: number, random: Random): PoolEntry[] {
    const states = this.of[name];
    return Array.from({ length: n }, () => states.splice(random.integer(states.length), 1)[0]);
  }

  /** Keeps only states for which `fits` returns true. */
  keep(fits: (entry: PoolEntry) => boolean): void {
    for (const name of POOLS) this.of[name] = this.of[name].filter(fits);
  }

  /**
   * Adds states to the pools of their kinds. If a pool exceeds its size, drops random states, old
   * or new.
   */
  add(entries: readonly PoolEntry[], random: Random): void {
    const { pool } = this.config;
    const sizes = { pool: pool?.size, crowd: pool?.crowded?.size, patients: pool?.patients?.size };
    for (const name of POOLS) {
      const states = this.of[name];
      states.push(...entries.filter((entry) => poolOf(entry) === name));
      const { [name]: size = 0 } = sizes;
      while (states.length > size) states.splice(random.integer(states.length), 1);
    }
  }

  /**
   * Draws states with neighbours. Some are replaced by copies of states on free ground, with new
   * neighbours.
   */
  takeCrowded(side: number, random: Random): PoolEntry[] {
    const plan = this.config.pool?.crowded;
    if (!plan || this.count('pool') === 0) return [];
    return Array.from({ length: plan.batch }, () => {
      const [known] = this.count('crowd') > 0 ? this.take('crowd', 1, random) : [];
      if (known && random.uniform() >= plan.renewed) return known;
      const open = openGround(random, side, plan.largest);
      return { ...this.any('pool', random), open };
    });
  }
}

const poolOf = ({ open, closed }: PoolEntry): PoolName =>
  closed ? 'patients' : open ? 'crowd' : 'pool';
