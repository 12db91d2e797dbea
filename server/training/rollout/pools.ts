/**
 * Pools of grown organisms. Pooled organisms take further steps in later updates, so that the rule
 * learns to keep pictures stable. The three pools contain organisms without neighbours, organisms
 * with neighbours, and patients. Patients have wounds that close gradually from their rim.
 */
import type { Random } from '../../../shared/random.ts';
import type { TrainingConfig } from '../config.ts';
import { openGround } from './wounds.ts';

export interface PoolEntry {
  /** Index of the organism's target image in the data set. */
  readonly image: number;
  /** [S, S, C] Cell states. */
  readonly states: Float32Array;
  /** Random seed of the target image's augmentation, 24 bits. */
  readonly look?: number;
  /** Number of steps since the organism was planted. */
  readonly age: number;
  /** [S, S] 0 for cells occupied by neighbours, else 1. Absent if there are no neighbours. */
  readonly open?: Uint8Array;
  /**
   * [S, S] Number of steps until a killed cell can live again; 0 for other cells. Present only in
   * patients (organisms whose wounds close gradually).
   */
  readonly closed?: Uint8Array;
}

/** Names of the pools. `crowd` holds organisms with neighbours, `patients` wounded organisms. */
export const POOLS = ['pool', 'crowd', 'patients'] as const;
export type PoolName = (typeof POOLS)[number];
export type PoolStates = Readonly<Record<PoolName, readonly PoolEntry[]>>;

/**
 * The pools of a training run. As in the published training (Palm et al. 2022), each update takes
 * random organisms out of the pools, and adds the organisms again after further steps.
 */
export class Pools {
  private readonly of: Record<PoolName, PoolEntry[]>;

  constructor(
    private readonly config: Pick<TrainingConfig, 'pool'>,
    { pool, crowd, patients }: PoolStates,
  ) {
    this.of = { pool: [...pool], crowd: [...crowd], patients: [...patients] };
  }

  /** Returns a shallow copy. Both copies can share entries, because entries never change. */
  copy(): Pools {
    return new Pools(this.config, this.of);
  }

  all(): PoolStates {
    return this.copy().of;
  }

  count(name: PoolName): number {
    return this.of[name].length;
  }

  /** Returns a random organism from a pool without removing it. */
  any(name: PoolName, random: Random): PoolEntry {
    return this.of[name][random.integer(this.count(name))];
  }

  /** Removes n random organisms from a pool and returns them. The pool must hold at least n. */
  take(name: PoolName, n: number, random: Random): PoolEntry[] {
    const states = this.of[name];
    return Array.from({ length: n }, () => states.splice(random.integer(states.length), 1)[0]);
  }

  keep(fits: (entry: PoolEntry) => boolean): void {
    for (const name of POOLS) this.of[name] = this.of[name].filter(fits);
  }

  /**
   * Adds each organism to the pool for its kind. If a pool exceeds its size, random organisms are
   * dropped.
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
   * Returns random organisms with neighbours. Some come from the pool of organisms with neighbours.
   * The others are copies of organisms without neighbours; each copy gets random neighbours.
   *
   * @param side side of the patches, in cells
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
