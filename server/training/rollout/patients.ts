/**
 * Chooses and wounds patients (organisms whose wounds close gradually), and says which of their
 * cells count in the training loss.
 */
import type { Random } from '../../../shared/random.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import type { TrainingConfig } from '../config.ts';
import { moved } from '../data/augment.ts';
import type { PoolEntry, Pools } from './pools.ts';
import { applyWound, rimWound } from './wounds.ts';

/**
 * Minimum number of cells that must survive a wound. Wounds with fewer survivors are not applied.
 */
const FEWEST_LEFT = 8;
/** Maximum shift of an organism, as a share of the patch's side. */
const LARGEST_SHIFT = 6 / 32;
/**
 * Number of steps for which the loss ignores a reopened cell (a killed cell that may live again).
 */
const JUDGED_AFTER = 2;

/**
 * Takes an update's patients: organisms that must restore their picture. Some come from the pool of
 * patients, and may be wounded again. The others are copies of organisms in the other pools. Each
 * copy is wounded, shifted, or given the cell states of another organism.
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
 * Returns how many further steps each cell stays closed (cannot live).
 *
 * @param closed numbers of steps at an earlier time
 * @param steps number of steps taken since that time
 */
export const stepsLeft = (closed: Uint8Array, steps: number): Uint8Array =>
  closed.map((left) => Math.max(0, left - steps));

/**
 * Determines which cells count in the training loss. A cell does not count if a neighbour occupies
 * it, if it is closed (cannot live), or if it opened recently.
 *
 * @param closed [N, S, S] number of steps from the start of the rollout until each cell opens; 0
 *   for cells that are not closed
 * @param steps number of steps since the start of the rollout
 * @param open [N, S, S] 0 for cells occupied by neighbours, else 1; absent if there are no
 *   neighbours
 * @returns [N, S, S] 1 for cells that count, else 0
 */
export const seenCells = (closed: Uint8Array, steps: number, open?: Uint8Array): Float32Array =>
  Float32Array.from(closed, (left, cell) =>
    (left === 0 || left <= steps - JUDGED_AFTER) && open?.[cell] !== 0 ? 1 : 0,
  );
