/** The state of a painter's run, in the run's folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { float32Of } from '../../../shared/safetensors.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { parseSafetensors, writeSafetensors } from '../../vnca/safetensors.ts';
import { randomOfUpdate } from '../batches.ts';
import { TrainingError } from '../errors.ts';
import { readIfThere, replaceFile } from '../large-files.ts';
import { SETS } from '../optimiser.ts';
import { STATE_FILE } from '../run-folder.ts';
import type { PainterConfig } from './config.ts';
import { firstWeights, painterShapes } from './graph.ts';

/** Everything that continues a run as if it had not stopped. */
export interface PainterRun {
  /** Updates done. */
  readonly update: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Folder of the checkpoint whose creatures are painted. */
  readonly checkpoint: string;
  /** `parameter:*`, and once there are updates `first:*`, `second:*`, `average:*`. */
  readonly tensors: Tensors;
}

/** A run with random weights. */
export function firstPainterRun(config: PainterConfig): PainterRun {
  const drawn = firstWeights(config, randomOfUpdate(config.seed, 0));
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, seconds: 0, checkpoint: config.checkpoint, tensors };
}

/** What may not change in a run. */
const modelOf = ({ updates: _, ...model }: PainterConfig): string => JSON.stringify(model);

/** Writes the state atomically. */
export async function savePainterRun(
  folder: string,
  { update, seconds, checkpoint, tensors }: PainterRun,
  config: PainterConfig,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const run = { shape: [2], data: Float32Array.of(update, seconds) };
  const bytes = writeSafetensors(new Map([...tensors, ['run', run]]), {
    config: modelOf({ ...config, checkpoint }),
  });
  await replaceFile(join(folder, STATE_FILE), [bytes]);
}

/**
 * Reads the state of a run. It goes on with the checkpoint that it began with, whichever the
 * configuration names.
 *
 * @throws TrainingError no-run, bad-run
 */
export async function loadPainterRun(folder: string, config: PainterConfig): Promise<PainterRun> {
  const file = join(folder, STATE_FILE);
  const bytes = await readIfThere(file);
  if (!bytes) {
    const message = `${file}: there is no run to resume; start it without --resume`;
    throw new TrainingError('no-run', message);
  }
  const content = parseSafetensors(bytes, file);
  const tensors = float32Of(content);
  const run = tensors.get('run')?.data;
  tensors.delete('run');
  const shapes = [...painterShapes(config)].flatMap(([name, shape]) =>
    SETS.map((set) => [`${set}:${name}`, shape] as const),
  );
  const misfit = misfitOf(tensors, new Map(shapes));
  const { config: stored = '{}' } = content.metadata;
  const { checkpoint } = JSON.parse(stored);
  if (misfit || run?.length !== 2 || stored !== modelOf({ ...config, checkpoint })) {
    const why = misfit ?? 'the configuration was different when the run started';
    throw new TrainingError('bad-run', `${file}: ${why}; only its number of updates may change`);
  }
  return { update: run[0], seconds: run[1], checkpoint, tensors };
}
