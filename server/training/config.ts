/** Reads and checks training configurations, the JSON files of `npm run train`. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { checkRelations, sentenceOf } from '../vnca/card.ts';
import { type ConfigFields, configFields } from './config-fields.ts';
import { relationErrors } from './config-relations.ts';
import { TrainingError } from './errors.ts';

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
