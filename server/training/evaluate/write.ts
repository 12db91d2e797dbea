/**
 * Writes the results of an evaluation to the checkpoint's folder: adds the figures to the card, and
 * draws pictures as PNG files. Also draws the pictures that show the progress of a training run.
 * Start reading at `writePictures`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UMAP } from 'umap-js';
import type { MapPoint } from '../../../shared/latent-map.ts';
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { CARD_FILE, type Model } from '../../vnca/checkpoint.ts';
import { fill, MAP_FILE, pushApart } from '../../vnca/gallery-map.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import type { TrainingConfig } from '../config.ts';
import { gatherImages } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { openPosteriors } from '../model/networks.ts';
import {
  Canvas,
  drawSheet,
  enlarged,
  inRows,
  SHEET_COLOURS,
  type Tile,
  tileOfImage,
  tilesOfStates,
} from '../pictures/sheet.ts';
import { applyWound, woundMask, woundOfShare } from '../rollout/wounds.ts';
import { type TrainedRule, trainedModel } from '../run/export.ts';
import { replaceFile } from '../run/large-files.ts';
import { LATENTS, rowsOf, someOf } from '../run/run-state.ts';
import type { Evaluation, Figures } from './evaluate.ts';
import { EvaluationBatch, type Grown } from './evaluation-batch.ts';
import { throwLatents } from './images.ts';
import type { Options } from './options.ts';
import { HEALING_STEPS, type Recovery } from './organisms.ts';

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
    // 256 colours reduce the file to a third and make no visible difference.
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
    const what = 'the weights were replaced while they were measured; run evaluate again';
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

/** Maximum number of pictures per row of a progress sheet. */
const COLUMNS = 12;
/**
 * Numbers of steps shown on a progress sheet: after growth (`STAYED`) and after a wound (`HEALED`).
 */
const STAYED = [16, 64, 128, 256] as const;
const HEALED = [4, 8, 16, 32, 64] as const;

/**
 * Draws the sheet of pictures that shows the progress of a training run. Its rows show training
 * images, organisms grown from these images, organisms grown from random latents, and one growing
 * organism.
 *
 * If the rule is trained for steps after growth, the sheet also shows the grown organisms 256 steps
 * later, later steps of the growing organism, and an organism that is wounded and heals.
 *
 * @param side current side of grown patches, in cells
 * @returns a PNG file
 */
export async function drawProgressSheet(
  compute: Compute,
  rule: TrainedRule,
  side: number,
): Promise<Buffer> {
  const { config, data } = rule;
  const { train } = data.splits;
  // The sheet does not show the gallery, so one entry is enough.
  const model = await trainedModel(compute, { ...rule, config: { ...config, gallery: 1 } });
  const images = Uint32Array.from(someOf(train.length, COLUMNS), (at) => train[at]);
  const posteriors = await openPosteriors(compute, model);
  const { mean: latents } = await posteriors.encode(gatherImages(data, images), images.length);
  await posteriors.dispose();
  const shown = Array.from(images, (i) => tileOfImage(data.pixels, data.side, data.channels, i));
  const batch = new EvaluationBatch(
    compute,
    { ...model, card: { ...model.card, side } },
    config.seed,
  );
  try {
    const rows = [shown, ...(await growRows(batch, latents, config))];
    return drawSheet(rows.map((row) => row.slice(0, COLUMNS)));
  } finally {
    await batch.dispose();
  }
}

/** Draws the rows of a progress sheet that follow the row of training images. */
async function growRows(
  batch: EvaluationBatch,
  latents: Float32Array,
  config: TrainingConfig,
): Promise<Tile[][]> {
  const { card } = batch;
  const { closing, extraSteps, pool } = config;
  const random = createRandom(config.seed);
  const tiles = (states: Float32Array, of = card.side): Tile[] =>
    tilesOfStates(card, states, of).map((tile) => enlarged(tile, config.side));
  const one = latents.subarray(0, card.latentSize);
  const states = await batch.grow(latents);
  const grown = tiles(states);
  const samples = tiles(await batch.grow(random.latent(COLUMNS * card.latentSize)));
  const strip = (await batch.stages(one)).flatMap((at) => tiles(at.states, at.stage));
  // Skip steps for which the rule was not trained. Their pictures are meaningless, and take minutes
  // with a large rule.
  const lastExtra = ('to' in extraSteps ? extraSteps.to : extraSteps)[1];
  if (!pool && lastExtra === 0) return [grown, samples, strip];
  const later: Tile[] = [];
  await batch.follow({ latents, states }, STAYED, (mark, now, from) => {
    const found = tiles(now);
    if (from === 0) strip.push(found[0]);
    if (mark < STAYED[STAYED.length - 1]) return;
    for (const [i, tile] of found.entries()) later[from + i] = tile;
  });
  const healing = [grown[0]];
  const wounded = states.slice(0, batch.patchSize);
  const lives = woundMask(random, card.side, 'half', 0.5);
  applyWound(wounded, lives, card.channels);
  const isClosed = lives.map((is) => 1 - is);
  const closed = closing && stepsUntilOpen({ isClosed, lives, width: card.side, reach: closing });
  await batch.follow(
    { latents: one, states: wounded, ...(closed && { closed }) },
    [0, ...HEALED],
    (_, now) => {
      healing.push(...tiles(now));
    },
  );
  return [grown, later, samples, strip, healing];
}

/** Layout of wounds.png, in pixels: a panel's plot area (`FIELD`), and the margins. */
const FIELD = { width: 420, height: 280 };
const LEFT = 64;
const TOP = 72;
const BETWEEN = 48;
const BOTTOM = 96;
const RIGHT = 32;
/**
 * RGB colours of the curves for small, medium and large wounds. Colours in between are
 * interpolated.
 */
const SCALE = [
  [104, 190, 214],
  [236, 208, 116],
  [238, 98, 84],
];
const FONT = 13;

const colour = (rgb: readonly number[]): string => `rgb(${rgb.map(Math.round)})`;
const INK = colour(SHEET_COLOURS.ink);
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/**
 * Draws wounds.png, a chart of the share of healed organisms by the number of steps after a wound.
 * A healed organism's mean squared difference from its picture before the wound is below 0.002
 * (solid curves) or 0.01 (dashed curves). In the left panel, wounded cells may live again
 * immediately. In the right panel, wounds close from their rim.
 *
 * @param closing speed at which wounds close from their rim, in cells per step
 * @returns a PNG file
 */
async function drawWoundChart(
  { heal, healFromRim, organisms }: Figures,
  closing: number,
): Promise<Buffer> {
  const sizes = Object.keys(heal).sort((a, b) => Number(a) - Number(b));
  const scale = sizes.map((_, i) => {
    const at = sizes.length > 1 ? (2 * i) / (sizes.length - 1) : 0;
    const [from, to] = at < 1 ? SCALE : SCALE.slice(1);
    return colour(from.map((x, c) => x + (at % 1 || Math.floor(at / 2)) * (to[c] - x)));
  });
  const curves = sizes.flatMap((size) => [heal[size], healFromRim[size]]);
  const last = Math.max(...curves.flatMap((curve) => Object.keys(curve).map(Number)));
  const panel = (left: number, title: string, by: Readonly<Record<string, Recovery>>): string => {
    const at = (steps: number, share: number): readonly [x: number, y: number] => [
      left + (steps / last) * FIELD.width,
      TOP + (1 - share) * FIELD.height,
    ];
    const line = (curve: Recovery, key: 'share' | 'strict', stroke: string): string => {
      const points = Object.entries(curve)
        .map(([steps, found]) => ({ steps: Number(steps), share: found[key] }))
        .sort((a, b) => a.steps - b.steps)
        .map(({ steps, share }) =>
          at(steps, share)
            .map((x) => x.toFixed(1))
            .join(),
        );
      const dash = key === 'share' ? ' stroke-dasharray="3 4"' : '';
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${stroke}" stroke-width="2"${dash}/>`;
    };
    const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
      const [x, y] = at(0, share);
      return `<path d="M${x} ${y}h${FIELD.width}" stroke="${INK}" stroke-opacity="0.25"/>
        <text x="${x - 8}" y="${y + 4}" text-anchor="end">${percent(share)}</text>`;
    });
    // Label only multiples of 8, because the labels 0, 4 and 8 would touch.
    const marks = HEALING_STEPS.filter((steps) => steps % 8 === 0).map((steps) => {
      const [x, y] = at(steps, 0);
      return `<text x="${x}" y="${y + 20}" text-anchor="middle">${steps}</text>`;
    });
    const [middle, under] = at(last / 2, 0);
    return `<rect x="${left}" y="${TOP}" width="${FIELD.width}" height="${FIELD.height}" fill="${colour(SHEET_COLOURS.field)}"/>
      <text x="${left}" y="${TOP - 16}" font-size="${FONT + 2}" fill="#fff">${title}</text>
      ${grid.join('')}${marks.join('')}
      <text x="${middle}" y="${under + 40}" text-anchor="middle">steps after the wound</text>
      ${sizes.map((size, i) => line(by[size], 'share', scale[i]) + line(by[size], 'strict', scale[i])).join('')}`;
  };
  const width = LEFT + 2 * FIELD.width + BETWEEN + LEFT + RIGHT;
  const height = TOP + FIELD.height + BOTTOM;
  const legend = sizes.map((size, i) => {
    const x = LEFT + i * 96;
    return `<rect x="${x}" y="${height - 30}" width="16" height="4" fill="${scale[i]}"/>
      <text x="${x + 22}" y="${height - 24}">${percent(Number(size))}</text>`;
  });
  const rim = `from the rim, ${closing} ${closing === 1 ? 'cell' : 'cells'} a step`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${FONT}" fill="${INK}">
    <rect width="100%" height="100%" fill="${colour(SHEET_COLOURS.ground)}"/>
    <text x="${LEFT}" y="24" fill="#fff" font-size="${FONT + 3}">Share of ${organisms} organisms that look as before the wound, by the share of the patch that is lost</text>
    ${panel(LEFT, 'all lost cells may live again immediately', heal)}
    ${panel(LEFT + FIELD.width + BETWEEN + LEFT - 16, rim, healFromRim)}
    ${legend.join('')}
    <text x="${width - RIGHT}" y="${height - 24}" text-anchor="end">full: error below 0.002; dashed: below 0.01</text>
  </svg>`;
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer();
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
