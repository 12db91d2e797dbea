/** Where a run keeps itself: its state with its configuration, its log, its pictures. */
import { appendFile, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../vnca/errors.ts';
import {
  fromFloat32,
  parseSafetensors,
  type TensorFile,
  toFloat32,
  writeSafetensors,
} from '../vnca/safetensors.ts';
import type { TrainingConfig } from './config.ts';
import { changedField } from './config-changes.ts';
import { TrainingError } from './errors.ts';
import type { Tensor, Tensors } from './model/parameters.ts';
import type { PoolEntry } from './pool.ts';
import { type RunState, trainedShapes } from './run-state.ts';

const STATE_FILE = 'state.safetensors';
const LOG_FILE = 'log.jsonl';
/** Bytes read at once. */
const PART = 2 ** 26;
/** Of a run's state. */
const POOLS = ['pool', 'crowd'] as const;
export const PICTURES_FOLDER = 'pictures';

export interface Run {
  readonly state: RunState;
  /** Seconds of training behind it. */
  readonly seconds: number;
  /** Digest of the images it is trained on; absent in runs of before it was kept. */
  readonly images?: string;
  /** Checkpoint whose weights it began with; absent: fresh ones. */
  readonly from?: string;
}

/** Writes the state so that a kill or a power cut at any moment leaves the old one or the new one. */
export async function saveRun(
  folder: string,
  { state, seconds, images, from }: Run,
  config: TrainingConfig,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tensors = new Map(
    [...state.tensors].map(([name, { shape, data }]) => [name, fromFloat32(shape, data)]),
  );
  for (const name of POOLS) {
    for (const [part, { shape, data }] of poolTensors(state[name])) {
      tensors.set(`${name}.${part}`, fromFloat32(shape, data));
    }
  }
  tensors.set('run', fromFloat32([2], Float32Array.of(state.update, seconds)));
  const bytes = writeSafetensors(tensors, {
    config: JSON.stringify(config),
    ...(images !== undefined && { images }),
    ...(from !== undefined && { from }),
  });
  await replaceFile(join(folder, STATE_FILE), bytes);
}

/** @throws TrainingError no-run, bad-run */
export async function loadRun(folder: string, config: TrainingConfig): Promise<Run> {
  const file = join(folder, STATE_FILE);
  const bytes = await readIfThere(file);
  if (!bytes) {
    throw new TrainingError(
      'no-run',
      `${file}: there is no run to resume; start it without --resume`,
    );
  }
  const { tensors, metadata } = parse(bytes, file);
  checkModel(metadata.config, config, file);
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, tensor] of tensors) {
    const data = toFloat32(tensor);
    if (data) stored.set(name, { shape: tensor.shape, data });
  }
  checkShapes(stored, config, file);
  const run = stored.get('run')?.data;
  if (run?.length !== 2) throw damaged(file, 'tensor "run" is missing or of another shape');
  const [pool, crowd] = POOLS.map((name) => readPool(stored, name, config.channels, file));
  stored.delete('run');
  const { images, from } = metadata;
  return {
    state: { update: run[0], tensors: stored, pool, crowd },
    seconds: run[1],
    ...(images !== undefined && { images }),
    ...(from !== undefined && { from }),
  };
}

/** Entries as tensors: `states` [n, S·S·C], `entries` [n, 3] (image, age, look), and `open` [n, S·S] where grounds are. */
function poolTensors(pool: readonly PoolEntry[]): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  if (pool.length === 0) return tensors;
  const rows = (of: (entry: PoolEntry) => ArrayLike<number>): Tensor => {
    const size = of(pool[0]).length;
    const data = new Float32Array(pool.length * size);
    pool.forEach((entry, i) => {
      data.set(of(entry), i * size);
    });
    return { shape: [pool.length, size], data };
  };
  tensors.set(
    'states',
    rows(({ states }) => states),
  );
  tensors.set(
    'entries',
    rows(({ image, age, look = 0 }) => [image, age, look]),
  );
  if (pool[0].open) {
    tensors.set(
      'open',
      rows(({ open }) => open!),
    );
  }
  return tensors;
}

function parse(bytes: Uint8Array, file: string): TensorFile {
  try {
    return parseSafetensors(bytes, file);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new TrainingError(
      'bad-run',
      `${error.message}; the run cannot go on: begin it again without --resume`,
    );
  }
}

const damaged = (file: string, what: string): TrainingError =>
  new TrainingError(
    'bad-run',
    `${file}: ${what}; the run cannot go on: begin it again without --resume`,
  );

/** Equal shapes are not yet an equal model: steps, leak and read-out have none. Runs of old have no configuration. */
function checkModel(saved: string | undefined, config: TrainingConfig, file: string): void {
  if (saved === undefined) return;
  const changed = changedField(saved, config);
  if (changed === undefined) return;
  throw new TrainingError(
    'bad-run',
    `${file}: "${changed}" was another when the run began; the model of a run cannot change, only its schedule`,
  );
}

function checkShapes(stored: Tensors, config: TrainingConfig, file: string): void {
  for (const [name, shape] of trainedShapes(config)) {
    for (const set of ['parameter', 'first', 'second', 'average']) {
      const found = stored.get(`${set}:${name}`)?.shape;
      // Only weights must be there: a run that has not begun has no moments.
      if (`${found}` === `${shape}` || (!found && set !== 'parameter')) continue;
      throw new TrainingError(
        'bad-run',
        `${file}: "${name}" is ${found ? `[${found}]` : 'missing'}, but the configuration asks for [${shape}]; the model of a run cannot change`,
      );
    }
  }
}

/** Takes a pool's tensors out of those that were stored. */
function readPool(
  stored: Map<string, Tensor>,
  name: (typeof POOLS)[number],
  channels: number,
  file: string,
): PoolEntry[] {
  const [states, numbers, open] = ['states', 'entries', 'open'].map((part) => {
    const tensor = stored.get(`${name}.${part}`);
    stored.delete(`${name}.${part}`);
    return tensor;
  });
  if (!states && !numbers && !open) return [];
  const [count, size] = states?.shape ?? [];
  const cells = (size ?? 0) / channels;
  const opens = open ? `${open.shape}` === `${[count, cells]}` : name === 'pool';
  // States of before looks were kept are of images as they are.
  const columns = numbers?.shape[1] ?? 0;
  const fits = numbers?.shape[0] === count && (columns === 2 || columns === 3);
  if (!fits || !(cells >= 1 && cells % 1 === 0) || !opens) {
    throw damaged(file, `tensors "${name}.states" and "${name}.entries" do not fit`);
  }
  return Array.from({ length: count }, (_, i) => ({
    image: numbers!.data[columns * i],
    age: numbers!.data[columns * i + 1],
    look: columns === 3 ? numbers!.data[columns * i + 2] : 0,
    states: states!.data.slice(i * size, (i + 1) * size),
    ...(open && { open: Uint8Array.from(open.data.subarray(i * cells, (i + 1) * cells)) }),
  }));
}

/**
 * Makes way for a new run: keeps state and log of the one before as `*.old.*`.
 *
 * @returns whether there was one
 */
export async function setAside(folder: string): Promise<boolean> {
  const moved = await Promise.all(
    [STATE_FILE, LOG_FILE].map(async (name) => {
      try {
        await rename(join(folder, name), join(folder, name.replace('.', '.old.')));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return false;
      }
    }),
  );
  return moved[0];
}

export async function appendLog(folder: string, line: object): Promise<void> {
  await appendFile(join(folder, LOG_FILE), `${JSON.stringify(line)}\n`);
}

/** Takes updates after the saved state out of the log: a run that was cut short does them again. */
export async function cutLog(folder: string, update: number): Promise<void> {
  const file = join(folder, LOG_FILE);
  const lines = (await readIfThere(file))?.toString('utf8').split('\n') ?? [];
  const kept = lines.filter((line) => {
    try {
      return JSON.parse(line).update <= update;
    } catch {
      return false;
    }
  });
  await replaceFile(file, kept.map((line) => `${line}\n`).join(''));
}

async function replaceFile(file: string, content: Uint8Array | string): Promise<void> {
  const part = await open(`${file}.part`, 'w');
  try {
    await part.writeFile(content);
    // The name must not come to point at bytes that a power cut then loses.
    await part.sync();
  } finally {
    await part.close();
  }
  await rename(`${file}.part`, file);
}

/** In parts: Node reads no file of 2 GiB or more at once, and the pool of a large model is one. */
async function readWhole(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const bytes = Buffer.allocUnsafeSlow((await handle.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(PART, bytes.length - at));
      if (bytesRead === 0) throw new Error(`${file} was cut while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readWhole(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
