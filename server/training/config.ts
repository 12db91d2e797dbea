/** What a training run is told: `*.json` files that `npm run train` takes, with their defaults and limits. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { modelFields, soundModel } from '../vnca/card.ts';
import { encoderNetwork } from '../vnca/encoder-network.ts';
import { datasetConfig } from './data/config.ts';
import { TrainingError } from './errors.ts';
import { positionChannels } from './model/position-loss.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.gtValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** Whole numbers to draw from, both ends included; they may grow from `from` to `to` over the first share of a run. */
const drawnFrom = (least: number) => {
  const end = v.pipe(v.number(), v.integer(), v.minValue(least));
  const span = v.pipe(
    v.strictTuple([end, end]),
    v.check(([low, high]) => low <= high, 'low end is above the high end'),
  );
  return v.union([span, v.strictObject({ from: span, to: span, over: v.optional(share, 1) })]);
};
export type Drawn = v.InferOutput<ReturnType<typeof drawnFrom>>;

export const WOUND_KINDS = ['disc', 'half', 'bar', 'square', 'stroke'] as const;

const pool = v.strictObject({
  /** Most grown states kept. */
  size: v.optional(count, 1024),
  /** States drawn an update. */
  batch: count,
  /** Of the fresh batch, how many grown states go in; few let the others grow old. */
  admit: count,
  /**
   * Until the pool holds more than are drawn, as many new organisms stand in for its states, and all of these go in: every
   * update has a whole batch, as published.
   */
  standIns: v.optional(v.boolean(), false),
  /** Steps a drawn state goes on. */
  steps: drawnFrom(1),
  /** Only the last of these steps are differentiated; absent: all. */
  gradientSteps: v.exactOptional(count),
  /** So many more states an update that are not wounded and go on a few steps: many pictures at little cost. */
  calm: v.exactOptional(
    v.strictObject({
      batch: count,
      steps: drawnFrom(1),
      /**
       * Each takes the genome of another image and has these steps to become it: a set that is much larger than the pool is
       * seen at little cost, and what an organism becomes does not hang on what it was.
       */
      metamorphosis: v.optional(v.boolean(), false),
    }),
  ),
  /**
   * So many more states an update that live among others: a part of their ground is closed, as neighbours close it in a room, and
   * stays so for long. Cells there are zeroed before each step and not judged.
   */
  crowded: v.exactOptional(
    v.strictObject({
      batch: count,
      /** Most states kept for these. */
      size: v.optional(count, 256),
      /** Share of the drawn ones that make way for a state of the pool, with new neighbours. */
      renewed: v.optional(share, 0.15),
      /** Largest share of the cells that is closed. */
      largest: v.optional(share, 0.7),
      /** Chance that a micro-batch of new organisms grows up crowded. */
      fresh: v.optional(share, 0),
    }),
  ),
  /** Share of the drawn states that are wounded first. */
  wounded: v.optional(share, 0.5),
  wounds: v.optional(v.pipe(v.array(v.picklist(WOUND_KINDS)), v.minLength(1)), ['square']),
  /** Largest share of the cells that a wound takes. */
  largestWound: v.optional(share, 0.5),
  /** What the divergence is counted for. */
  divergence: v.optional(v.picklist(['fresh', 'all']), 'fresh'),
});

const fields = v.strictObject({
  ...modelFields,
  encoder: encoderNetwork,
  data: datasetConfig,
  /** Train on the validation part too: the published digits did, and have the test part for figures. */
  trainOnValidation: v.optional(v.boolean(), false),
  /** Equal seeds give equal runs on one back end. */
  seed: v.optional(whole, 1),
  /** Updates of the whole run. */
  updates: count,
  /** σ of the RGBA likelihood; other read-outs have none. */
  sigma: v.optional(positive, 0.1),
  /** What a nat of divergence counts. */
  beta: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  batch: v.strictObject({
    /** New organisms an update. */
    fresh: count,
    /** Samples computed together; bounds memory, and small ones stay in the processor's cache. */
    micro: v.optional(count, 8),
  }),
  /** Uniform growth: steps from seed to picture. */
  growthSteps: v.exactOptional(drawnFrom(1)),
  /**
   * What draws a number of steps of its own: each micro-batch, or each update for all of its organisms, as published. Then
   * equal ranges give equal numbers.
   */
  stepsDrawn: v.optional(v.picklist(['micro-batch', 'update']), 'micro-batch'),
  /** Steps that a fresh organism goes on after growing. */
  extraSteps: v.optional(drawnFrom(0), () => [0, 0] as [number, number]),
  /** Channels in which cells learn to show where they are in the body: see `model/position-loss.ts`. */
  places: v.exactOptional(
    v.strictObject({ channel: whole, octaves: count, weight: v.optional(positive, 1) }),
  ),
  /** What the picture counts at the end of growth, beside the one after the extra steps. */
  judgeGrown: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /** What the picture of each smaller stage counts, against the image at its size. */
  judgeStages: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  /**
   * Shares of the run between which the leak rises from nothing to the model's. A rule without a leak learns pictures sooner,
   * as cells need not uphold what they know; absent: it has its leak from the first update on.
   */
  leakRamp: v.exactOptional(
    v.pipe(
      v.strictTuple([share, share]),
      v.check(([from, to]) => from <= to, 'its end is before its beginning'),
    ),
  ),
  /** Begin with smaller patches, which cost less: up to `until` of the run they grow to `side` alone. */
  curriculum: v.optional(v.array(v.strictObject({ side: count, until: share })), []),
  pool: v.exactOptional(pool),
  optimiser: v.optional(
    v.strictObject({
      learningRate: v.optional(positive, 1e-4),
      /** Updates over which the rate rises from zero. */
      warmup: v.optional(whole, 0),
      /** The rate falls linearly to `finalRate` of itself over the last share of the run. */
      decay: v.optional(share, 0),
      finalRate: v.optional(share, 0.05),
      beta1: v.optional(share, 0.9),
      beta2: v.optional(share, 0.999),
      epsilon: v.optional(positive, 1e-8),
      /** Greatest global norm of a gradient. */
      clip: v.optional(positive, 10),
      /** Decay of the moving average of the weights, which is what a checkpoint gets; 0: the weights themselves. */
      average: v.optional(share, 0),
    }),
    {},
  ),
  augment: v.optional(
    v.strictObject({ flip: v.optional(v.boolean(), false), shift: v.optional(whole, 0) }),
    {},
  ),
  /** Steps a program holds; longer ones recompute less and need more memory. */
  segmentSteps: v.optional(count, 8),
  /** A picture sheet and a saved state every so many minutes. */
  saveMinutes: v.optional(positive, 5),
  /** Entries of the gallery at most. */
  gallery: v.optional(count, 512),
});

type Fields = v.InferOutput<typeof fields>;

/** Rules between the fields: where it is wrong, and what. */
const RELATIONS: readonly [path: string, wrong: (config: Fields) => string | false | undefined][] =
  [
    [
      'data.side',
      ({ data, side }) =>
        data.side !== side && `is ${data.side}, but the model's "side" is ${side}`,
    ],
    [
      'readout.channels',
      ({ readout }) =>
        readout.kind === 'rgba-premultiplied' &&
        readout.channels.some((channel, i) => channel !== readout.channels[0] + i) &&
        'must follow each other',
    ],
    [
      'batch.micro',
      ({ batch }) =>
        batch.fresh % batch.micro !== 0 &&
        `is ${batch.micro}, which does not divide "batch.fresh" ${batch.fresh}`,
    ],
    [
      'pool.batch',
      ({ batch, pool }) =>
        pool &&
        pool.batch % batch.micro !== 0 &&
        `is ${pool.batch}, no multiple of "batch.micro" ${batch.micro}`,
    ],
    [
      'pool.calm.batch',
      ({ batch, pool }) =>
        pool?.calm &&
        pool.calm.batch % batch.micro !== 0 &&
        `is ${pool.calm.batch}, no multiple of "batch.micro" ${batch.micro}`,
    ],
    [
      'pool.crowded.batch',
      ({ batch, pool }) =>
        pool?.crowded &&
        (pool.crowded.batch % batch.micro !== 0 || pool.crowded.batch > pool.crowded.size) &&
        `is ${pool.crowded.batch}: must be a multiple of "batch.micro" ${batch.micro}, no more than "size" ${pool.crowded.size}`,
    ],
    [
      'places',
      ({ places, channels }) =>
        places &&
        places.channel + positionChannels(places) > channels &&
        `need ${positionChannels(places)} channels from ${places.channel} on, but there are only ${channels}`,
    ],
    [
      'pool.admit',
      ({ batch, pool }) =>
        pool &&
        pool.admit > batch.fresh &&
        `is ${pool.admit}, more than "batch.fresh" ${batch.fresh}`,
    ],
    [
      'pool.size',
      ({ pool }) =>
        pool &&
        pool.size <= drawnStates(pool) &&
        `is ${pool.size}, too few to draw ${drawnStates(pool)} of`,
    ],
    [
      'growthSteps',
      ({ growth, growthSteps }) =>
        growthSteps && growth.kind !== 'uniform' && 'is for uniform growth alone',
    ],
    [
      'curriculum',
      ({ curriculum, growth, side }) => {
        const least = growth.kind === 'doubling' ? growth.seedSide : 1;
        const fits = (at: number): boolean =>
          at >= least && (growth.kind === 'doubling' ? isDouble(side / at) : side % at === 0);
        const wrong = curriculum.find((part) => !fits(part.side));
        return wrong && `side ${wrong.side} is no stage on the way to "side" ${side}`;
      },
    ],
    [
      'augment.shift',
      ({ augment, side }) =>
        augment.shift >= side && `is ${augment.shift}, more than images of ${side} have`,
    ],
  ];

/** States that an update draws from the pool. */
export const drawnStates = ({ batch, calm }: NonNullable<Fields['pool']>): number =>
  batch + (calm?.batch ?? 0);

const isDouble = (n: number): boolean => n >= 1 && Number.isInteger(Math.log2(n));

const schema = v.pipe(
  fields,
  soundModel<Fields>(),
  v.rawCheck<Fields>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [path, wrong] of RELATIONS) {
      const what = wrong(dataset.value);
      if (what) addIssue({ message: `field "${path}": ${what}` });
    }
  }),
);

export type TrainingConfig = v.InferOutput<typeof schema>;

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file how messages call it
 * @throws TrainingError bad-config
 */
export function parseConfig(value: unknown, file: string): TrainingConfig {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  // Rules between fields name theirs in the message.
  const where = field ? `field "${field}": ` : '';
  throw new TrainingError('bad-config', `${file}: ${where}${issue.message}`);
}

/** @throws TrainingError missing-config, bad-config */
export async function readConfig(file: string): Promise<TrainingConfig & { folder: string }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TrainingError('missing-config', `${file}: file cannot be read (${code})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TrainingError('bad-config', `${file}: not JSON (${(error as Error).message})`);
  }
  return { ...parseConfig(value, file), folder: dirname(resolve(file)) };
}

/** The range to draw from at a point of a run, 0…1. */
export function drawnAt(range: Drawn, progress: number): readonly [number, number] {
  if (!('from' in range)) return range;
  const t = range.over === 0 ? 1 : Math.min(1, progress / range.over);
  const at = (i: 0 | 1): number => Math.round(range.from[i] + t * (range.to[i] - range.from[i]));
  return [at(0), at(1)];
}
