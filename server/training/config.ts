/**
 * Defines the fields of training configurations, the JSON files of `npm run train`, with defaults
 * and limits. Reads, checks and changes configurations.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import {
  checkRelations,
  type FieldError,
  isPowerOfTwo,
  modelErrors,
  modelFields,
} from '../vnca/card.ts';
import { encoderNetwork } from '../vnca/encoder-network.ts';
import { datasetConfig } from './data/config.ts';
import { nameOfFile } from './data/dataset.ts';
import { checked, TrainingError } from './errors.ts';
import { areConsecutive, positionChannels } from './model/likelihood.ts';
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
       * Whether each state gets the genome of another image and must become that image within its
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
   * Additional states per update with wounds that close from their rim, as in a room whose
   * checkpoint has `closing` in its card: see `rollout/pools.ts`.
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
       * Share of drawn patients that are new. If this makes more than `size` patients, random
       * patients are dropped.
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

/** Schema of all fields. `relationErrors` checks the relations between them. */
const configFields = v.strictObject({
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

/** A training configuration with all defaults filled in. */
export type TrainingConfig = v.InferOutput<typeof configFields>;

/** Number of states drawn from the pool per update. */
export const drawnStates = ({ batch, calm }: NonNullable<TrainingConfig['pool']>): number =>
  batch + (calm?.batch ?? 0);

/** Returns the range at a point of a run, 0…1. */
export function drawnAt(range: Drawn, progress: number): readonly [number, number] {
  if (!('from' in range)) return range;
  const t = range.over === 0 ? 1 : Math.min(1, progress / range.over);
  const at = (i: 0 | 1): number => Math.round(range.from[i] + t * (range.to[i] - range.from[i]));
  return [at(0), at(1)];
}

const ONLY_COLOURS = 'needs pictures in colours with transparency';

/** Finds errors in the relations between fields. */
export function* relationErrors(config: TrainingConfig): Generator<FieldError> {
  yield* modelErrors(config);
  const { augment, curriculum, data, growth, judgeGrown, optimiser, pool, readout, side } = config;
  const isDoubling = growth.kind === 'doubling';
  const inColours = readout.kind === 'rgba-premultiplied';
  if (data.side !== side) yield ['data.side', `is ${data.side}, but the model's "side" is ${side}`];
  if (inColours && !areConsecutive(readout.channels)) {
    yield ['readout.channels', 'must be consecutive'];
  }
  if (config.trains === 'encoder') {
    for (const field of ['pool', 'places', 'leakRamp', 'galleryOffsets'] as const) {
      if (config[field] !== undefined) yield [field, 'needs a run that trains the rule'];
    }
  }
  yield* batchErrors(config);
  yield* placesErrors(config);
  if (config.growthSteps && isDoubling) yield ['growthSteps', 'needs uniform growth'];
  if (!isDoubling && config.growthSteps) {
    const [low, high] = drawnAt(config.growthSteps, 1);
    if (growth.steps < low || growth.steps > high) {
      yield ['growth.steps', `is ${growth.steps}, outside "growthSteps" ${low} to ${high}`];
    }
  }
  if (config.judgeStages > 0 && !isDoubling) {
    yield ['judgeStages', 'needs growth by doubling'];
  }
  const { extraSteps } = config;
  const spans = 'to' in extraSteps ? [...extraSteps.from, ...extraSteps.to] : extraSteps;
  if (judgeGrown > 0 && !spans.some((steps) => steps > 0) && !pool?.patients) {
    yield ['judgeGrown', 'needs "extraSteps" or "pool.patients"'];
  }
  for (const field of ['beta2', 'average'] as const) {
    if (optimiser[field] === 1) yield [`optimiser.${field}`, 'must be less than 1'];
  }
  for (const field of ['recolour', 'lines'] as const) {
    if (augment[field] > 0 && !inColours) yield [`augment.${field}`, ONLY_COLOURS];
  }
  for (const [i, { until, side: young }] of curriculum.entries()) {
    if (i > 0 && (until <= curriculum[i - 1].until || young <= curriculum[i - 1].side)) {
      yield ['curriculum', 'sides and shares must rise from entry to entry'];
    }
    const isStage = isDoubling
      ? young >= growth.seedSide && isPowerOfTwo(side / young)
      : side % young === 0;
    if (!isStage) yield ['curriculum', `side ${young} is not a stage on the way to "side" ${side}`];
  }
  if (augment.shift >= side) {
    yield ['augment.shift', `is ${augment.shift}, too large for images of side ${side}`];
  }
}

/** Finds errors in the numbers of organisms per update and in the pools. */
function* batchErrors({ batch, closing, pool, update }: TrainingConfig): Generator<FieldError> {
  const { fresh, micro } = batch;
  if (fresh % micro !== 0) {
    yield ['batch.micro', `is ${micro}, which does not divide "batch.fresh" ${fresh}`];
  }
  if (!pool) return;
  const { admit, calm, crowded, patients, size } = pool;
  if (update.kind === 'decoder') {
    yield ['pool', 'needs cells that stay and heal, but a decoder has no cell rule'];
  }
  for (const [path, part] of Object.entries({ 'pool.batch': pool, 'pool.calm.batch': calm })) {
    if (part && part.batch % micro !== 0) {
      yield [path, `is ${part.batch}, not a multiple of "batch.micro" ${micro}`];
    }
  }
  for (const [name, part] of Object.entries({ crowded, patients })) {
    if (part && (part.batch % micro !== 0 || part.batch > part.size)) {
      const limits = `a multiple of "batch.micro" ${micro}, at most "size" ${part.size}`;
      yield [`pool.${name}.batch`, `is ${part.batch}, but must be ${limits}`];
    }
  }
  if (patients && closing === undefined) yield ['pool.patients', 'needs "closing"'];
  if (patients && patients.crowded > 0 && !crowded) {
    yield ['pool.patients.crowded', 'needs "pool.crowded"'];
  }
  if (admit > fresh) yield ['pool.admit', `is ${admit}, more than "batch.fresh" ${fresh}`];
  const drawn = drawnStates(pool);
  if (size <= drawn) yield ['pool.size', `is ${size}, too few to draw ${drawn} states per update`];
}

/** Finds errors in the position channels. */
function* placesErrors({ channels, places, readout }: TrainingConfig): Generator<FieldError> {
  if (!places) return;
  const { channel: first } = places;
  const count = positionChannels(places);
  if (first + count > channels) {
    const needed = `need ${count} channels from channel ${first} on`;
    yield ['places', `${needed}, but there are only ${channels}`];
  }
  const shown =
    readout.kind === 'bernoulli'
      ? [readout.channel]
      : readout.kind === 'dmol'
        ? Array.from({ length: 10 * readout.mixtures }, (_, i) => i)
        : readout.channels;
  const ofPicture = shown.find((channel) => channel >= first && channel < first + count);
  if (ofPicture !== undefined)
    yield ['places', `would use channel ${ofPicture}, which belongs to the picture`];
}

const schema = v.pipe(configFields, checkRelations<TrainingConfig>(relationErrors));

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file file name for error messages
 * @throws TrainingError bad-config
 */
export const parseConfig = (value: unknown, file: string): TrainingConfig =>
  checked(schema, value, `${file}: `);

/** Reads a configuration file. @throws TrainingError missing-config, bad-config */
export const readConfig = async (file: string): Promise<TrainingConfig> =>
  parseConfig(await readJson(file), file);

/** Reads a JSON file. @throws TrainingError missing-config, bad-config */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(({ code = 'unknown' }) => {
    throw new TrainingError('missing-config', `${file}: file cannot be read (${code})`);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TrainingError('bad-config', `${file}: not JSON (${(error as Error).message})`);
  }
}

/**
 * Fields that must not change during a run: the model, its images, and the part that is trained.
 * All other fields belong to the schedule and may change.
 */
const MODEL_PARTS = [
  ...(['side', 'channels', 'latentSize', 'growth', 'update', 'readout'] as const),
  ...(['encoder', 'data', 'trains'] as const),
];

/**
 * Finds the first model field that differs from an earlier configuration. The folder of the images
 * may differ.
 *
 * @param before the earlier configuration as JSON
 * @returns the path of the field, or undefined if all are equal
 */
export function changedField(before: string, now: TrainingConfig): string | undefined {
  try {
    // Parse with `configFields` only, which fills in fields that are newer than the run. The
    // relations between fields were checked when the run began, and relations added since do not
    // apply to it.
    const parsed = checked(configFields, JSON.parse(before), '');
    return MODEL_PARTS.flatMap((part) => differs(parsed[part], now[part], part) ?? [])[0];
  } catch {
    return 'configuration';
  }
}

/**
 * Returns the path of the first difference between two values, starting with `path`, or undefined
 * if they are equal. The folder of the images may differ.
 */
export function differs(a: unknown, b: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(a, b) || path === 'data.folder') return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
  return [...keys].flatMap((key) => differs(of(a, key), of(b, key), `${path}.${key}`) ?? [])[0];
}

/**
 * Changes the batch size of a training configuration, for trials on small machines. Scales the pool
 * too.
 *
 * @param fresh number of new organisms per update, 1…
 */
export function withBatch(config: TrainingConfig, fresh: number): TrainingConfig {
  const { batch } = config;
  const scaled = (n: number): number => Math.max(1, Math.round((n * fresh) / batch.fresh));
  const pool = structuredClone(config.pool);
  const parts = [pool, pool?.calm, pool?.crowded, pool?.patients].filter(
    (part) => part !== undefined,
  );
  for (const part of parts) {
    part.batch = scaled(part.batch);
    if ('size' in part) part.size = Math.max(part.batch, scaled(part.size));
  }
  if (pool) {
    pool.size = Math.max(pool.size, drawnStates(pool) + 1);
    pool.admit = Math.min(fresh, scaled(pool.admit));
  }
  const batches = [fresh, ...parts.map((part) => part.batch)];
  let micro = Math.min(batch.micro, ...batches);
  while (batches.some((size) => size % micro !== 0)) micro--;
  return { ...config, batch: { fresh, micro }, ...(pool && { pool }) };
}

/**
 * Replaces the training set with the user's own images.
 *
 * @param images a folder, relative to the working directory
 * @throws TrainingError bad-config: the configuration's set is not a folder of images
 */
export function withImages<T extends Pick<TrainingConfig, 'data'>>(config: T, images: string): T {
  const { data } = config;
  if (data.kind !== 'folder') {
    throw new TrainingError(
      'bad-config',
      `--images needs a configuration whose training set is a folder of images, not "data.kind" "${data.kind}"`,
    );
  }
  return { ...config, data: { ...data, folder: resolve(images) } };
}

/**
 * Gives a training configuration another name.
 *
 * @throws TrainingError bad-config: the name is not allowed
 */
export function withName(config: TrainingConfig, name: string): TrainingConfig {
  const named = { ...config, name, title: nameOfFile(name) };
  parseConfig(JSON.parse(JSON.stringify(named)), '--name');
  return named;
}
