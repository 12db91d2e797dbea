/** Where a run keeps itself: its configuration, its state, its log, its pictures. */
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromFloat32, parseSafetensors, toFloat32, writeSafetensors } from '../vnca/safetensors.ts';
import type { TrainingConfig } from './config.ts';
import { TrainingError } from './errors.ts';
import type { PoolEntry } from './pool.ts';
import { type RunState, trainedShapes } from './trainer.ts';

const STATE_FILE = 'state.safetensors';
const LOG_FILE = 'log.jsonl';
export const PICTURES_FOLDER = 'pictures';

export interface Run {
  readonly state: RunState;
  /** Seconds of training behind it. */
  readonly seconds: number;
}

/** Writes the state so that a kill at any moment leaves the old one or the new one. */
export async function saveRun(folder: string, { state, seconds }: Run): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tensors = new Map(
    [...state.tensors].map(([name, { shape, data }]) => [name, fromFloat32(shape, data)]),
  );
  const { pool } = state;
  if (pool.length > 0) {
    const size = pool[0].states.length;
    const states = new Float32Array(pool.length * size);
    pool.forEach((entry, i) => {
      states.set(entry.states, i * size);
    });
    const numbers = pool.flatMap(({ image, age }) => [image, age]);
    tensors.set('pool.states', fromFloat32([pool.length, size], states));
    tensors.set('pool.entries', fromFloat32([pool.length, 2], Float32Array.from(numbers)));
  }
  tensors.set('run', fromFloat32([2], Float32Array.of(state.update, seconds)));
  const file = join(folder, STATE_FILE);
  await writeFile(`${file}.part`, writeSafetensors(tensors));
  await rename(`${file}.part`, file);
}

/** @throws TrainingError no-run, bad-run */
export async function loadRun(folder: string, config: TrainingConfig): Promise<Run> {
  const file = join(folder, STATE_FILE);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new TrainingError(
      'no-run',
      `${file}: there is no run to resume; start it without --resume`,
    );
  }
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, tensor] of parseSafetensors(bytes, file).tensors) {
    const data = toFloat32(tensor);
    if (data) stored.set(name, { shape: tensor.shape, data });
  }
  for (const [name, shape] of trainedShapes(config)) {
    const found = stored.get(`parameter:${name}`);
    if (`${found?.shape}` === `${shape}`) continue;
    throw new TrainingError(
      'bad-run',
      `${file}: "${name}" is [${found?.shape ?? 'missing'}], but the configuration asks for [${shape}]; the model of a run cannot change`,
    );
  }
  const [update, seconds] = stored.get('run')!.data;
  const states = stored.get('pool.states');
  const numbers = stored.get('pool.entries');
  const pool: PoolEntry[] = [];
  if (states && numbers) {
    const size = states.shape[1];
    for (let i = 0; i < states.shape[0]; i++) {
      pool.push({
        image: numbers.data[2 * i],
        age: numbers.data[2 * i + 1],
        states: states.data.slice(i * size, (i + 1) * size),
      });
    }
  }
  for (const name of ['run', 'pool.states', 'pool.entries']) stored.delete(name);
  return { state: { update, tensors: stored, pool }, seconds };
}

export async function appendLog(folder: string, line: object): Promise<void> {
  await appendFile(join(folder, LOG_FILE), `${JSON.stringify(line)}\n`);
}
