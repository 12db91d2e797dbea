/** The pictures of an evaluation: samples, growth, healing, crossings. */
import type { Random } from '../../../shared/random.ts';
import { drawSheet, inRows } from '../pictures/sheet.ts';
import { type Tile, tilesOfStates } from '../pictures/tile.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch } from './evaluation-batch.ts';
import { type Grown, HEALING_STEPS } from './persistence.ts';

const ROWS = 8;

/** Evenly chosen organisms, one a row. */
export function chooseRows({ count }: Pick<Grown, 'count'>, rows = ROWS): number[] {
  const chosen = Math.min(rows, count);
  return Array.from({ length: chosen }, (_, i) => Math.floor((i * count) / chosen));
}

/** Latents and states of some organisms. */
function pick(grown: Grown, chosen: readonly number[]): Grown {
  const rows = (numbers: Float32Array): Float32Array => {
    const size = numbers.length / grown.count;
    const result = new Float32Array(chosen.length * size);
    chosen.forEach((n, i) => {
      result.set(numbers.subarray(n * size, (n + 1) * size), i * size);
    });
    return result;
  };
  return { latents: rows(grown.latents), states: rows(grown.states), count: chosen.length };
}

/** 64 organisms of the prior, grown. */
export async function drawSamples(batch: EvaluationBatch, random: Random): Promise<Buffer> {
  const { latentSize, side } = batch.card;
  const states = await batch.grow(random.latent(64 * latentSize));
  return drawSheet(inRows(tilesOfStates(batch.card, states, side), 8), { scale: 3 });
}

/**
 * Rows of organisms, from the seed through the stages of growth, and after more steps.
 *
 * @param after steps after growing, ascending
 */
export async function drawGrowth(
  batch: EvaluationBatch,
  grown: Grown,
  after: readonly number[],
): Promise<Buffer> {
  const { card } = batch;
  const some = pick(grown, chooseRows(grown));
  const rows: Tile[][] = Array.from({ length: some.count }, () => []);
  const labels: string[] = [];
  const stages = await batch.stages(some.latents);
  for (const { stage, step, states } of stages) {
    labels.push(`${step}`);
    tilesOfStates(card, states, stage).forEach((tile, i) => {
      rows[i].push(enlarged(tile, card.side));
    });
  }
  await batch.follow(some.latents, some.states, after, (at, states, first) => {
    if (first === 0) labels.push(`+${at}`);
    tilesOfStates(card, states, card.side).forEach((tile, i) => {
      rows[first + i].push(tile);
    });
  });
  return drawSheet(rows, { scale: 3, columns: labels });
}

/** Rows of organisms: whole, wounded, and on the way back; half of them lose a half, the others a disc of a quarter. */
export async function drawHealing(
  batch: EvaluationBatch,
  grown: Grown,
  random: Random,
): Promise<Buffer> {
  const { card } = batch;
  const some = pick(grown, chooseRows(grown));
  const rows = tilesOfStates(card, some.states, card.side).map((tile) => [tile]);
  const wounded = some.states.slice();
  for (let n = 0; n < some.count; n++) {
    const own = wounded.subarray(n * batch.patchSize, (n + 1) * batch.patchSize);
    const wound =
      n % 2 === 0
        ? woundOfShare(random, card.side, 0.5, ['half'])
        : woundOfShare(random, card.side, 0.25, ['disc']);
    applyWound(own, wound, card.channels);
  }
  await batch.follow(some.latents, wounded, HEALING_STEPS, (_, states, first) => {
    tilesOfStates(card, states, card.side).forEach((tile, i) => {
      rows[first + i].push(tile);
    });
  });
  const columns = ['before', ...HEALING_STEPS.map((at) => (at === 0 ? 'wounded' : `+${at}`))];
  return drawSheet(rows, { scale: 3, columns });
}

/** Latents between two in this many pictures, ends included (as published). */
const POINTS = 8;

/** Rows of organisms on the straight line between two latents. */
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

/** A young patch as large as a grown one. */
function enlarged(tile: Tile, side: number): Tile {
  const factor = side / tile.side;
  const rgba = new Uint8ClampedArray(4 * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 4 * (Math.floor(y / factor) * tile.side + Math.floor(x / factor));
      rgba.set(tile.rgba.subarray(from, from + 4), 4 * (y * side + x));
    }
  }
  return { side, rgba };
}
