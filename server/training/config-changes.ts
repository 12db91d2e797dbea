/** Changes of a configuration: which ones a resumed run allows, and those of the command line. */
import { resolve } from 'node:path';
import { parseConfig, parseStoredConfig, type TrainingConfig } from './config.ts';
import { nameOfFile } from './data/names.ts';
import { TrainingError } from './errors.ts';

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
