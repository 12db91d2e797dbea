/** Reads and checks training configurations, the JSON files of `npm run train`. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { checkRelations, type FieldError, isPowerOfTwo, modelErrors } from '../vnca/card.ts';
import { type ConfigFields, configFields, drawnAt, drawnStates } from './config-fields.ts';
import { nameOfFile } from './data/dataset.ts';
import { checked, TrainingError } from './errors.ts';
import { areConsecutive, positionChannels } from './model/likelihood.ts';

const ONLY_COLOURS = 'needs pictures in colours with transparency';

/** Finds errors in the relations between fields. */
export function* relationErrors(config: ConfigFields): Generator<FieldError> {
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
function* batchErrors({ batch, closing, pool, update }: ConfigFields): Generator<FieldError> {
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
function* placesErrors({ channels, places, readout }: ConfigFields): Generator<FieldError> {
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

const schema = v.pipe(configFields, checkRelations<ConfigFields>(relationErrors));

/** A training configuration with all defaults filled in. */
export type TrainingConfig = v.InferOutput<typeof schema>;

/**
 * Checks a configuration and fills in defaults.
 *
 * @param file file name for error messages
 * @throws TrainingError bad-config
 */
export const parseConfig = (value: unknown, file: string): TrainingConfig =>
  checked(schema, value, `${file}: `);

/**
 * Reads a configuration file. Relative paths in it start at the returned `folder`.
 *
 * @throws TrainingError missing-config, bad-config
 */
export async function readConfig(file: string): Promise<TrainingConfig & { folder: string }> {
  return { ...parseConfig(await readJson(file), file), folder: dirname(resolve(file)) };
}

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
  let parsed: TrainingConfig;
  try {
    // Parse with `configFields` only, which fills in fields that are newer than the run. The
    // relations between fields were checked when the run began, and relations added since do not
    // apply to it.
    parsed = checked(configFields, JSON.parse(before), '');
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

/**
 * Returns the path of the first difference between two values, starting with `path`, or undefined
 * if they are equal.
 */
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
 * Changes the batch size of a training configuration, for trials on small machines. Scales the pool
 * too.
 *
 * @param fresh number of new organisms per update, 1…
 */
export function withBatch<T extends TrainingConfig>(config: T, fresh: number): T {
  const { batch, pool } = config;
  const scaled = (n: number): number => Math.max(1, Math.round((n * fresh) / batch.fresh));
  const smaller = <P extends { batch: number }>(part: P): P => {
    const size = scaled(part.batch);
    return {
      ...part,
      batch: size,
      ...('size' in part && { size: Math.max(size, scaled(part.size as number)) }),
    };
  };
  const parts = (['calm', 'crowded', 'patients'] as const).flatMap((name) => {
    const part = pool?.[name];
    return part ? [[name, smaller(part)] as const] : [];
  });
  const batches = [fresh, ...parts.map(([, part]) => part.batch)];
  if (pool) batches.push(scaled(pool.batch));
  let micro = Math.min(batch.micro, ...batches);
  while (batches.some((part) => part % micro !== 0)) micro--;
  const changed = { ...config, batch: { fresh, micro } };
  if (!pool) return changed;
  const scaledPool = { ...pool, ...Object.fromEntries(parts), batch: scaled(pool.batch) };
  const size = Math.max(drawnStates(scaledPool) + 1, scaled(pool.size));
  const admit = Math.min(fresh, scaled(pool.admit));
  return { ...changed, pool: { ...scaledPool, size, admit } };
}

/**
 * Replaces the training set with the user's own images.
 *
 * @param images a folder, relative to the working directory
 * @throws TrainingError bad-config: the configuration's set is not a folder of images
 */
export function withImages<T extends Pick<TrainingConfig, 'data'>>(config: T, images: string): T {
  const { data } = config;
  if (data.kind !== 'folder' && data.kind !== 'celeba') {
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
export function withName<T extends TrainingConfig>(config: T, name: string): T {
  const named = { ...config, name, title: nameOfFile(name) };
  parseConfig(JSON.parse(JSON.stringify(named)), '--name');
  return named;
}
