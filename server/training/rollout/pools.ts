/**
 * Holds pools of grown states that are trained further, so that the rule learns to persist long
 * after growth: states on free ground, states with neighbours, and patients. Patients have wounds
 * that close from their rim, as in a room (`world/closing.ts`); they stay in their pool over many
 * updates, so that the rule meets wounds at every stage of closing.
 */
import type { Random } from '../../../shared/random.ts';
import { stepsUntilOpen } from '../../world/closing.ts';
import type { TrainingConfig } from '../config.ts';
import { moved } from '../data/augment.ts';
import { applyWound, openGround, woundMask, woundOfShare } from './wounds.ts';

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

/** Names of the pools. `crowd` holds states with neighbours, each with its open ground. */
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

/**
 * Minimum number of cells that a new wound leaves alive. A wound that leaves fewer is not applied.
 */
const FEWEST_LEFT = 8;
/** Smallest and largest radius of a remaining disc, in cells of a patch of 32×32. */
const DISC_LEFT = [3, 5] as const;
/** Share of cells killed by scattered damage. */
const SCATTERED = 0.95;
/** Maximum number of pieces of a wound with several pieces. */
const MOST_PIECES = 4;
/** Largest shift of a whole body, as a share of the side. */
const LARGEST_SHIFT = 6 / 32;
/** Number of steps that a cell must have lived since it opened, before it counts in the loss. */
const JUDGED_AFTER = 2;

/**
 * Draws the patients of an update. New patients are copies of pooled states. Each copy is wounded,
 * shifted, or given the body of another organism.
 */
export function takePatients(
  config: TrainingConfig,
  pools: Pools,
  side: number,
  random: Random,
): PoolEntry[] {
  const plan = config.pool?.patients;
  if (!plan || pools.count('pool') === 0) return [];
  return Array.from({ length: plan.batch }, () => {
    if (pools.count('patients') > 0 && random.uniform() >= plan.renewed) {
      const [known] = pools.take('patients', 1, random);
      return random.uniform() < plan.again ? wounded(config, known, side, random) : known;
    }
    const ward = pools.count('crowd') > 0 && random.uniform() < plan.crowded ? 'crowd' : 'pool';
    const one = pools.any(ward, random);
    const open = one.open ?? new Uint8Array(side * side).fill(1);
    const whole = { ...one, open, closed: new Uint8Array(side * side) };
    const chance = random.uniform();
    if (chance < plan.shifted) {
      const most = Math.max(1, Math.round(LARGEST_SHIFT * side));
      const [dx, dy] = [0, 0].map(() => random.integer(2 * most + 1) - most);
      return { ...whole, states: moved(whole.states, side, dx, dy) };
    }
    if (chance < plan.shifted + plan.strangers) {
      return { ...whole, states: pools.any('pool', random).states };
    }
    return wounded(config, whole, side, random);
  });
}

/**
 * Wounds a state. Half of the wounds kill living cells only, as in a room; the other half also
 * close empty ground.
 *
 * @returns a copy whose dead cells open step by step from the remaining ones, or the entry itself
 * if the wound would leave too few cells
 */
export function wounded(
  { channels, presence, closing = 1 }: Pick<TrainingConfig, 'channels' | 'presence' | 'closing'>,
  entry: PoolEntry,
  side: number,
  random: Random,
): PoolEntry {
  const cells = side * side;
  const before = entry.closed ?? new Uint8Array(cells);
  const channel = random.uniform() < 0.5 ? presence.channel : undefined;
  const lives = Uint8Array.from({ length: cells }, (_, cell) => {
    if (before[cell] > 0 || entry.open?.[cell] === 0) return 0;
    const isOwned =
      channel === undefined || entry.states[cell * channels + channel] > presence.threshold;
    return isOwned ? 1 : 0;
  });
  const kept = rimWound(random, side, lives);
  const isClosed = before.map((steps, cell) => (steps > 0 || (lives[cell] && !kept[cell]) ? 1 : 0));
  const left = lives.map((is, cell) => is & kept[cell]);
  if (left.reduce((sum, is) => sum + is, 0) < FEWEST_LEFT) return entry;
  const states = entry.states.slice();
  applyWound(
    states,
    isClosed.map((is) => 1 - is),
    channels,
  );
  const closed = stepsUntilOpen({ isClosed, lives: left, width: side, reach: closing });
  return { ...entry, states, closed };
}

/**
 * Draws a large wound: one side of a cut at any angle, all but a small disc, a bar, several pieces,
 * or almost all cells at random.
 *
 * @param lives [S, S], 1 = living; a remaining disc lies around a living cell
 * @returns [S, S], 1 = kept
 */
function rimWound(random: Random, side: number, lives: Uint8Array): Uint8Array {
  const chance = random.uniform();
  if (chance < 0.4) return woundMask(random, side, 'half', 0.3 + 0.4 * random.uniform());
  if (chance < 0.6) return discLeft(random, side, lives);
  if (chance < 0.7) return woundMask(random, side, 'bar', 0.4);
  if (chance < 0.9) {
    const kept = new Uint8Array(side * side).fill(1);
    const pieces = 2 + random.integer(MOST_PIECES - 1);
    for (let i = 0; i < pieces; i++) {
      const share = (0.1 + 0.4 * random.uniform()) / pieces;
      woundOfShare(random, side, share, ['disc', 'stroke']).forEach((is, cell) => {
        kept[cell] &= is;
      });
    }
    return kept;
  }
  return Uint8Array.from(lives, () => (random.uniform() < SCATTERED ? 0 : 1));
}

function discLeft(random: Random, side: number, lives: Uint8Array): Uint8Array {
  const living = Array.from(lives.keys()).filter((cell) => lives[cell]);
  if (living.length === 0) return new Uint8Array(lives.length);
  const middle = living[random.integer(living.length)];
  const [least, most] = DISC_LEFT;
  const radius = ((least + (most - least) * random.uniform()) * side) / 32;
  const [x, y] = [middle % side, Math.floor(middle / side)];
  return Uint8Array.from(lives, (_, cell) =>
    Math.hypot((cell % side) - x, Math.floor(cell / side) - y) <= radius ? 1 : 0,
  );
}

/**
 * For each cell, returns the number of steps left until the cell opens, once further steps are
 * done.
 */
export const stepsLeft = (closed: Uint8Array, steps: number): Uint8Array =>
  closed.map((left) => Math.max(0, left - steps));

/**
 * Marks the cells that count in the loss: cells on open ground, if they were not killed or have
 * lived again for some steps.
 *
 * @param closed [N, S, S] before the steps
 * @param steps number of steps since `closed`
 * @param open [N, S, S]. If absent, all ground is open
 * @returns [N, S, S], 1 or 0
 */
export const seenCells = (closed: Uint8Array, steps: number, open?: Uint8Array): Float32Array =>
  Float32Array.from(closed, (left, cell) =>
    (left === 0 || left <= steps - JUDGED_AFTER) && open?.[cell] !== 0 ? 1 : 0,
  );
