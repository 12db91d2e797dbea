/** The fields of training configurations, with defaults and limits. */
import * as v from 'valibot';
import { modelFields } from '../vnca/card.ts';
import { encoderNetwork } from '../vnca/encoder-network.ts';
import { datasetConfig } from './data/config.ts';
import { WOUND_KINDS } from './rollout/wounds.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.gtValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/**
 * A range of integers, both ends included. It can change from `from` to `to` over the first share
 * of a run.
 */
const drawnFrom = (least: number) => {
  const end = v.pipe(v.number(), v.integer(), v.minValue(least));
  const span = v.pipe(
    v.strictTuple([end, end]),
    v.check(([low, high]) => low <= high, 'low end is above the high end'),
  );
  return v.union([span, v.strictObject({ from: span, to: span, over: v.optional(share, 1) })]);
};
/** A range of integers, constant or changing over a run. */
export type Drawn = v.InferOutput<ReturnType<typeof drawnFrom>>;

const pool = v.strictObject({
  /** Maximum number of grown states in the pool. */
  size: v.optional(count, 1024),
  /** States drawn per update. */
  batch: count,
  /**
   * Number of new organisms added to the pool per update. The fewer, the older pooled states get.
   */
  admit: count,
  /**
   * As long as the pool holds too few states, use new organisms instead, and add all of them to the
   * pool: every update then has a full batch, as published.
   */
  standIns: v.optional(v.boolean(), false),
  /** Further steps of a drawn state. */
  steps: drawnFrom(1),
  /** Number of last steps that are differentiated; default: all. */
  gradientSteps: v.exactOptional(count),
  /**
   * Additional states per update that take a few steps without damage: many pictures at little
   * cost.
   */
  calm: v.exactOptional(
    v.strictObject({
      batch: count,
      steps: drawnFrom(1),
      /**
       * Each gets the genome of another image and must become it within these steps. A set much
       * larger than the pool is then seen at little cost, and an organism's picture does not depend
       * on its history.
       */
      metamorphosis: v.optional(v.boolean(), false),
      /** Weight of the squared change of all channels in the last step, which should be none. */
      rest: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
    }),
  ),
  /**
   * Additional states per update with neighbours: part of their ground is closed for a long time,
   * as in a room. Cells there are zeroed before each step and left out of the loss.
   */
  crowded: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Maximum number of states kept with neighbours. */
      size: v.optional(count, 256),
      /** Share of drawn states replaced by a state of the pool with new neighbours. */
      renewed: v.optional(share, 0.15),
      /** Largest share of closed cells. */
      largest: v.optional(share, 0.7),
      /** Probability that a micro-batch of new organisms grows with neighbours. */
      fresh: v.optional(share, 0),
    }),
  ),
  /**
   * Additional states per update with wounds that close from their rim, as in a room whose card has
   * `closing`: see `patients.ts`.
   */
  patients: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Maximum number of patients kept. */
      size: v.optional(count, 40),
      /** Steps of a patient, all differentiated; judged halfway and at the end. */
      steps: v.optional(drawnFrom(2), () => [6, 12] as [number, number]),
      /** Share of drawn patients that are new; above the size others are dropped for them. */
      renewed: v.optional(share, 0.2),
      /** Share of drawn patients that are wounded once more. */
      again: v.optional(share, 0.1),
      /** Share of new patients that are whole, but in another place. */
      shifted: v.optional(share, 0),
      /** Share of new patients that begin with the body of another. */
      strangers: v.optional(share, 0),
      /** Share of new patients with neighbours, where some are crowded. */
      crowded: v.optional(share, 0),
    }),
  ),
  /** Share of drawn states that are damaged first. */
  wounded: v.optional(share, 0.5),
  wounds: v.optional(v.pipe(v.array(v.picklist(WOUND_KINDS)), v.minLength(1)), ['square']),
  /** Largest share of cells in one wound. */
  largestWound: v.optional(share, 0.5),
  /** Organisms whose divergence counts. */
  divergence: v.optional(v.picklist(['fresh', 'all']), 'fresh'),
});

/** All fields; how they fit together is checked in `config.ts`. */
export const configFields = v.strictObject({
  ...modelFields,
  encoder: encoderNetwork,
  data: datasetConfig,
  /**
   * Train on the validation split too, as for the published digits, which are measured on the test
   * split.
   */
  trainOnValidation: v.optional(v.boolean(), false),
  /**
   * `encoder`: the run begins with a checkpoint (`--from`) and keeps its rule and the latents of its
   * gallery bit for bit; only the encoder learns, from new organisms.
   */
  trains: v.optional(v.picklist(['all', 'encoder']), 'all'),
  /** Equal seeds give equal runs on the same back end. */
  seed: v.optional(whole, 1),
  /** Updates of the whole run. */
  updates: count,
  /** σ of the RGBA likelihood; unused by other read-outs. */
  sigma: v.optional(positive, 0.1),
  /**
   * Weight of squared errors of differences between neighbouring cells, beside those of colours: for
   * sharper edges. RGBA only. Closed ground counts as a neighbour without an error.
   */
  slopes: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /** Weight of the divergence. */
  beta: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  batch: v.strictObject({
    /** New organisms per update. */
    fresh: count,
    /** Samples computed together; bounds memory. Small ones fit into the processor's cache. */
    micro: v.optional(count, 8),
  }),
  /** Uniform growth: steps from seed to picture. */
  growthSteps: v.exactOptional(drawnFrom(1)),
  /**
   * Whether each micro-batch draws its own number of steps, or each update draws one for all
   * organisms, as published. Equal ranges then give equal numbers.
   */
  stepsDrawn: v.optional(v.picklist(['micro-batch', 'update']), 'micro-batch'),
  /** Steps of a new organism after growth. */
  extraSteps: v.optional(drawnFrom(0), () => [0, 0] as [number, number]),
  /**
   * Channels in which cells learn to show their position in the body: see `positionFields`.
   */
  places: v.exactOptional(
    v.strictObject({ channel: whole, octaves: count, weight: v.optional(positive, 1) }),
  ),
  /** Weight of the picture at the end of growth; the one after the extra steps has weight 1. */
  judgeGrown: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /** Weight of the picture of each smaller stage, compared with the image at that size. */
  judgeStages: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /**
   * Shares of the run between which the leak rises from zero to the model's. A rule without a leak
   * learns pictures sooner, because cells do not have to maintain their state. Default: the full
   * leak from the first update.
   */
  leakRamp: v.exactOptional(
    v.pipe(
      v.strictTuple([share, share]),
      v.check(([from, to]) => from <= to, 'its end is before its beginning'),
    ),
  ),
  /**
   * Start with smaller patches, which cost less: until the share `until` of the run, they grow only
   * to `side`.
   */
  curriculum: v.optional(v.array(v.strictObject({ side: count, until: share })), []),
  pool: v.exactOptional(pool),
  optimiser: v.optional(
    v.strictObject({
      learningRate: v.optional(positive, 1e-4),
      /** The encoder's rate, as a multiple: it can learn faster than a rule that is already good. */
      encoderRate: v.optional(positive, 1),
      /** Updates over which the rate rises from zero. */
      warmup: v.optional(whole, 0),
      /** Last share of the run, over which the rate falls linearly to `finalRate` of itself. */
      decay: v.optional(share, 0),
      finalRate: v.optional(share, 0.05),
      beta1: v.optional(share, 0.9),
      beta2: v.optional(share, 0.999),
      epsilon: v.optional(positive, 1e-8),
      /** Gradients are clipped to this global norm. */
      clip: v.optional(positive, 10),
      /**
       * Decay of the moving average of the weights, which goes into the checkpoint; 0: the weights
       * themselves.
       */
      average: v.optional(share, 0),
    }),
    {},
  ),
  augment: v.optional(
    v.strictObject({
      /** Mirror left and right with probability ½. Not for text and digits. */
      flip: v.optional(v.boolean(), false),
      /** Largest shift in each direction, pixels. */
      shift: v.optional(whole, 0),
      /** Largest share by which a picture is made smaller. */
      shrink: v.optional(share, 0),
      /** Share of pictures whose colours are turned. */
      recolour: v.optional(share, 0),
      /** Share of pictures that become line drawings. */
      lines: v.optional(share, 0),
      /** Share of pictures that are left as they are. */
      untouched: v.optional(share, 0),
    }),
    {},
  ),
  /** Steps per program; longer ones recompute less and need more memory. */
  segmentSteps: v.optional(count, 8),
  /** Minutes between saved states and picture sheets. */
  saveMinutes: v.optional(positive, 5),
  /** Maximum number of entries of the gallery. */
  gallery: v.optional(count, 512),
  /**
   * Train an offset for each image of the gallery, added to the encoder's mean wherever the image is
   * shown as it is: the encoder limits what a latent says of its picture, and the rule learns to rest
   * and heal with the latents that the checkpoint will have.
   */
  galleryOffsets: v.exactOptional(
    v.strictObject({
      /** Their learning rate, as a multiple: each is shown in few updates. */
      rate: v.optional(positive, 10),
    }),
  ),
  /** How often each pass shows an image of the gallery. */
  galleryTimes: v.optional(count, 1),
});

/** A configuration with all defaults. */
export type ConfigFields = v.InferOutput<typeof configFields>;

/** Number of states that an update draws from the pool. */
export const drawnStates = ({ batch, calm }: NonNullable<ConfigFields['pool']>): number =>
  batch + (calm?.batch ?? 0);

/** The range at a point of a run, 0…1. */
export function drawnAt(range: Drawn, progress: number): readonly [number, number] {
  if (!('from' in range)) return range;
  const t = range.over === 0 ? 1 : Math.min(1, progress / range.over);
  const at = (i: 0 | 1): number => Math.round(range.from[i] + t * (range.to[i] - range.from[i]));
  return [at(0), at(1)];
}
