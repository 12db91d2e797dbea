/** Draws the sheet of pictures that shows the progress of a training run. */
import { createRandom } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import type { TrainingConfig } from '../config.ts';
import { gatherImages } from '../data/dataset.ts';
import { EvaluationBatch } from '../evaluate/evaluation-batch.ts';
import { openPosteriors } from '../model/networks.ts';
import { drawSheet, enlarged, type Tile, tileOfImage, tilesOfStates } from '../pictures/sheet.ts';
import { applyWound, woundMask } from '../rollout/wounds.ts';
import { type TrainedRule, trainedModel } from './export.ts';
import { someOf } from './run-state.ts';

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
  const resized = { ...model, card: { ...model.card, side } };
  const batch = new EvaluationBatch(compute, resized, config.seed);
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
  // Skip steps for which the rule was not trained, because the pictures would be meaningless.
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
