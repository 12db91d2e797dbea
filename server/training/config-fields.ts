/** Defines the fields of training configurations, with defaults and limits. */
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
 * Schema of a range of integers, both ends included. The range can change from `from` to `to`
 * during the first part of a run. This part is the share `over` of the whole run.
 */
const drawnFrom = (least: number) => {
  const end = v.pipe(v.number(), v.integer(), v.minValue(least));
  const span = v.pipe(
    v.strictTuple([end, end]),
    v.check(([low, high]) => low <= high, 'the low end must not be above the high end'),
  );
  return v.union([span, v.strictObject({ from: span, to: span, over: v.optional(share, 1) })]);
};
/** A range of integers, constant or changing over a run. */
export type Drawn = v.InferOutput<ReturnType<typeof drawnFrom>>;

const pool = v.strictObject({
  /** Maximum number of grown states in the pool. */
  size: v.optional(count, 1024),
  /** Number of states drawn per update. */
  batch: count,
  /**
   * Number of new organisms added to the pool per update. With a smaller number, pooled states get
   * older.
   */
  admit: count,
  /**
   * Whether new organisms stand in for pooled states as long as the pool holds too few states. All
   * stand-ins join the pool. Every update then has a full batch, as in the published training.
   */
  standIns: v.optional(v.boolean(), false),
  /** Number of further steps that a drawn state takes. */
  steps: drawnFrom(1),
  /** Number of last steps to differentiate. If absent, all steps are differentiated. */
  gradientSteps: v.exactOptional(count),
  /**
   * Additional states per update that take a few steps without damage, to show the rule many
   * pictures at little cost.
   */
  calm: v.exactOptional(
    v.strictObject({
      batch: count,
      steps: drawnFrom(1),
      /**
       * Whether each state gets the genome of another image and must become that image within these
       * steps. The rule then sees a set much larger than the pool at little cost, and an organism's
       * picture does not depend on its history.
       */
      metamorphosis: v.optional(v.boolean(), false),
      /**
       * Weight of the squared change of all channels in the last step. Cells at rest should not
       * change.
       */
      rest: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
    }),
  ),
  /**
   * Additional states per update that have neighbours, which means that part of their ground stays
   * closed for a long time, as in a room. Cells on closed ground are zeroed before each step and
   * left out of the loss.
   */
  crowded: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Maximum number of states with neighbours to keep. */
      size: v.optional(count, 256),
      /**
       * Share of drawn states to replace by states from the pool, which then get new neighbours.
       */
      renewed: v.optional(share, 0.15),
      /** Largest share of a patch's cells that can lie on closed ground. */
      largest: v.optional(share, 0.7),
      /** Probability that a micro-batch of new organisms grows with neighbours. */
      fresh: v.optional(share, 0),
    }),
  ),
  /**
   * Additional states per update with wounds that close from their rim, as in a room if its
   * checkpoint's card has `closing`: see `patients.ts`.
   */
  patients: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Maximum number of patients to keep. */
      size: v.optional(count, 40),
      /**
       * Number of steps of a patient, all differentiated. The loss judges the picture halfway and
       * at the end.
       */
      steps: v.optional(drawnFrom(2), () => [6, 12] as [number, number]),
      /**
       * Share of drawn patients that are new. If there are then more than `size` patients, random
       * ones are dropped.
       */
      renewed: v.optional(share, 0.2),
      /** Share of drawn patients that get another wound. */
      again: v.optional(share, 0.1),
      /** Share of new patients that are unwounded but shifted. */
      shifted: v.optional(share, 0),
      /** Share of new patients that start with the body of another organism. */
      strangers: v.optional(share, 0),
      /** Share of new patients that have neighbours, if the configuration has `crowded`. */
      crowded: v.optional(share, 0),
    }),
  ),
  /** Share of drawn states to damage before their steps. */
  wounded: v.optional(share, 0.5),
  wounds: v.optional(v.pipe(v.array(v.picklist(WOUND_KINDS)), v.minLength(1)), ['square']),
  /** Largest share of cells in one wound. */
  largestWound: v.optional(share, 0.5),
  /**
   * Organisms whose divergence counts in the loss: only new organisms (`fresh`), or pooled
   * organisms too (`all`).
   */
  divergence: v.optional(v.picklist(['fresh', 'all']), 'fresh'),
});

/** Schema of all fields. `config.ts` checks the relations between them. */
export const configFields = v.strictObject({
  ...modelFields,
  encoder: encoderNetwork,
  data: datasetConfig,
  /**
   * Whether to train on the validation split too, as for the published digits, which are measured
   * on the test split.
   */
  trainOnValidation: v.optional(v.boolean(), false),
  /**
   * With `encoder`, the run starts from a checkpoint (`--from`) and keeps its rule and the latents
   * of its gallery bit for bit. Only the encoder learns, from new organisms.
   */
  trains: v.optional(v.picklist(['all', 'encoder']), 'all'),
  /** Random seed. Equal seeds give equal runs on the same back end. */
  seed: v.optional(whole, 1),
  /** Number of updates of the whole run. */
  updates: count,
  /** σ of the RGBA likelihood; unused by other read-outs. */
  sigma: v.optional(positive, 0.1),
  /** Weight of the divergence. */
  beta: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  batch: v.strictObject({
    /** Number of new organisms per update. */
    fresh: count,
    /**
     * Number of samples computed together. A small number needs less memory and fits into the
     * processor's cache.
     */
    micro: v.optional(count, 8),
  }),
  /** Number of steps from seed to picture, for uniform growth. */
  growthSteps: v.exactOptional(drawnFrom(1)),
  /**
   * Whether each micro-batch draws its own number of steps, or each update draws one number for all
   * its organisms, as published. With `update`, equal ranges give equal numbers of steps.
   */
  stepsDrawn: v.optional(v.picklist(['micro-batch', 'update']), 'micro-batch'),
  /** Number of steps of a new organism after growth. */
  extraSteps: v.optional(drawnFrom(0), () => [0, 0] as [number, number]),
  /**
   * Channels in which cells learn to represent their position in the body: see `positionFields`.
   */
  places: v.exactOptional(
    v.strictObject({ channel: whole, octaves: count, weight: v.optional(positive, 1) }),
  ),
  /** Weight of the picture at the end of growth. The picture after the extra steps has weight 1. */
  judgeGrown: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /** Weight of the picture of each smaller stage, compared with the image at that size. */
  judgeStages: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /**
   * Shares of the run between which the leak rises from zero to the model's value. A rule without a
   * leak learns pictures sooner, because cells do not have to maintain their state. If absent, the
   * leak has its full value from the first update.
   */
  leakRamp: v.exactOptional(
    v.pipe(
      v.strictTuple([share, share]),
      v.check(([from, to]) => from <= to, 'ends before it begins'),
    ),
  ),
  /**
   * Smaller patches at the start of a run, which cost less. Organisms grow only to `side` until the
   * share `until` of the run is done.
   */
  curriculum: v.optional(v.array(v.strictObject({ side: count, until: share })), []),
  pool: v.exactOptional(pool),
  optimiser: v.optional(
    v.strictObject({
      learningRate: v.optional(positive, 1e-4),
      /**
       * The encoder's learning rate, as a multiple of `learningRate`. The encoder can learn faster
       * than a rule that is already good.
       */
      encoderRate: v.optional(positive, 1),
      /** Number of updates over which the learning rate rises from zero. */
      warmup: v.optional(whole, 0),
      /**
       * Share at the end of the run during which the learning rate falls linearly to a twentieth.
       */
      decay: v.optional(share, 0),
      beta2: v.optional(share, 0.999),
      /** Gradients are clipped to this global norm. */
      clip: v.optional(positive, 10),
      /**
       * Decay of the moving average of the weights, which the checkpoint contains. With 0, the
       * checkpoint contains the current weights.
       */
      average: v.optional(share, 0),
    }),
    {},
  ),
  augment: v.optional(
    v.strictObject({
      /** Whether to mirror left and right with probability ½. Not for text and digits. */
      flip: v.optional(v.boolean(), false),
      /** Largest shift in each direction, in pixels. */
      shift: v.optional(whole, 0),
      /** Largest share by which to shrink a picture. */
      shrink: v.optional(share, 0),
      /** Share of pictures whose hues are rotated. */
      recolour: v.optional(share, 0),
      /** Share of pictures that become line drawings. */
      lines: v.optional(share, 0),
      /** Share of pictures to leave unchanged. */
      untouched: v.optional(share, 0),
    }),
    {},
  ),
  /** Number of steps per program. Longer programs recompute less and need more memory. */
  segmentSteps: v.optional(count, 8),
  /** Time between saved states and picture sheets, in minutes. */
  saveMinutes: v.optional(positive, 5),
  /** Maximum number of gallery entries. */
  gallery: v.optional(count, 512),
  /**
   * If present, an offset is trained for each gallery image and added to the encoder's mean when
   * the image is shown without augmentation. The reason is that the encoder limits how well a
   * latent describes its picture; with offsets, the rule learns to rest and heal with the latents
   * that the checkpoint will have.
   */
  galleryOffsets: v.exactOptional(
    v.strictObject({
      /**
       * The offsets' learning rate, as a multiple of `learningRate`. It is high because each offset
       * takes part in few updates.
       */
      rate: v.optional(positive, 10),
    }),
  ),
  /** How many times a pass over the training images shows each gallery image. */
  galleryTimes: v.optional(count, 1),
});

/** A configuration with all defaults filled in. */
export type ConfigFields = v.InferOutput<typeof configFields>;

/** Number of states drawn from the pool per update. */
export const drawnStates = ({ batch, calm }: NonNullable<ConfigFields['pool']>): number =>
  batch + (calm?.batch ?? 0);

/** Returns the range at a point of a run, 0…1. */
export function drawnAt(range: Drawn, progress: number): readonly [number, number] {
  if (!('from' in range)) return range;
  const t = range.over === 0 ? 1 : Math.min(1, progress / range.over);
  const at = (i: 0 | 1): number => Math.round(range.from[i] + t * (range.to[i] - range.from[i]));
  return [at(0), at(1)];
}
