/**
 * Replaces gallery latents whose organisms do not come to rest. Each replacement is a similar
 * latent, whose organism looks the same and comes to rest.
 */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { differences, picturesOf, STRICTLY_SAME } from '../evaluate/compare-pictures.ts';
import type { EvaluationBatch } from '../evaluate/evaluation-batch.ts';
import { measureMovements } from '../evaluate/stability.ts';
import { rowsOf } from '../run/run-state.ts';

/** Number of random latents tried per organism in each round. */
const CANDIDATES = 12;
const ROUNDS = 5;
/**
 * Candidates are drawn at random around the best latent found so far. `least` and `most`: smallest
 * and largest root-mean-square distance of a candidate from this latent, as a share of the latent's
 * norm.
 */
const SPREAD = { least: 0.01, most: 0.16 };
/** Maximum change of a cell's colour (0…255) in an organism at rest. */
const AT_REST = 1;
/**
 * The search for a replacement ends early at this mean squared difference (0…1) from the former
 * picture.
 */
const NEAR = 0.0002;

/** @returns why latents in the gallery cannot be replaced, or undefined if they can */
export function settleRefusal({ figures, gallery, update }: Card): string | undefined {
  if (gallery.length === 0) return 'The gallery is empty.';
  if (update.kind === 'decoder') {
    return 'The checkpoint is an autoencoder without cells, so there are no cells that could come to rest.';
  }
  if (update.updateProbability < 1) {
    return "The checkpoint's cells update at random, so they never come to rest.";
  }
  if (Object.keys(figures).length > 0) {
    return "The checkpoint's card already contains measured figures, so the checkpoint may be in use. Use --settle only on a checkpoint that was just trained.";
  }
  return undefined;
}

/**
 * Replaces latents whose organisms do not come to rest. Tries random latents near the best latent
 * found so far. A replacement's organism must come to rest and look the same as before (mean
 * squared difference below 0.002). If no such replacement is found, the latent stays unchanged.
 *
 * @param latents [N, Z], N ≥ 1
 * @returns `latents`: [N, Z], with replacements; `restless`: indices of the organisms that did not
 *   come to rest before; `moved`: the mean squared difference between former and new picture, by
 *   the index of each replaced latent
 */
export async function settleLatents(batch: EvaluationBatch, latents: Float32Array, random: Random) {
  const size = batch.card.latentSize;
  const count = latents.length / size;
  const { pictures, movements } = await grow(batch, latents);
  const restless = [...movements.keys()].filter((n) => movements[n] > AT_REST);
  /** The best latent found so far for each organism that does not come to rest, with its cost. */
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
 * Grows organisms. Returns their pictures, and how much each organism still changes at an age of
 * 200 to 232 steps.
 */
async function grow(batch: EvaluationBatch, latents: Float32Array) {
  const states = await batch.grow(latents);
  const count = latents.length / batch.card.latentSize;
  const movements = await measureMovements(batch, { latents, states, count });
  return { pictures: picturesOf(batch.card, states), movements };
}

/**
 * Returns the cost of a candidate latent. If the latent's organism comes to rest, the cost is its
 * difference from the former picture (0…1). Otherwise, the cost is above 1.
 */
const costOf = (movement: number, difference: number): number =>
  difference + (movement > AT_REST ? 1 + movement / 255 : 0);

function near(latent: Float32Array, random: Random): Float32Array {
  const { least, most } = SPREAD;
  const spread = least * (most / least) ** random.uniform();
  const deviation = (spread * Math.hypot(...latent)) / Math.sqrt(latent.length);
  return latent.map((x) => x + deviation * random.normal());
}
