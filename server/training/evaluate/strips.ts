/** The picture sheets of an evaluation: samples, growth, healing, interpolation. */
import type { Random } from '../../../shared/random.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { drawSheet, enlarged, inRows, type Tile, tilesOfStates } from '../pictures/sheet.ts';
import { evenly, rowsOf } from '../run-state.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch } from './evaluation-batch.ts';
import { type Grown, HEALING_STEPS } from './persistence.ts';
import { throwLatents } from './throws.ts';

const ROWS = 8;

/** Latents and states of evenly chosen organisms, one per row. */
function pick({ latents, states, count }: Grown): Grown {
  const chosen = evenly(count, Math.min(ROWS, count));
  return {
    latents: rowsOf(latents, chosen, latents.length / count),
    states: rowsOf(states, chosen, states.length / count),
    count: chosen.length,
  };
}

/** Runs organisms on, and adds a tile to the row of each at each mark. */
const addTiles = (
  rows: readonly Tile[][],
  batch: EvaluationBatch,
  { latents, states }: Grown,
  marks: readonly number[],
): Promise<void> =>
  batch.follow({ latents, states }, marks, (_, now, first) => {
    tilesOfStates(batch.card, now, batch.card.side).forEach((tile, i) => {
      rows[first + i].push(tile);
    });
  });

/** Draws 64 grown throws, as the card's sampler draws them. @returns a PNG file */
export async function drawSamples(
  batch: EvaluationBatch,
  model: Model,
  random: Random,
): Promise<Buffer> {
  const states = await batch.grow(throwLatents(model, 64, random));
  return drawSheet(inRows(tilesOfStates(batch.card, states, batch.card.side), 8), { scale: 3 });
}

/**
 * Draws rows of organisms from the seed through the stages of growth, and after more steps.
 *
 * @param after steps after growth, ascending
 * @returns a PNG file
 */
export async function drawGrowth(
  batch: EvaluationBatch,
  grown: Grown,
  after: readonly number[],
): Promise<Buffer> {
  const { card } = batch;
  const some = pick(grown);
  const rows: Tile[][] = Array.from({ length: some.count }, () => []);
  const labels: string[] = [];
  const stages = await batch.stages(some.latents);
  for (const { stage, step, states } of stages) {
    labels.push(`${step}`);
    tilesOfStates(card, states, stage).forEach((tile, i) => {
      rows[i].push(enlarged(tile, card.side));
    });
  }
  await addTiles(rows, batch, some, after);
  return drawSheet(rows, { scale: 3, columns: [...labels, ...after.map((at) => `+${at}`)] });
}

/**
 * Draws rows of organisms: grown, damaged, healing. Half of them lose a half, the others a disc of
 * a quarter.
 */
export async function drawHealing(
  batch: EvaluationBatch,
  grown: Grown,
  random: Random,
): Promise<Buffer> {
  const { card } = batch;
  const some = pick(grown);
  const rows = tilesOfStates(card, some.states, card.side).map((tile) => [tile]);
  const wounded = some.states.slice();
  for (let n = 0; n < some.count; n++) {
    const own = wounded.subarray(n * batch.patchSize, (n + 1) * batch.patchSize);
    const [share, kind] = n % 2 === 0 ? ([0.5, 'half'] as const) : ([0.25, 'disc'] as const);
    applyWound(own, woundOfShare(random, card.side, share, [kind]), card.channels);
  }
  await addTiles(rows, batch, { ...some, states: wounded }, HEALING_STEPS);
  const columns = ['before', ...HEALING_STEPS.map((at) => (at === 0 ? 'wounded' : `+${at}`))];
  return drawSheet(rows, { scale: 3, columns });
}

/** Pictures from one latent to the other, ends included (as published). */
const POINTS = 8;

/** Draws rows of organisms on the straight line between two latents. */
export async function drawInterpolation(
  batch: EvaluationBatch,
  grown: Grown,
  random: Random,
): Promise<Buffer> {
  const { latentSize, side } = batch.card;
  const rows = Math.min(ROWS, Math.floor(grown.count / 2));
  const order = Array.from({ length: grown.count }, (_, n) => ({ n, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ n }) => n);
  const latents = new Float32Array(rows * POINTS * latentSize);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [order[2 * row], order[2 * row + 1]].map((n) =>
      grown.latents.subarray(n * latentSize, (n + 1) * latentSize),
    );
    for (let i = 0; i < POINTS; i++) {
      const t = i / (POINTS - 1);
      const at = (row * POINTS + i) * latentSize;
      for (let k = 0; k < latentSize; k++) latents[at + k] = (1 - t) * from[k] + t * to[k];
    }
  }
  const states = await batch.grow(latents);
  return drawSheet(inRows(tilesOfStates(batch.card, states, side), POINTS), { scale: 3 });
}
