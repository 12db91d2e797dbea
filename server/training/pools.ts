/** The pools of a run: states on free ground, states with neighbours, and patients. */
import type { Random } from '../../shared/random.ts';
import type { TrainingConfig } from './config.ts';
import { Pool, type PoolEntry } from './pool.ts';
import { openGround } from './rollout-plan.ts';
import type { RunState } from './run-state.ts';

const KINDS = ['pool', 'crowd', 'patients'] as const;
type Kind = (typeof KINDS)[number];

/** Each state is in the pool of its kind. */
export class Pools {
  private constructor(private readonly of: Readonly<Record<Kind, Pool>>) {}

  /** The pools of a configuration with the states of a run. */
  static create({ pool }: Pick<TrainingConfig, 'pool'>, state: Pick<RunState, Kind>): Pools {
    return new Pools({
      pool: new Pool(pool?.size ?? 0, state.pool),
      crowd: new Pool(pool?.crowded?.size ?? 0, state.crowd),
      patients: new Pool(pool?.patients?.size ?? 0, state.patients),
    });
  }

  /** States on free ground. */
  get free(): Pool {
    return this.of.pool;
  }

  /** States with neighbours, each with its open ground. */
  get crowd(): Pool {
    return this.of.crowd;
  }

  /** States with wounds that close from their rim. */
  get patients(): Pool {
    return this.of.patients;
  }

  /** Pools with the same states. */
  copy(): Pools {
    const { pool, crowd, patients } = this.of;
    return new Pools({ pool: pool.copy(), crowd: crowd.copy(), patients: patients.copy() });
  }

  /** Keeps only states that fit. */
  keep(fits: (entry: PoolEntry) => boolean): void {
    for (const kind of KINDS) this.of[kind].keep(fits);
  }

  /** Adds states to the pools of their kinds. */
  add(entries: readonly PoolEntry[], random: Random): void {
    for (const kind of KINDS) {
      this.of[kind].add(
        entries.filter((entry) => kindOf(entry) === kind),
        random,
      );
    }
  }

  /**
   * Draws states with neighbours. Some are replaced by copies of states on free ground, with new
   * neighbours.
   */
  takeCrowded({ pool }: TrainingConfig, side: number, random: Random): PoolEntry[] {
    const plan = pool?.crowded;
    if (!plan || this.free.count === 0) return [];
    const all = this.free.all();
    return Array.from({ length: plan.batch }, () => {
      const [known] = this.crowd.count > 0 ? this.crowd.take(1, random) : [];
      if (known && random.uniform() >= plan.renewed) return known;
      const open = openGround(random, side, plan.largest);
      return { ...all[random.integer(all.length)], open };
    });
  }

  /** All states, by kind. */
  all(): Pick<RunState, Kind> {
    const { pool, crowd, patients } = this.of;
    return { pool: [...pool.all()], crowd: [...crowd.all()], patients: [...patients.all()] };
  }
}

const kindOf = ({ open, closed }: PoolEntry): Kind =>
  closed ? 'patients' : open ? 'crowd' : 'pool';
