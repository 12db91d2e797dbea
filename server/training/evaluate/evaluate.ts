/** All figures of a checkpoint. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { countParameters, macPerCellStep } from '../../vnca/architecture.ts';
import { GALLERY_KINDS } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Compute } from '../autodiff/compute.ts';
import { type Bounds, bitsPerDim, KEEP_NOTHING, type Keep, measureBounds } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { EvaluationBatch, sigmaOf, workOf } from './evaluation-batch.ts';
import type { Options } from './options.ts';
import {
  type Grown,
  HEALING_STEPS,
  type Heal,
  measureHeal,
  measureRobustness,
  measureStay,
  RADII,
  type Robustness,
  type Stay,
} from './persistence.ts';
import { differences, mean, picturesOf } from './picture.ts';
import { Posteriors } from './posteriors.ts';
import { type Probe, probeCells } from './probe.ts';
import type { Meter } from './progress-meter.ts';
import type { Judged } from './test-images.ts';

/** Figures as they are printed and stand in a card. Nats are an image; errors mean squared, of what is seen, 0…1. */
export interface Figures {
  /** Evidence lower bound, nats; null without an encoder or images. */
  readonly elbo: number | null;
  readonly iwae: { samples: number; nats: number | null; bitsPerDim: number | null };
  /** From each image's posterior mean, against the image. */
  readonly grown: { mse: number | null };
  /** By steps after growing: against the grown picture. */
  readonly stay: Stay;
  /** By share of the cells wounded, by steps after it (0: right after): against the unwounded picture. */
  readonly heal: Heal;
  /** Multiply-adds. */
  readonly macPerCellStep: number;
  /** Of the update net. */
  readonly parameters: number;
  readonly likelihood: (Omit<Bounds, 'elbo' | 'iwae'> & { readonly images: number }) | null;
  readonly probe: (Probe & { readonly of: 'class' | 'kind' }) | null;
  /** By length of the latents in √Z. */
  readonly robustness: Robustness;
  readonly organisms: number;
  readonly seed: number;
  readonly device: string;
  /** What to know when reading the figures. */
  readonly notes: readonly string[];
}

export interface Evaluation {
  readonly figures: Figures;
  /** The organisms that were aged and wounded. */
  readonly grown: Grown;
}

export interface EvaluateOptions
  extends Pick<Options, 'samples' | 'organisms' | 'steps' | 'wounds' | 'seed'> {
  /** Remembers what each image came to. */
  readonly keep?: Keep;
}

/** Organisms whose cells the probe reads, at most. */
const PROBED = 512;
const ROBUST_EACH = 16;
const ROBUST_STEPS = 100;

/**
 * Measures everything that can be.
 *
 * @param judged images to judge by, or why there are none
 */
export async function evaluate(
  compute: Compute,
  model: Model,
  judged: Judged | EvaluationError,
  wanted: EvaluateOptions,
  meter: Meter,
): Promise<Evaluation> {
  const { card } = model;
  const random = (what: string): Random => createRandom(hashText(`${wanted.seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, wanted.seed, (done) => meter.worked(done));
  const notes: string[] = [];
  const cells = card.side ** 2;
  const measure = async <T>(what: string, work: number, run: () => Promise<T>): Promise<T> => {
    meter.begin(what, work);
    const result = await run();
    meter.end();
    return result;
  };

  const images = await judgeImages(compute, model, batch, judged, wanted, measure, random, notes);

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
  const figures: Figures = {
    elbo: images?.bounds.elbo ?? null,
    iwae: {
      samples: wanted.samples,
      nats: images?.bounds.iwae ?? null,
      bitsPerDim: images ? bitsPerDim(card, images.bounds.iwae) : null,
    },
    grown: { mse: images?.mse ?? null },
    stay,
    heal,
    macPerCellStep: macPerCellStep(card),
    parameters: countParameters(card),
    likelihood: images && {
      images: images.count,
      reconstruction: images.bounds.reconstruction,
      divergence: images.bounds.divergence,
      standardError: images.bounds.standardError,
    },
    probe,
    robustness,
    organisms: count,
    seed: wanted.seed,
    device: compute.device,
    notes,
  };
  return { figures: rounded(figures), grown };
}

interface OfImages {
  readonly bounds: Bounds;
  readonly mse: number;
  readonly count: number;
  /** Means of the posterior, [N, Z]. */
  readonly means: Float32Array;
}

/** Likelihood and error of what grows from images; nothing without an encoder or images, and a note says why. */
async function judgeImages(
  compute: Compute,
  model: Model,
  batch: EvaluationBatch,
  judged: Judged | EvaluationError,
  { samples, keep = KEEP_NOTHING }: EvaluateOptions,
  measure: <T>(what: string, work: number, run: () => Promise<T>) => Promise<T>,
  random: (what: string) => Random,
  notes: string[],
): Promise<OfImages | null> {
  const { card } = model;
  let posteriors: Posteriors;
  try {
    posteriors = await Posteriors.create(compute, model);
    if (judged instanceof EvaluationError) throw judged;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    notes.push(`no likelihood: ${error.message}`);
    return null;
  }
  const { pixels, count } = judged;
  notes.push(`likelihood of ${count} of ${judged.of} ${judged.split} images of "${judged.set}"`);
  if (judged.trained) notes.push('the set keeps no images aside: these were trained on');
  if (card.readout.kind === 'rgba-premultiplied') {
    notes.push(
      `nats are of the density of RGBA with noise of σ ${sigmaOf(card)}, constant included`,
    );
  }
  const work = workOf((count - keep.known.length) * samples, batch.growthWork);
  const chance = (image: number): Random => random(`posterior ${image}`);
  const bounds = await measure('likelihood', work, () =>
    measureBounds(batch, posteriors, { pixels, count }, samples, chance, keep),
  );
  const { mean: means } = await posteriors.encode(pixels, count);
  const states = await measure('reconstruction', workOf(count, batch.growthWork), () =>
    batch.grow(means),
  );
  const mse = mean(differences(picturesOf(card, states), pixels, count));
  await posteriors.dispose();
  return { bounds, mse, count, means };
}

/** Evenly chosen latents of the gallery; without a gallery, of the prior. */
function chooseLatents({ card, tensors }: Model, wanted: number, notes: string[]): Float32Array {
  const z = card.latentSize;
  const { data } = tensors.get('gallery.latents')!;
  const all = card.gallery.length;
  if (all === 0) {
    notes.push('the gallery is empty: organisms are of the prior');
    return createRandom(1).latent((wanted || 64) * z);
  }
  const count = wanted === 0 ? all : Math.min(wanted, all);
  if (count < all) notes.push(`staying and healing of ${count} of ${all} organisms of the gallery`);
  const latents = new Float32Array(count * z);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * all) / count);
    latents.set(data.subarray(from * z, (from + 1) * z), i * z);
  }
  return latents;
}

/** The probe for classes of images where they have some, else for kinds of the gallery. */
async function probeKinds(
  { card, tensors }: Model,
  batch: EvaluationBatch,
  means: Float32Array | undefined,
  judged: Judged | EvaluationError,
  random: Random,
): Promise<Figures['probe']> {
  const classes = judged instanceof EvaluationError ? undefined : judged.labels;
  const ofClass = means !== undefined && classes !== undefined;
  const latents = ofClass ? means : tensors.get('gallery.latents')!.data;
  const labels = ofClass ? classes : card.gallery.map(({ kind }) => GALLERY_KINDS.indexOf(kind));
  const count = Math.min(PROBED, labels.length);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * labels.length) / count));
  const z = card.latentSize;
  const some = new Float32Array(count * z);
  chosen.forEach((n, i) => {
    some.set(latents.subarray(n * z, (n + 1) * z), i * z);
  });
  const probe = probeCells(
    {
      states: await batch.grow(some),
      channels: card.channels,
      labels: chosen.map((n) => labels[n]),
    },
    random,
  );
  return probe && { of: ofClass ? 'class' : 'kind', ...probe };
}

/** Five digits of every measured number: more would be noise. Counts stay whole; what is not finite becomes null. */
function rounded<T>(value: T): T {
  if (Number.isInteger(value)) return value;
  if (typeof value === 'number') {
    return (Number.isFinite(value) ? Number(value.toPrecision(5)) : null) as T;
  }
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, rounded(part)])) as T;
}
