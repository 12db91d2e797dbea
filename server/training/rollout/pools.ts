/**
 * Pools of grown organisms, which take further steps in later updates so that the rule learns to
 * keep pictures stable. There are three pools: organisms without neighbours, organisms with
 * neighbours, and patients. Patients have wounds that close gradually from their rim, as in a room.
 * A patient stays in the pool over many updates, so that the rule is trained on wounds at every
 * point of closing.
 */
import type { Random } from '../../../shared/random.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import type { TrainingConfig } from '../config.ts';
import { moved } from '../data/augment.ts';
import { applyWound, openGround, woundMask, woundOfShare } from './wounds.ts';

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
   * [S, S] Number of steps until a killed cell can live again; 0 for other cells. Present in
   * patients only.
   */
  readonly closed?: Uint8Array;
}

/** Names of the pools. `crowd` holds organisms with neighbours, `patients` wounded organisms. */
export const POOLS = ['pool', 'crowd', 'patients'] as const;
export type PoolName = (typeof POOLS)[number];
export type PoolStates = Readonly<Record<PoolName, readonly PoolEntry[]>>;

/**
 * The pools of a training run. As in the published training (Palm et al. 2022), each update removes
 * random organisms from the pools, trains them and adds the results.
 */
export class Pools {
  private readonly of: Record<PoolName, PoolEntry[]>;

  constructor(
    private readonly config: Pick<TrainingConfig, 'pool'>,
    { pool, crowd, patients }: PoolStates,
  ) {
    this.of = { pool: [...pool], crowd: [...crowd], patients: [...patients] };
  }

  /** Returns a shallow copy. Organisms need no copies, because they never change. */
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
   * Takes random organisms with neighbours from their pool. Replaces some of them with copies of
   * organisms without neighbours, to which it adds neighbours.
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

/**
 * Minimum number of cells that must survive a wound. Wounds with fewer survivors are not applied.
 */
const FEWEST_LEFT = 8;
/**
 * Radius of a disc that a wound leaves alive: minimum and maximum, in 32nds of the patch's side.
 */
const DISC_LEFT = [3, 5] as const;
/** Share of a patch's cells killed by a wound of scattered single cells. */
const SCATTERED = 0.95;
const MOST_PIECES = 4;
/** Maximum shift of an organism, as a share of the patch's side. */
const LARGEST_SHIFT = 6 / 32;
/**
 * Number of steps for which the loss ignores a reopened cell (a killed cell that may live again).
 */
const JUDGED_AFTER = 2;

/**
 * Takes the patients (organisms that heal) of an update. Some come from the pool of patients and
 * may be wounded again. The others are copies of other organisms, which are wounded, shifted, or
 * given the cell states of another organism.
 *
 * @param side side of the patches, in cells
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
 * Wounds an organism by closing cells. A closed cell is empty and cannot live again until it opens.
 *
 * @returns a wounded copy, whose closed cells open step by step from the wound's rim; the organism
 *   itself if the wound would leave too few living cells
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
 * Creates a large wound at random: a half, a bar, several pieces, scattered cells, or everything
 * except a small disc.
 *
 * @param lives [S, S] 1 for living cells, else 0. The disc's middle is a living cell
 * @returns [S, S] 0 for wounded cells, 1 for all other cells
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
 * Returns the number of steps until each cell opens (may live again), after the given number of
 * steps.
 *
 * @param closed number of steps until each cell opens, at the start
 * @param steps number of steps since the start
 */
export const stepsLeft = (closed: Uint8Array, steps: number): Uint8Array =>
  closed.map((left) => Math.max(0, left - steps));

/**
 * Determines which cells count in the loss. Cells occupied by neighbours, closed cells and recently
 * reopened cells do not count.
 *
 * @param closed [N, S, S] number of steps from the start of the rollout until each cell opens
 * @param steps number of steps since the start of the rollout
 * @param open [N, S, S] 0 for cells occupied by neighbours, else 1; absent if there are no
 *   neighbours
 * @returns [N, S, S] 1 for cells that count, else 0
 */
export const seenCells = (closed: Uint8Array, steps: number, open?: Uint8Array): Float32Array =>
  Float32Array.from(closed, (left, cell) =>
    (left === 0 || left <= steps - JUDGED_AFTER) && open?.[cell] !== 0 ? 1 : 0,
  );
