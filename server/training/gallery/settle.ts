/** Replaces latents whose organisms do not come to rest with similar latents whose organisms do. */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { differences, picturesOf, STRICTLY_SAME } from '../evaluate/compare-pictures.ts';
import type { EvaluationBatch } from '../evaluate/evaluation-batch.ts';
import { measureMovements } from '../evaluate/organisms.ts';
import { rowsOf } from '../run/run-state.ts';

/** Number of new latents per organism and round. */
const CANDIDATES = 12;
const ROUNDS = 5;
/**
 * How far a candidate typically lies from the best latent so far, as a share of that latent's norm.
 * Each candidate draws its own value between these limits.
 */
const SPREAD = { least: 0.01, most: 0.16 };
/**
 * Largest change of a cell's colour, of 255, in an organism at rest. This is stricter than the
 * limit of `measureCycles`.
 */
const AT_REST = 1;
/**
 * The search for a latent ends when the mean squared difference between the new picture and the
 * former picture is below this.
 */
const NEAR = 0.0002;

/**
 * Says why the gallery of a checkpoint cannot be settled.
 *
 * @returns a sentence, or undefined if the gallery can be settled
 */
export function settleRefusal({ figures, gallery, update }: Card): string | undefined {
  if (gallery.length === 0) return 'The gallery is empty.';
  if (update.kind === 'decoder') return 'A decoder has no cells that rest.';
  if (update.updateProbability < 1) return 'Cells that update at random never rest.';
  if (Object.keys(figures).length > 0) {
    return 'The card has figures, so seeds may already refer to its latents. Use --settle only on a checkpoint that was just trained.';
  }
  return undefined;
}

/**
 * Searches at random, around the best latent so far, for latents whose organisms come to rest and
 * look the same as before (mean squared difference below 0.002). Latents of organisms at rest do
 * not change, nor do latents without a suitable replacement.
 *
 * @param latents [N, Z], N ≥ 1
 * @returns the latents [N, Z]; the indices of the organisms that did not come to rest; and for each
 * replaced latent the mean squared difference between the former picture and the new one
 */
export async function settleLatents(batch: EvaluationBatch, latents: Float32Array, random: Random) {
  const size = batch.card.latentSize;
  const count = latents.length / size;
  const { pictures, movements } = await grow(batch, latents);
  const restless = [...movements.keys()].filter((n) => movements[n] > AT_REST);
  /**
   * The best latent of each restless organism so far. A cost above 1 means that the organism does
   * not come to rest.
   */
  const best = new Map(
    restless.map((n) => {
      const latent: Float32Array = latents.slice(n * size, (n + 1) * size);
      return [n, { latent, cost: costOf(movements[n], 0) }];
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const sought = restless.filter((n) => best.get(n)!.cost > NEAR);
    if (sought.length === 0) break;
    const rows = sought.flatMap((n) =>
      Array.from({ length: CANDIDATES }, () => ({ n, latent: near(best.get(n)!.latent, random) })),
    );
    const candidates = new Float32Array(rows.length * size);
    rows.forEach(({ latent }, i) => {
      candidates.set(latent, i * size);
    });
    const grown = await grow(batch, candidates);
    const organisms = rows.map(({ n }) => n);
    const former = rowsOf(pictures, organisms, pictures.length / count);
    const apart = differences(grown.pictures, former, rows.length);
    rows.forEach(({ n, latent }, i) => {
      const cost = costOf(grown.movements[i], apart[i]);
      if (cost < best.get(n)!.cost) best.set(n, { latent, cost });
    });
  }
  const settled = latents.slice();
  const moved = new Map<number, number>();
  for (const [n, { latent, cost }] of best) {
    if (cost >= STRICTLY_SAME) continue;
    settled.set(latent, n * size);
    moved.set(n, cost);
  }
  return { latents: settled, restless, moved };
}

/**
 * Grows organisms and returns their pictures, and how much each organism moves when it should rest.
 */
async function grow(batch: EvaluationBatch, latents: Float32Array) {
  const states = await batch.grow(latents);
  const count = latents.length / batch.card.latentSize;
  const movements = await measureMovements(batch, { latents, states, count });
  return { pictures: picturesOf(batch.card, states), movements };
}

/**
 * Returns the cost of a candidate. Any organism at rest costs less than a moving one. At rest, the
 * cost is the difference from the former picture.
 */
const costOf = (movement: number, difference: number): number =>
  difference + (movement > AT_REST ? 1 + movement / 255 : 0);

/** Draws a latent near another latent, at a random distance. */
function near(latent: Float32Array, random: Random): Float32Array {
  const { least, most } = SPREAD;
  const spread = least * (most / least) ** random.uniform();
  const deviation = (spread * Math.hypot(...latent)) / Math.sqrt(latent.length);
  return latent.map((x) => x + deviation * random.normal());
}
