/** Measures all figures of a checkpoint. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { countParameters, macPerCellStep } from '../../vnca/architecture.ts';
import { GALLERY_KINDS } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { evenly, rowsOf } from '../run-state.ts';
import { bitsPerDim, type Keep } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { EvaluationBatch, workOf } from './evaluation-batch.ts';
import { measureImages, type PainterFigures, type Tools } from './image-figures.ts';
import type { Options } from './options.ts';
import { measureOrganisms, NO_ORGANISMS } from './organism-figures.ts';
import { probeCells } from './probe.ts';
import type { Meter } from './progress-meter.ts';
import type { Judged } from './test-images.ts';
import { HELD_AFTER, measureThrows, throwLatents } from './throws.ts';

/** Options of `evaluate`. */
export interface EvaluateOptions
  extends Pick<Options, 'samples' | 'organisms' | 'steps' | 'wounds' | 'throws' | 'seed'> {
  /** Stores the bounds of each image. */
  readonly keep?: Keep;
  /** See `EvaluationBatch`. */
  readonly kernel?: string | undefined;
  /** What its painter does, or why that is not known; absent or null: it has none. */
  readonly painter?: PainterFigures | EvaluationError | null;
}

/** Most organisms whose cells the probe reads. */
const PROBED = 512;

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
  const { kernel } = wanted;
  const batch = new EvaluationBatch(compute, model, wanted.seed, {
    kernel,
    onProgress: meter.worked,
  });
  const notes: string[] = [];
  const cells = card.side ** 2;
  const measure = async <T>(what: string, work: number, run: () => Promise<T>): Promise<T> => {
    meter.begin(what, work);
    const result = await run();
    meter.end();
    return result;
  };

  const tools: Tools = { compute, batch, measure, random, notes };
  const images = await measureImages(model, judged, wanted, tools);
  const gallery = judged instanceof EvaluationError ? undefined : judged.gallery;
  const isDecoder = card.update.kind === 'decoder';
  if (isDecoder)
    notes.push('a decoder has no cells that stay or heal: no organisms, throws or probe');
  const organisms = isDecoder
    ? NO_ORGANISMS
    : await measureOrganisms(model, gallery, wanted, tools);
  if (wanted.throws === 0) notes.push('no throws were asked for');
  const thrown = workOf(wanted.throws, batch.growthWork + cells * HELD_AFTER);
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
    notes.push('no probe: it needs five organisms, and two classes or kinds of them');
  }
  await batch.dispose();
  const { painter = null } = wanted;
  if (painter instanceof EvaluationError)
    notes.push(`no figures of the painter: ${painter.message}`);
  const figures = {
    /** Evidence lower bound; null without an encoder or images. */
    elbo: images?.bounds.elbo ?? null,
    iwae: {
      samples: wanted.samples,
      nats: images?.bounds.iwae ?? null,
      bitsPerDim: images ? bitsPerDim(card, images.bounds.iwae) : null,
    },
    grown: {
      /** Organisms grown from posterior means, against the images. */
      mse: images?.mse ?? null,
      /** Organisms of the gallery, against theirs. */
      gallery: organisms.figures.mse,
    },
    /** By steps after growth: against the grown picture. */
    stay: organisms.figures.stay,
    /**
     * By share of the patch that is lost, by steps after it, when all cells may live again at once:
     * against the picture before.
     */
    heal: organisms.figures.heal,
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
    robustness: organisms.figures.robustness,
    organisms: organisms.grown.count,
    /** Emoji of kinds that no gallery model is trained on, grown from posterior means. */
    unseen: images?.unseen ?? null,
    /** As `heal`, of halves that close from their rim, a cell a step. */
    closing: organisms.figures.closing,
    /** As `heal`, of wounds that close from their rim, by the card's cells a step, else one. */
    healFromRim: organisms.figures.healFromRim,
    /** As `closing`, when only a disc of radius 5 around a living cell is left. */
    discLeft: organisms.figures.discLeft,
    /** As `heal`, when every cell is lost: a control. */
    erased: organisms.figures.erased,
    /**
     * Share of organisms that look more like their own image than like any other of the gallery: when
     * grown, and 32 steps after the wounds of `heal` and `closing` and after `erased`.
     */
    retrieval: organisms.figures.retrieval,
    /** Share of organisms with a cell that still moves. */
    cycles: organisms.figures.cycles,
    /** Mean gradient of grown pictures, as a share of that of the images; blur is below 1. */
    edges: images?.edges ?? null,
    throws,
    /** Of creatures that were kept from its training, against their originals. */
    painter: painter instanceof EvaluationError ? null : painter,
    seed: wanted.seed,
    device: deviceOf(compute, kernel),
    /** Remarks for the reader of the figures. */
    notes,
  };
  if (!areFinite(figures)) notes.push('figures that are not finite numbers are null');
  return { figures: rounded(figures), grown: organisms.grown };
}

/** What computes, for people. */
export const deviceOf = ({ device }: Compute, kernel: string | undefined): string =>
  kernel === undefined ? device : `${device}; cells by native code`;

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

function areFinite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(areFinite);
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
