/** Reads and checks training configurations, the JSON files of `npm run train`. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import {
  checkRelations,
  type FieldError,
  isPowerOfTwo,
  modelErrors,
  sentenceOf,
} from '../vnca/card.ts';
import { type ConfigFields, configFields, drawnAt, drawnStates } from './config-fields.ts';
import { nameOfFile } from './data/dataset.ts';
import { TrainingError } from './errors.ts';
import { areConsecutive, positionChannels } from './model/likelihood.ts';

/** What is wrong between the fields. */
export function* relationErrors(config: ConfigFields): Generator<FieldError> {
  yield* modelErrors(config);
  const { augment, batch, channels, curriculum, data, growth, places, pool, readout, side } =
    config;
  const { micro } = batch;
  if (data.side !== side) yield ['data.side', `is ${data.side}, but the model's "side" is ${side}`];
  if (readout.kind === 'rgba-premultiplied' && !areConsecutive(readout.channels)) {
    yield ['readout.channels', 'must be consecutive'];
  }
  if (config.slopes > 0 && readout.kind !== 'rgba-premultiplied') {
    yield ['slopes', 'is only for pictures in colours with transparency'];
  }
  if (config.slopes > 0 && growth.kind === 'doubling' && growth.seedSide < 2) {
    yield ['slopes', 'needs a "growth.seedSide" of 2 or more'];
  }
  if (config.trains === 'encoder') {
    for (const field of ['pool', 'places', 'leakRamp', 'galleryOffsets'] as const) {
      if (config[field] !== undefined) yield [field, 'is for runs that train the rule'];
    }
  }
  if (batch.fresh % micro !== 0) {
    yield ['batch.micro', `is ${micro}, which does not divide "batch.fresh" ${batch.fresh}`];
  }
  if (places && places.channel + positionChannels(places) > channels) {
    const needed = `need ${positionChannels(places)} channels from ${places.channel} on`;
    yield ['places', `${needed}, but there are only ${channels}`];
  }
  const ofPicture = channelsOf(readout).find(
    (channel) =>
      places && channel >= places.channel && channel < places.channel + positionChannels(places),
  );
  if (ofPicture !== undefined) yield ['places', `channel ${ofPicture} is of the picture`];
  if (pool && config.update.kind === 'decoder') {
    yield ['pool', 'is for cells that stay and heal; a decoder has no cell rule'];
  }
  if (pool) {
    const { calm, crowded } = pool;
    for (const [path, part] of Object.entries({ 'pool.batch': pool, 'pool.calm.batch': calm })) {
      if (part && part.batch % micro !== 0) {
        yield [path, `is ${part.batch}, not a multiple of "batch.micro" ${micro}`];
      }
    }
    if (crowded && (crowded.batch % micro !== 0 || crowded.batch > crowded.size)) {
      const limits = `a multiple of "batch.micro" ${micro}, at most "size" ${crowded.size}`;
      yield ['pool.crowded.batch', `is ${crowded.batch}: must be ${limits}`];
    }
    if (pool.patients) {
      const { batch: drawnPatients, size, crowded: beside } = pool.patients;
      if (drawnPatients % micro !== 0 || drawnPatients > size) {
        const limits = `a multiple of "batch.micro" ${micro}, at most "size" ${size}`;
        yield ['pool.patients.batch', `is ${drawnPatients}: must be ${limits}`];
      }
      if (config.closing === undefined) yield ['pool.patients', 'needs "closing"'];
      if (beside > 0 && !crowded) yield ['pool.patients.crowded', 'needs "pool.crowded"'];
    }
    if (pool.admit > batch.fresh) {
      yield ['pool.admit', `is ${pool.admit}, more than "batch.fresh" ${batch.fresh}`];
    }
    const drawn = drawnStates(pool);
    if (pool.size <= drawn) yield ['pool.size', `is ${pool.size}, too few to draw ${drawn} of`];
  }
  if (config.growthSteps && growth.kind !== 'uniform') {
    yield ['growthSteps', 'is only for uniform growth'];
  }
  if (growth.kind === 'uniform' && config.growthSteps) {
    const [low, high] = drawnAt(config.growthSteps, 1);
    if (growth.steps < low || growth.steps > high) {
      yield ['growth.steps', `is ${growth.steps}, outside "growthSteps" ${low} to ${high}`];
    }
  }
  if (config.judgeStages > 0 && growth.kind === 'uniform') {
    yield ['judgeStages', 'is only for growth by doubling'];
  }
  const { extraSteps, judgeGrown, optimiser } = config;
  const goesOn = ('to' in extraSteps ? [...extraSteps.from, ...extraSteps.to] : extraSteps).some(
    (steps) => steps > 0,
  );
  if (judgeGrown > 0 && !goesOn && !pool?.patients) {
    yield ['judgeGrown', 'needs "extraSteps" or "pool.patients"'];
  }
  for (const field of ['beta1', 'beta2', 'average'] as const) {
    if (optimiser[field] === 1) yield [`optimiser.${field}`, 'must be less than 1'];
  }
  for (const field of ['recolour', 'lines'] as const) {
    if (augment[field] > 0 && readout.kind !== 'rgba-premultiplied') {
      yield [`augment.${field}`, 'is only for pictures in colours with transparency'];
    }
  }
  for (const [i, { until, side: young }] of curriculum.entries()) {
    if (i > 0 && (until <= curriculum[i - 1].until || young <= curriculum[i - 1].side)) {
      yield ['curriculum', 'sides and shares must rise from entry to entry'];
    }
    const isStage =
      growth.kind === 'doubling'
        ? young >= growth.seedSide && isPowerOfTwo(side / young)
        : side % young === 0;
    if (!isStage) yield ['curriculum', `side ${young} is not a stage on the way to "side" ${side}`];
  }
  if (augment.shift >= side) {
    yield ['augment.shift', `is ${augment.shift}, too large for images of side ${side}`];
  }
}

/** Channels that show the picture. */
function channelsOf(readout: ConfigFields['readout']): readonly number[] {
  switch (readout.kind) {
    case 'bernoulli':
      return [readout.channel];
    case 'rgba-premultiplied':
      return readout.channels;
    case 'dmol':
      return Array.from({ length: 10 * readout.mixtures }, (_, i) => i);
  }
}

const schema = v.pipe(configFields, checkRelations<ConfigFields>(relationErrors));

/** A training configuration with all defaults. */
export type TrainingConfig = v.InferOutput<typeof schema>;

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file name in error messages
 * @throws TrainingError bad-config
 */
export function parseConfig(value: unknown, file: string): TrainingConfig {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new TrainingError('bad-config', `${file}: ${sentenceOf(result.issues[0])}`);
}

/**
 * Fills in the defaults of a configuration that a run is stored with. How its fields fit together was
 * checked when it began; rules that are newer than the run do not hold for it.
 *
 * @throws TrainingError bad-config
 */
export function parseStoredConfig(value: unknown): TrainingConfig {
  const result = v.safeParse(configFields, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new TrainingError('bad-config', sentenceOf(result.issues[0]));
}

/**
 * Reads a configuration file; `folder` is where relative paths start.
 *
 * @throws TrainingError missing-config, bad-config
 */
export async function readConfig(file: string): Promise<TrainingConfig & { folder: string }> {
  return { ...parseConfig(await readJson(file), file), folder: dirname(resolve(file)) };
}

/** Reads a file of JSON. @throws TrainingError missing-config, bad-config */
export async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TrainingError('missing-config', `${file}: file cannot be read (${code})`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TrainingError('bad-config', `${file}: not JSON (${(error as Error).message})`);
  }
}

/** Fields of the model, its images, and what of it is trained. The rest is schedule, which can change during a run. */
const MODEL_PARTS = [
  'side',
  'channels',
  'latentSize',
  'growth',
  'update',
  'readout',
  'encoder',
  'data',
  'trains',
] as const satisfies readonly (keyof TrainingConfig)[];

/**
 * The first model field that differs from an earlier configuration. The folder of the images may
 * differ.
 *
 * @param before the earlier configuration, JSON
 * @returns its path; undefined if all are equal
 */
export function changedField(before: string, now: TrainingConfig): string | undefined {
  let parsed: TrainingConfig;
  try {
    // Adds defaults of fields that are newer than the run.
    parsed = parseStoredConfig(JSON.parse(before));
  } catch {
    return 'configuration';
  }
  for (const part of MODEL_PARTS) {
    const path = differs(parsed[part], now[part], part);
    if (path !== undefined) return path;
  }
  return undefined;
}

const MOVABLE = 'data.folder';

/** The path of the first difference of two values, which begins with `path`; undefined: none. */
export function differs(a: unknown, b: unknown, path: string): string | undefined {
  if (path === MOVABLE) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b) ? undefined : path;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a, b].map((object) => (object as Record<string, unknown>)[key]);
    const found = differs(x, y, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The same training with another batch size, for trials on small machines. The pool is scaled too.
 *
 * @param fresh new organisms per update, 1…
 */
export function withBatch<T extends TrainingConfig>(config: T, fresh: number): T {
  const { batch, pool } = config;
  const scaled = (n: number): number => Math.max(1, Math.round((n * fresh) / batch.fresh));
  const drawn = pool && scaled(pool.batch);
  const calm = pool?.calm && { ...pool.calm, batch: scaled(pool.calm.batch) };
  const crowded = pool?.crowded && { ...pool.crowded, batch: scaled(pool.crowded.batch) };
  const patients = pool?.patients && { ...pool.patients, batch: scaled(pool.patients.batch) };
  for (const part of [crowded, patients]) {
    if (part) part.size = Math.max(part.batch, scaled(part.size));
  }
  const parts = [fresh, drawn, calm?.batch, crowded?.batch, patients?.batch].filter(
    (part) => part !== undefined,
  );
  let micro = Math.min(batch.micro, ...parts);
  while (parts.some((part) => part % micro !== 0)) micro--;
  return {
    ...config,
    batch: { fresh, micro },
    ...(pool &&
      drawn && {
        pool: {
          ...pool,
          size: Math.max(drawn + (calm?.batch ?? 0) + 1, scaled(pool.size)),
          batch: drawn,
          ...(calm && { calm }),
          ...(crowded && { crowded }),
          ...(patients && { patients }),
          admit: Math.min(fresh, scaled(pool.admit)),
        },
      }),
  };
}

/**
 * The same training on the user's own images.
 *
 * @param images a folder, relative to the working directory
 * @throws TrainingError bad-config: the set of the configuration is not a folder
 */
export function withImages<T extends Pick<TrainingConfig, 'data'>>(config: T, images: string): T {
  const { data } = config;
  if (data.kind !== 'folder' && data.kind !== 'celeba') {
    throw new TrainingError(
      'bad-config',
      `--images is for a training set that is a folder of images, not for "data.kind" "${data.kind}"`,
    );
  }
  return { ...config, data: { ...data, folder: resolve(images) } };
}

/**
 * The same training under another name.
 *
 * @throws TrainingError bad-config: the name is not allowed
 */
export function withName<T extends TrainingConfig>(config: T, name: string): T {
  const named = { ...config, name, title: nameOfFile(name) };
  parseConfig(JSON.parse(JSON.stringify(named)), '--name');
  return named;
}
