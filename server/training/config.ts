/**
 * Defines, reads, checks and changes training configurations, the JSON files of `npm run train`.
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
 * Creates the schema of a range of integers, both ends included. The range is either constant, or
 * it changes linearly, from the range `from` at the start of a run to the range `to`. The change
 * takes the first part of the run: the share `over` (0…1).
 *
 * @param least smallest integer that a range may contain
 */
const drawnFrom = (least: number) => {
  const end = v.pipe(v.number(), v.integer(), v.minValue(least));
  const span = v.pipe(
    v.strictTuple([end, end]),
    v.check(
      ([low, high]) => low <= high,
      'the first number must not be greater than the second number',
    ),
  );
  return v.union([span, v.strictObject({ from: span, to: span, over: v.optional(share, 1) })]);
};
/** A range of integers, constant or changing over a run. */
export type Drawn = v.InferOutput<ReturnType<typeof drawnFrom>>;

const pool = v.strictObject({
  /** Maximum number of organisms in the pool of grown organisms. */
  size: v.optional(count, 1024),
  /** Number of organisms that an update takes from the pool and steps further. */
  batch: count,
  /**
   * Number of new organisms added to the pool per update. The smaller this number, the older the
   * organisms in the pool become.
   */
  admit: count,
  /**
   * Whether to train on additional new organisms as long as the pool holds too few organisms for an
   * update, as in the published training (Palm et al. 2022).
   */
  standIns: v.optional(v.boolean(), false),
  /** Number of steps that a pooled organism takes in an update. */
  steps: drawnFrom(1),
  /**
   * Number of steps, counted from the end, through which gradients are propagated back; all steps
   * if absent.
   */
  gradientSteps: v.exactOptional(count),
  /** Additional pooled organisms per update that take few steps and are not wounded. */
  calm: v.exactOptional(
    v.strictObject({
      batch: count,
      steps: drawnFrom(1),
      /**
       * Whether each organism gets the latent of another image, and must turn into this image
       * within its steps.
       */
      metamorphosis: v.optional(v.boolean(), false),
      /** Weight of a penalty on the squared change of all channels in the last step. */
      rest: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
    }),
  ),
  /**
   * Additional organisms per update, each in a patch that neighbours occupy in part, as in a room.
   * The occupied cells are zeroed before each step and left out of the training loss.
   */
  crowded: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Maximum number of organisms with neighbours to keep between updates. */
      size: v.optional(count, 256),
      /**
       * Probability that an organism in the batch newly gets neighbours, instead of being kept with
       * its neighbours from an earlier update.
       */
      renewed: v.optional(share, 0.15),
      /** Neighbours can occupy at most this share of a patch's cells. */
      largest: v.optional(share, 0.7),
      /** Probability that all new organisms in a micro-batch grow with neighbours. */
      fresh: v.optional(share, 0),
    }),
  ),
  /**
   * Additional organisms (patients) per update whose wounds close gradually from the wound's rim,
   * as in rooms.
   */
  patients: v.exactOptional(
    v.strictObject({
      batch: count,
      /**
       * Maximum number of healing organisms to keep between updates. If there are more, some are
       * dropped at random.
       */
      size: v.optional(count, 40),
      /**
       * Number of steps of a healing organism per update. The loss compares the organism's picture
       * with the target image after half of the steps and after the last step.
       */
      steps: v.optional(drawnFrom(2), () => [6, 12] as [number, number]),
      /** Probability that a healing organism is new, instead of coming from an earlier update. */
      renewed: v.optional(share, 0.2),
      /** Probability that a healing organism from an earlier update is wounded again. */
      again: v.optional(share, 0.1),
      /** Share of new healing organisms whose body is shifted instead of wounded. */
      shifted: v.optional(share, 0),
      /**
       * Share of new healing organisms that get the cell states of another organism instead of a
       * wound.
       */
      strangers: v.optional(share, 0),
      /**
       * Share of new healing organisms that have neighbours. Above 0, `pool.crowded` is required.
       */
      crowded: v.optional(share, 0),
    }),
  ),
  /**
   * Share of the `batch` organisms from the pool that an update wounds before they take further
   * steps.
   */
  wounded: v.optional(share, 0.5),
  wounds: v.optional(v.pipe(v.array(v.picklist(WOUND_KINDS)), v.minLength(1)), ['square']),
  /** Maximum size of a wound, as a share of the patch's cells. */
  largestWound: v.optional(share, 0.5),
  /**
   * Organisms whose KL divergence counts in the training loss. `fresh`: new organisms. `all`: new
   * and pooled organisms.
   */
  divergence: v.optional(v.picklist(['fresh', 'all']), 'fresh'),
});

/** Schema of a training configuration, without relations between fields (see `relationErrors`). */
const configFields = v.strictObject({
  ...modelFields,
  encoder: encoderNetwork,
  data: datasetConfig,
  /** Whether to train on the validation split as well as the training split. */
  trainOnValidation: v.optional(v.boolean(), false),
  /**
   * Which parts of the model to train. `all`: the rule and the encoder. `encoder`: only the
   * encoder, without a pool of grown organisms. The run must then start from a checkpoint
   * (`--from`), whose rule and gallery latents stay unchanged.
   */
  trains: v.optional(v.picklist(['all', 'encoder']), 'all'),
  /**
   * Seed of the random generator. Runs with equal seeds give equal results on the same back end.
   */
  seed: v.optional(whole, 1),
  /** Number of updates of the whole run. */
  updates: count,
  /** Standard deviation (σ) of the Gaussian likelihood. Used only for RGBA images. */
  sigma: v.optional(positive, 0.1),
  /** Weight of the KL divergence in the training loss. */
  beta: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  batch: v.strictObject({
    /** Number of new organisms per update. */
    fresh: count,
    /** Number of organisms computed together (a micro-batch). */
    micro: v.optional(count, 8),
  }),
  /**
   * Number of steps from the seed to the grown picture. Allowed only if `growth` is uniform
   * (without stages).
   */
  growthSteps: v.exactOptional(drawnFrom(1)),
  /**
   * When to draw how many steps organisms take, if this number is random: once per micro-batch, or
   * once per update, as in the published training (Palm et al. 2022).
   */
  stepsDrawn: v.optional(v.picklist(['micro-batch', 'update']), 'micro-batch'),
  /** Number of steps that a new organism takes after growth. */
  extraSteps: v.optional(drawnFrom(0), () => [0, 0] as [number, number]),
  /**
   * Channels in which cells learn to represent their position in the body; see `positionFields`.
   */
  places: v.exactOptional(
    v.strictObject({ channel: whole, octaves: count, weight: v.optional(positive, 1) }),
  ),
  /**
   * Weight, in the training loss, of the picture at the end of growth or, for healing organisms,
   * after half of their steps. The picture after the last step (for new organisms, after
   * `extraSteps` more steps) has weight 1.
   */
  judgeGrown: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /**
   * Weight, in the training loss, of the picture at the end of each stage except the last stage.
   */
  judgeStages: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /**
   * Part of the run, as [start, end] in shares of the run (0…1), during which the leak rises from
   * zero to the model's value. The leak is the share of a cell's state that decays in each step.
   */
  leakRamp: v.exactOptional(
    v.pipe(
      v.strictTuple([share, share]),
      v.check(([from, to]) => from <= to, 'the end must not be before the beginning'),
    ),
  ),
  /**
   * Smaller patches for the first part of a run, to save time. Until the share `until` of the run
   * is done, grown patches have sides of at most `side` cells.
   */
  curriculum: v.optional(v.array(v.strictObject({ side: count, until: share })), []),
  pool: v.exactOptional(pool),
  optimiser: v.optional(
    v.strictObject({
      learningRate: v.optional(positive, 1e-4),
      /** The encoder's learning rate, as a multiple of `learningRate`. */
      encoderRate: v.optional(positive, 1),
      /** Number of updates over which the learning rate rises from zero. */
      warmup: v.optional(whole, 0),
      /**
       * Share of the run, at its end, during which the learning rate falls linearly to one
       * twentieth.
       */
      decay: v.optional(share, 0),
      beta2: v.optional(share, 0.999),
      /** Maximum global norm of the gradients. Larger gradients are scaled down to this norm. */
      clip: v.optional(positive, 10),
      /**
       * Decay of the exponential moving average of the weights. The checkpoint contains the
       * averaged weights, or the current weights if the decay is 0.
       */
      average: v.optional(share, 0),
    }),
    {},
  ),
  augment: v.optional(
    v.strictObject({
      /**
       * Whether to mirror each picture, left to right, with a probability of ½. Unsuitable for text
       * and digits.
       */
      flip: v.optional(v.boolean(), false),
      /** Maximum shift in each direction, in pixels. */
      shift: v.optional(whole, 0),
      /** Pictures shrink by at most this share of their side. */
      shrink: v.optional(share, 0),
      /** Share of pictures whose hue, saturation and brightness are changed at random. */
      recolour: v.optional(share, 0),
      /** Share of pictures that are turned into line drawings. */
      lines: v.optional(share, 0),
      /** Share of pictures that are not augmented at all. */
      untouched: v.optional(share, 0),
    }),
    {},
  ),
  /**
   * Number of steps per compiled program. Longer programs need more memory, but training takes less
   * time.
   */
  segmentSteps: v.optional(count, 8),
  /** Time between two saves of the run's state and of a sheet of pictures, in minutes. */
  saveMinutes: v.optional(positive, 5),
  /** Maximum number of entries in the checkpoint's gallery. */
  gallery: v.optional(count, 512),
  /**
   * If present, an offset is trained for each gallery image. The image's latent is then the
   * encoder's latent plus this offset.
   */
  galleryOffsets: v.exactOptional(
    v.strictObject({
      /**
       * Learning rate of the trained offsets of gallery images, as a multiple of `learningRate`.
       */
      rate: v.optional(positive, 10),
    }),
  ),
  /** Number of times that each gallery image occurs in one pass over the training images. */
  galleryTimes: v.optional(count, 1),
});

/** A training configuration with all defaults filled in. */
export type TrainingConfig = v.InferOutput<typeof configFields>;

/** Returns the number of organisms that an update takes from the pool of grown organisms. */
export const drawnStates = ({ batch, calm }: NonNullable<TrainingConfig['pool']>): number =>
  batch + (calm?.batch ?? 0);

/**
 * Returns the lower and upper end of a range that may change during a run.
 *
 * @param progress share of the run that is done, 0…1
 */
export function drawnAt(range: Drawn, progress: number): readonly [number, number] {
  if (!('from' in range)) return range;
  const t = range.over === 0 ? 1 : Math.min(1, progress / range.over);
  const at = (i: 0 | 1): number => Math.round(range.from[i] + t * (range.to[i] - range.from[i]));
  return [at(0), at(1)];
}

const ONLY_COLOURS = 'needs training pictures in RGBA';

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
      if (config[field] !== undefined) yield [field, 'is allowed only if "trains" is "all"'];
    }
  }
  yield* batchErrors(config);
  yield* placesErrors(config);
  if (config.growthSteps && isDoubling) yield ['growthSteps', 'needs uniform growth'];
  if (!isDoubling && config.growthSteps) {
    const [low, high] = drawnAt(config.growthSteps, 1);
    if (growth.steps < low || growth.steps > high) {
      yield ['growth.steps', `is ${growth.steps}, but "growthSteps" allows only ${low} to ${high}`];
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
      yield [
        'curriculum',
        'each entry must have a larger "until" and a larger "side" than the entry before',
      ];
    }
    const isStage = isDoubling
      ? young >= growth.seedSide && isPowerOfTwo(side / young)
      : side % young === 0;
    if (!isStage)
      yield [
        'curriculum',
        `contains an entry with "side" ${young}, but no organism has this side while growing to side ${side}`,
      ];
  }
  if (augment.shift >= side) {
    yield ['augment.shift', `is ${augment.shift}, too large for images of side ${side}`];
  }
}

function* batchErrors({ batch, closing, pool, update }: TrainingConfig): Generator<FieldError> {
  const { fresh, micro } = batch;
  if (fresh % micro !== 0) {
    yield ['batch.micro', `is ${micro}, but must be a divisor of "batch.fresh" (${fresh})`];
  }
  if (!pool) return;
  const { admit, calm, crowded, patients, size } = pool;
  if (update.kind === 'decoder') {
    yield ['pool', 'cannot be used if the kind of "update" is "decoder"'];
  }
  for (const [path, part] of Object.entries({ 'pool.batch': pool, 'pool.calm.batch': calm })) {
    if (part && part.batch % micro !== 0) {
      yield [path, `is ${part.batch}, but must be a multiple of "batch.micro" (${micro})`];
    }
  }
  for (const [name, part] of Object.entries({ crowded, patients })) {
    if (part && (part.batch % micro !== 0 || part.batch > part.size)) {
      const limits = `a multiple of "batch.micro" (${micro}) and at most "size" (${part.size})`;
      yield [`pool.${name}.batch`, `is ${part.batch}, but must be ${limits}`];
    }
  }
  if (patients && closing === undefined) yield ['pool.patients', 'needs "closing"'];
  if (patients && patients.crowded > 0 && !crowded) {
    yield ['pool.patients.crowded', 'needs "pool.crowded"'];
  }
  if (admit > fresh)
    yield ['pool.admit', `is ${admit}, but must be at most "batch.fresh" (${fresh})`];
  const drawn = drawnStates(pool);
  if (size <= drawn) yield ['pool.size', `is ${size}, too few to draw ${drawn} states per update`];
}

function* placesErrors({ channels, places, readout }: TrainingConfig): Generator<FieldError> {
  if (!places) return;
  const { channel: first } = places;
  const count = positionChannels(places);
  if (first + count > channels) {
    const needed = `need ${count} channels, starting at channel ${first}`;
    yield ['places', `${needed}, but the model has only ${channels} channels`];
  }
  const shown =
    readout.kind === 'bernoulli'
      ? [readout.channel]
      : readout.kind === 'dmol'
        ? Array.from({ length: 10 * readout.mixtures }, (_, i) => i)
        : readout.channels;
  const ofPicture = shown.find((channel) => channel >= first && channel < first + count);
  if (ofPicture !== undefined)
    yield ['places', `would use channel ${ofPicture}, which contains a colour of the picture`];
}

const schema = v.pipe(configFields, checkRelations<TrainingConfig>(relationErrors));

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file file name for error messages
 * @throws TrainingError 'bad-config' if a field is invalid
 */
export const parseConfig = (value: unknown, file: string): TrainingConfig =>
  checked(schema, value, `${file}: `);

/**
 * Reads a configuration file.
 *
 * @throws TrainingError 'missing-config' if the file cannot be read; 'bad-config' if it is not JSON
 *   or a field is invalid
 */
export const readConfig = async (file: string): Promise<TrainingConfig> =>
  parseConfig(await readJson(file), file);

/**
 * Reads a JSON file.
 *
 * @throws TrainingError 'missing-config' if the file cannot be read; 'bad-config' if it is not JSON
 */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(({ code = 'unknown' }) => {
    throw new TrainingError('missing-config', `${file} cannot be read (${code})`);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TrainingError('bad-config', `${file} is not JSON (${(error as Error).message})`);
  }
}

/** Fields that must not change when a run is resumed. All other fields may change. */
const MODEL_PARTS = [
  ...(['side', 'channels', 'latentSize', 'growth', 'update', 'readout'] as const),
  ...(['encoder', 'data', 'trains'] as const),
];

/**
 * Finds the first field that must not change when a run is resumed, but has changed. The folder of
 * the images may change.
 *
 * @param before the run's earlier configuration as JSON
 * @returns the path of the field; undefined if there is none; 'configuration' if the earlier
 *   configuration cannot be read
 */
export function changedField(before: string, now: TrainingConfig): string | undefined {
  try {
    // Use `configFields`, not `schema`, because an old run may violate newer rules about relations
    // between fields.
    const parsed = checked(configFields, JSON.parse(before), '');
    return MODEL_PARTS.flatMap((part) => differs(parsed[part], now[part], part) ?? [])[0];
  } catch {
    return 'configuration';
  }
}

/**
 * Returns the path of the first field in which two values differ, or undefined if they are equal.
 * Ignores `data.folder`, the folder of the images.
 *
 * @param path path of `a` and `b`, with which the returned path starts
 */
export function differs(a: unknown, b: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(a, b) || path === 'data.folder') return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
  return [...keys].flatMap((key) => differs(of(a, key), of(b, key), `${path}.${key}`) ?? [])[0];
}

/**
 * Changes a training configuration's batch size, and the sizes of its pools of grown organisms in
 * proportion.
 *
 * @param fresh number of new organisms per update, at least 1
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
 * Replaces the training images with the images in the user's folder.
 *
 * @param images path of the folder, relative to the working directory
 * @throws TrainingError 'bad-config' if the configuration does not train on a folder of images
 */
export function withImages<T extends Pick<TrainingConfig, 'data'>>(config: T, images: string): T {
  const { data } = config;
  if (data.kind !== 'folder') {
    const text = `--images works only if "data.kind" in the configuration is "folder", but "data.kind" is "${data.kind}"`;
    throw new TrainingError('bad-config', text);
  }
  return { ...config, data: { ...data, folder: resolve(images) } };
}

/**
 * Renames a training configuration.
 *
 * @throws TrainingError 'bad-config' if the new name is not allowed
 */
export function withName(config: TrainingConfig, name: string): TrainingConfig {
  const named = { ...config, name, title: nameOfFile(name) };
  parseConfig(JSON.parse(JSON.stringify(named)), '--name');
  return named;
}
