/**
 * Measures all figures of a checkpoint. Command lines and files are handled by `main.ts` and
 * `write.ts`. Start reading at `evaluate`.
 */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Engine } from '../../engine/engine.ts';
import { countParameters, macPerCellStep } from '../../vnca/architecture.ts';
import { GALLERY_KINDS } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { TrainingError } from '../errors.ts';
import { rowsOf, someOf } from '../run/run-state.ts';
import type { Meter } from '../terminal.ts';
import { bitsPerDim } from './bounds.ts';
import { probeCells } from './cell-probe.ts';
import { CHIMERA_STEPS, measureChimeras } from './chimeras.ts';
import { EvaluationBatch, type Tools, workOf } from './evaluation-batch.ts';
import { HELD_AFTER, measureImages, measureThrows, throwLatents } from './images.ts';
import type { Options } from './options.ts';
import { measureOrganisms, NO_ORGANISMS } from './organisms.ts';
import type { TestImages } from './test-images.ts';

/** Maximum number of organisms whose cells the probe reads. */
const PROBED = 512;

/** Result of `evaluate`. */
export type Evaluation = Awaited<ReturnType<typeof evaluate>>;
/** Figures of an evaluation, as printed and as stored in the checkpoint's card. */
export type Figures = Evaluation['figures'];

/**
 * Measures everything that the checkpoint and the images allow.
 *
 * @param judged images to evaluate on, or the reason why there are none
 * @param wanted.chimeras if absent, chimeras are not measured
 * @returns `figures`, as printed and as stored in the checkpoint's card: nats are per image, errors
 * are mean squared errors of the visible picture, 0…1; and `grown`, the organisms that were aged
 * and damaged
 */
export async function evaluate(
  compute: Compute,
  model: Model,
  judged: TestImages | TrainingError,
  wanted: Pick<Options, 'samples' | 'organisms' | 'steps' | 'throws' | 'seed'> & {
    readonly chimeras?: { readonly count: number; readonly engine: Engine } | undefined;
  },
  { measure, worked }: Meter,
) {
  const { card } = model;
  const random = (what: string): Random => createRandom(hashText(`${wanted.seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, wanted.seed, worked);
  const notes: string[] = [];
  const tools: Tools = { compute, batch, measure, random, notes };
  const images = await measureImages(model, judged, wanted.samples, tools);
  const gallery = judged instanceof TrainingError ? undefined : judged.gallery;
  const isDecoder = card.update.kind === 'decoder';
  if (isDecoder)
    notes.push(
      'organisms, throws and probe were not measured: a decoder has no cells that stay or heal',
    );
  const organisms = isDecoder
    ? NO_ORGANISMS
    : await measureOrganisms(model, gallery, wanted, tools);
  if (wanted.throws === 0) notes.push('throws were not measured: --throws is 0');
  const thrown = workOf(wanted.throws, batch.growthWork + card.side ** 2 * HELD_AFTER);
  const throws =
    isDecoder || wanted.throws === 0
      ? null
      : await measure('throws', thrown, () =>
          measureThrows(tools, throwLatents(model, wanted.throws, random('throws')), gallery),
        );
  const probe = isDecoder
    ? null
    : await measure('probing cells', workOf(PROBED, batch.growthWork), () =>
        probeKinds(model, batch, images?.means, judged, random('probe')),
      );
  if (!isDecoder && !probe) {
    notes.push('the probe was not measured: it needs five organisms of two classes or kinds');
  }
  const { chimeras } = wanted;
  if (!chimeras) {
    notes.push(
      'chimeras were not measured: they need a gallery, cells that read their latent, and --chimeras above 0',
    );
  }
  const grafted =
    chimeras &&
    (await measure('chimeras', chimeras.count * CHIMERA_STEPS, () =>
      measureChimeras(chimeras, model, random('chimeras'), worked),
    ));
  await batch.dispose();
  const { stay, heal, ...more } = organisms.figures;
  const figures = {
    /** Evidence lower bound in nats, or null without an encoder or images. */
    elbo: images?.bounds.elbo ?? null,
    iwae: {
      samples: wanted.samples,
      nats: images?.bounds.iwae ?? null,
      bitsPerDim: images ? bitsPerDim(card, images.bounds.iwae) : null,
    },
    /**
     * Mean squared errors against the images: `mse` of organisms grown from posterior means,
     * `gallery` of the gallery's organisms.
     */
    grown: { mse: images?.mse ?? null, gallery: organisms.mse },
    stay,
    heal,
    /** Multiply-adds per cell and step. */
    macPerCellStep: macPerCellStep(card),
    /** Number of parameters of the update net. */
    parameters: countParameters(card),
    likelihood: images && {
      images: images.count,
      reconstruction: images.bounds.reconstruction,
      divergence: images.bounds.divergence,
      standardError: images.bounds.standardError,
    },
    probe,
    organisms: organisms.grown.count,
    /**
     * Error of organisms grown from the posterior means of emoji whose kinds no gallery model is
     * trained on.
     */
    unseen: images?.unseen ?? null,
    ...more,
    /**
     * Mean gradient of grown pictures, as a share of the mean gradient of the images. Below 1 if
     * grown pictures are blurred.
     */
    edges: images?.edges ?? null,
    throws,
    /** Chimeras of random creatures of the gallery, or null if they were not measured. */
    chimeras: grafted ?? null,
    seed: wanted.seed,
    device: compute.device,
    /** Remarks for the reader of the figures. */
    notes,
  };
  if (!areFinite(figures)) notes.push('null stands for figures that are not finite numbers');
  return { figures: rounded(figures), grown: organisms.grown };
}

/**
 * Probes cells for the classes of the images or, if the images have no classes, for the kinds of
 * the gallery.
 */
async function probeKinds(
  { card, tensors }: Model,
  batch: EvaluationBatch,
  means: Float32Array | undefined,
  judged: TestImages | TrainingError,
  random: Random,
) {
  const classes = judged instanceof TrainingError ? undefined : judged.labels;
  const ofClass = means !== undefined && classes !== undefined;
  const latents = ofClass ? means : tensors.get('gallery.latents')!.data;
  const labels = ofClass ? classes : card.gallery.map(({ kind }) => GALLERY_KINDS.indexOf(kind));
  const chosen = someOf(labels.length, PROBED);
  const states = await batch.grow(rowsOf(latents, chosen, card.latentSize));
  const cells = { states, channels: card.channels, labels: chosen.map((n) => labels[n]) };
  const probe = probeCells(cells, random);
  return probe && { of: ofClass ? ('class' as const) : ('kind' as const), ...probe };
}

function areFinite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(areFinite);
}

/**
 * Rounds numbers to five digits, because more digits would be noise. Numbers that are not finite
 * become null.
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
