/**
 * Writes the results of an evaluation to the checkpoint's folder: adds the figures to the
 * checkpoint's card, and draws pictures as PNG files. Start reading at `writePictures`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UMAP } from 'umap-js';
import type { MapPoint } from '../../../shared/latent-map.ts';
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { CARD_FILE, type Model } from '../../vnca/checkpoint.ts';
import { fill, MAP_FILE, pushApart } from '../../vnca/gallery-map.ts';
import { TrainingError } from '../errors.ts';
import {
  Canvas,
  drawSheet,
  enlarged,
  inRows,
  type Tile,
  tilesOfStates,
} from '../pictures/sheet.ts';
import { applyWound, woundOfShare } from '../rollout/wounds.ts';
import { replaceFile } from '../run/large-files.ts';
import { LATENTS, rowsOf, someOf } from '../run/run-state.ts';
import type { Evaluation, Figures } from './evaluate.ts';
import { EvaluationBatch, type Grown } from './evaluation-batch.ts';
import type { Options } from './options.ts';
import { HEALING_STEPS } from './recovery.ts';
import { throwLatents } from './throws.ts';
import { drawWoundChart } from './wound-chart.ts';

/** growth.png shows at most this many steps after growth. */
const GROWTH_PICTURED = 1000;

/**
 * Writes samples.png, growth.png, heal.png, wounds.png, map.png and map.json. map.json contains `{
 * name, kind, x, y }` for each gallery entry, with x and y in 0…1. For a decoder without cells,
 * growth.png, heal.png and wounds.png are omitted. For a gallery of fewer than five entries,
 * map.png and map.json are omitted.
 */
export async function writePictures(
  compute: Compute,
  model: Model,
  { grown, figures }: Evaluation,
  { folder, steps, seed }: Pick<Options, 'folder' | 'steps' | 'seed'>,
): Promise<void> {
  const { card } = model;
  const random = (what: string) => createRandom(hashText(`${seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, seed);
  const write = (name: string, content: Buffer | string): Promise<void> =>
    writeFile(join(folder, name), content);
  const sampled = await batch.grow(throwLatents(model, 64, random('samples')));
  await write('samples.png', await drawSheet(inRows(tilesOfStates(card, sampled, card.side), 8)));
  if (grown.count > 0) {
    const pictured = steps.filter((at) => at <= GROWTH_PICTURED);
    await write('growth.png', await drawGrowth(batch, grown, pictured));
    await write('heal.png', await drawHealing(batch, grown, random('pictured wounds')));
    await write('wounds.png', await drawWoundChart(figures, card.closing ?? 1));
  }
  const latents = model.tensors.get(LATENTS)!.data;
  const places = mapLatents(latents, card.gallery.length, random('map'));
  if (places) {
    const tiles = tilesOfStates(card, await batch.grow(latents), card.side);
    // A palette of 256 colours makes the file smaller, without a visible difference.
    const { default: sharp } = await import('sharp');
    await write('map.png', await sharp(drawMap(tiles, places)).png({ palette: true }).toBuffer());
    const lines = card.gallery.map(({ name, kind }, i) => {
      const [x, y] = [places[i].x, places[i].y].map((at) => Number(at.toFixed(4)));
      return `  ${JSON.stringify({ name, kind, x, y })}`;
    });
    await write(MAP_FILE, `[\n${lines.join(',\n')}\n]\n`);
  }
  await batch.dispose();
}

/**
 * Replaces the figures in a checkpoint's card.
 *
 * @param model the model that was measured
 * @throws TrainingError 'other-weights' if the checkpoint's weights have been replaced since the
 *   figures were measured
 */
export async function writeFigures(folder: string, model: Model, figures: Figures): Promise<void> {
  const file = join(folder, CARD_FILE);
  const card = JSON.parse(await readFile(file, 'utf8'));
  if (card.identity !== model.card.identity) {
    const what =
      'the weights were replaced during the measurement. Start "npm run evaluate" again.';
    throw new TrainingError('other-weights', `${file}: ${what}`);
  }
  const text = JSON.stringify({ ...card, figures }, null, 2);
  // Write each gallery entry on one line, as in the published cards.
  const compact = text.replace(
    /\{\s+"name": ("(?:[^"\\]|\\.)*"),\s+"kind": ("[a-z]+")\s+\}/g,
    '{"name": $1, "kind": $2}',
  );
  await replaceFile(file, [`${compact}\n`]);
}

/** growth.png and heal.png have at most this many rows. */
const ROWS = 8;

/** Chooses organisms for a sheet, spread evenly over all organisms. */
function pick({ latents, states, count }: Grown): Grown {
  const chosen = someOf(count, ROWS);
  return {
    latents: rowsOf(latents, chosen, latents.length / count),
    states: rowsOf(states, chosen, states.length / count),
    count: chosen.length,
  };
}

/**
 * Steps organisms further. After each number of steps in `marks`, appends each organism's picture
 * to its row.
 */
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

/**
 * Draws growth.png. Each row shows one organism during and after growth.
 *
 * @param after numbers of steps after growth to show, ascending
 * @returns a PNG file
 */
async function drawGrowth(
  batch: EvaluationBatch,
  grown: Grown,
  after: readonly number[],
): Promise<Buffer> {
  const { card } = batch;
  const some = pick(grown);
  const rows: Tile[][] = Array.from({ length: some.count }, () => []);
  const columns: string[] = [];
  for (const { stage, step, states } of await batch.stages(some.latents)) {
    columns.push(`${step}`);
    tilesOfStates(card, states, stage).forEach((tile, i) => {
      rows[i].push(enlarged(tile, card.side));
    });
  }
  await addTiles(rows, batch, some, after);
  return drawSheet(rows, { columns: [...columns, ...after.map((at) => `+${at}`)] });
}

/**
 * Draws heal.png. Each row shows one organism before a wound, immediately after the wound, and
 * while it heals. Odd rows have a wound of half the patch, even rows a disc of a quarter of the
 * patch.
 */
async function drawHealing(batch: EvaluationBatch, grown: Grown, random: Random): Promise<Buffer> {
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
  return drawSheet(rows, { columns });
}

/** Number of nearest neighbours of a latent that UMAP considers. */
const NEIGHBOURS = 12;
const FEWEST = 5;

/**
 * Maps latents to positions in a plane with UMAP. Similar latents get nearby positions. The
 * positions span 0…1 along the longer side of the map.
 *
 * @param latents [N, Z]
 * @param count number of latents, N
 * @returns N positions, or null if N is below five
 */
export function mapLatents(
  latents: Float32Array,
  count: number,
  random: Random,
): readonly MapPoint[] | null {
  if (count < FEWEST) return null;
  const z = latents.length / count;
  const rows = Array.from({ length: count }, (_, n) => [...latents.subarray(n * z, (n + 1) * z)]);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(NEIGHBOURS, count - 1),
    minDist: 0.3,
    random: () => random.uniform(),
  });
  return fill(umap.fit(rows).map(([x, y]) => ({ x, y })));
}

/** Number of iterations for moving overlapping thumbnails apart. */
const ROUNDS = 200;

/**
 * Draws map.png: thumbnails of organisms at their positions on the map.
 *
 * @param side longer side of the picture, in pixels
 * @returns a PNG file
 */
export function drawMap(tiles: readonly Tile[], places: readonly MapPoint[], side = 1600): Buffer {
  const thumb = tiles[0].side;
  const moved = pushApart(places, { distance: (0.9 * thumb) / side, rounds: ROUNDS });
  const margin = 2 * thumb;
  const scale = side - 2 * margin - thumb;
  const corners = fill(moved).map(({ x, y }) =>
    [x, y].map((of) => margin + Math.round(of * scale)),
  );
  const [width, height] = [0, 1].map((axis) => Math.max(...corners.map((at) => at[axis])));
  const canvas = new Canvas(width + margin + thumb, height + margin + thumb);
  tiles.forEach((tile, i) => {
    canvas.draw(tile, corners[i][0], corners[i][1]);
  });
  return canvas.encode();
}
