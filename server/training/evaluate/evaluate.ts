/** Measures all figures of a checkpoint. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { countParameters, macPerCellStep } from '../../vnca/architecture.ts';
import { GALLERY_KINDS } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { evenly, rowsOf } from '../parameter-vector.ts';
import { bitsPerDim, KEEP_NOTHING, type Keep, measureBounds } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { EvaluationBatch, sigmaOf, workOf } from './evaluation-batch.ts';
import type { Options } from './options.ts';
import {
  type Grown,
  HEALING_STEPS,
  measureHeal,
  measureRobustness,
  measureStay,
  RADII,
} from './persistence.ts';
import { differences, mean, picturesOf } from './picture.ts';
import { openPosteriors, type Posteriors } from './posteriors.ts';
import { probeCells } from './probe.ts';
import type { Meter } from './progress-meter.ts';
import type { Judged } from './test-images.ts';

/** Options of `evaluate`. */
export interface EvaluateOptions
  extends Pick<Options, 'samples' | 'organisms' | 'steps' | 'wounds' | 'seed'> {
  /** Stores the bounds of each image. */
  readonly keep?: Keep;
}

/** Most organisms whose cells the probe reads. */
const PROBED = 512;
const ROBUST_EACH = 16;
const ROBUST_STEPS = 100;

/** Result of `evaluate`. */
export type Evaluation = Awaited<ReturnType<typeof evaluate>>;
/** See `evaluate`. */
export type Figures = Evaluation['figures'];

/**
 * Measures everything that the checkpoint and the images allow.
 *
 * @param judged images to evaluate on, or the reason why there are none
 * @returns figures as printed and as stored in a card, where nats are per image and errors are mean
 *   squared, of the visible picture, 0…1; and the organisms that were aged and damaged
 */
export async function evaluate(
  compute: Compute,
  model: Model,
  judged: Judged | EvaluationError,
  wanted: EvaluateOptions,
  meter: Meter,
) {
  const { card } = model;
  const random = (what: string): Random => createRandom(hashText(`${wanted.seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, wanted.seed, meter.worked);
  const notes: string[] = [];
  const cells = card.side ** 2;
  const measure = async <T>(what: string, work: number, run: () => Promise<T>): Promise<T> => {
    meter.begin(what, work);
    const result = await run();
    meter.end();
    return result;
  };

  const tools = { compute, batch, measure, random, notes };
  const images = await measureImages(model, judged, wanted, tools);

  const latents = chooseLatents(model, wanted.organisms, notes);
  const count = latents.length / card.latentSize;
  const states = await measure('growing', workOf(count, batch.growthWork), () =>
    batch.grow(latents),
  );
  const grown: Grown = { latents, states, count };
  const last = wanted.steps[wanted.steps.length - 1];
  const stay = await measure('staying', workOf(count, cells * last), () =>
    measureStay(batch, grown, wanted.steps),
  );
  const healing = wanted.wounds.length * HEALING_STEPS[HEALING_STEPS.length - 1];
  const heal = await measure('healing', workOf(count, cells * healing), () =>
    measureHeal(batch, grown, wanted.wounds, random('wounds')),
  );
  const far = workOf(ROBUST_EACH, RADII.length * (batch.growthWork + cells * ROBUST_STEPS));
  const robustness = await measure('far latents', far, () =>
    measureRobustness(batch, random('far'), ROBUST_EACH, ROBUST_STEPS),
  );
  const probe = await measure('probing cells', workOf(PROBED, batch.growthWork), () =>
    probeKinds(model, batch, images?.means, judged, random('probe')),
  );
  await batch.dispose();
  const figures = {
    /** Evidence lower bound; null without an encoder or images. */
    elbo: images?.bounds.elbo ?? null,
    iwae: {
      samples: wanted.samples,
      nats: images?.bounds.iwae ?? null,
      bitsPerDim: images ? bitsPerDim(card, images.bounds.iwae) : null,
    },
    /** Organisms grown from posterior means, against the images. */
    grown: { mse: images?.mse ?? null },
    /** By steps after growth: against the grown picture. */
    stay,
    /** By share of damaged cells, by steps after the damage: against the picture before. */
    heal,
    /** Multiply-adds. */
    macPerCellStep: macPerCellStep(card),
    /** Parameters of the update net. */
    parameters: countParameters(card),
    likelihood: images && {
      images: images.count,
      reconstruction: images.bounds.reconstruction,
      divergence: images.bounds.divergence,
      standardError: images.bounds.standardError,
    },
    probe,
    /** By norm of the latents, in √Z. */
    robustness,
    organisms: count,
    seed: wanted.seed,
    device: compute.device,
    /** Remarks for the reader of the figures. */
    notes,
  };
  return { figures: rounded(figures), grown };
}

/** What the measurements of one evaluation share. */
interface Tools {
  readonly compute: Compute;
  readonly batch: EvaluationBatch;
  /** Reports the progress of a measurement of so much work. */
  readonly measure: <T>(what: string, work: number, run: () => Promise<T>) => Promise<T>;
  readonly random: (what: string) => Random;
  readonly notes: string[];
}

/**
 * Measures likelihood and reconstruction error, with the posterior means, [N, Z]; null without an
 * encoder or images, with a note that says why.
 */
async function measureImages(
  model: Model,
  judged: Judged | EvaluationError,
  { samples, keep = KEEP_NOTHING }: EvaluateOptions,
  { compute, batch, measure, random, notes }: Tools,
) {
  const { card } = model;
  let posteriors: Posteriors;
  try {
    posteriors = await openPosteriors(compute, model);
    if (judged instanceof EvaluationError) throw judged;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    notes.push(`no likelihood: ${error.message}`);
    return null;
  }
  const { pixels, count } = judged;
  notes.push(`likelihood of ${count} of ${judged.of} ${judged.split} images of "${judged.set}"`);
  if (judged.trained)
    notes.push('the set has no images kept apart from training: these were trained on');
  if (card.readout.kind === 'rgba-premultiplied') {
    notes.push(
      `nats are of the density of RGBA with noise of σ ${sigmaOf(card)}, constant included`,
    );
  }
  const work = workOf((count - keep.known.length) * samples, batch.growthWork);
  const options = { samples, keep, random: (image: number) => random(`posterior ${image}`) };
  const bounds = await measure('likelihood', work, () =>
    measureBounds(batch, posteriors, { pixels, count }, options),
  );
  const { mean: means } = await posteriors.encode(pixels, count);
  const states = await measure('reconstruction', workOf(count, batch.growthWork), () =>
    batch.grow(means),
  );
  const mse = mean(differences(picturesOf(card, states), pixels, count));
  await posteriors.dispose();
  return { bounds, mse, count, means };
}

/** Evenly chosen latents of the gallery; without a gallery, samples of the prior. */
function chooseLatents({ card, tensors }: Model, wanted: number, notes: string[]): Float32Array {
  const z = card.latentSize;
  const { data } = tensors.get('gallery.latents')!;
  const all = card.gallery.length;
  if (all === 0) {
    notes.push('the gallery is empty: organisms are samples of the prior');
    return createRandom(1).latent((wanted || 64) * z);
  }
  const count = wanted === 0 ? all : Math.min(wanted, all);
  if (count < all) notes.push(`staying and healing of ${count} of ${all} organisms of the gallery`);
  return rowsOf(data, evenly(all, count), z);
}

/**
 * Probes cells for the classes of the images if they have classes, else for the kinds of the
 * gallery.
 */
async function probeKinds(
  { card, tensors }: Model,
  batch: EvaluationBatch,
  means: Float32Array | undefined,
  judged: Judged | EvaluationError,
  random: Random,
) {
  const classes = judged instanceof EvaluationError ? undefined : judged.labels;
  const ofClass = means !== undefined && classes !== undefined;
  const latents = ofClass ? means : tensors.get('gallery.latents')!.data;
  const labels = ofClass ? classes : card.gallery.map(({ kind }) => GALLERY_KINDS.indexOf(kind));
  const chosen = evenly(labels.length, Math.min(PROBED, labels.length));
  const states = await batch.grow(rowsOf(latents, chosen, card.latentSize));
  const cells = { states, channels: card.channels, labels: chosen.map((n) => labels[n]) };
  const probe = probeCells(cells, random);
  const of = ofClass ? ('class' as const) : ('kind' as const);
  return probe && { of, ...probe };
}

/**
 * Rounds measured numbers to five digits, because more would be noise. Non-finite ones become null.
 */
function rounded<T>(value: T): T {
  if (Number.isInteger(value)) return value;
  if (typeof value === 'number') {
    return (Number.isFinite(value) ? Number(value.toPrecision(5)) : null) as T;
  }
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, rounded(part)])) as T;
}
