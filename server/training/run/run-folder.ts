/** Reads and writes the folder of a training run, which contains its state, log and pictures. */
import { appendFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Float32Tensor, float32Of, type TensorFile } from '../../../shared/safetensors.ts';
import type { Shape } from '../../autodiff/graph.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { defined } from '../../platform/collections.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { CheckpointError } from '../../vnca/card.ts';
import { parseSafetensors, writeSafetensors } from '../../vnca/checkpoint.ts';
import { changedField, type TrainingConfig } from '../config.ts';
import { TrainingError } from '../errors.ts';
import { POOLS, type PoolEntry, type PoolName, type PoolStates } from '../rollout/pools.ts';
import { readIfThere, replaceFile } from './large-files.ts';
import { SETS } from './optimiser.ts';
import { type RunState, runShapes } from './run-state.ts';

export const STATE_FILE = 'state.safetensors';
const LOG_FILE = 'log.jsonl';
/** Subfolder for picture sheets that show the progress of training. */
export const PICTURES_FOLDER = 'pictures';

/** A run as stored in its folder. */
export interface Run {
  readonly state: RunState;
  /** Training time so far, in seconds. */
  readonly seconds: number;
  /** Digest of the training images. Absent before the images are loaded. */
  readonly images?: string;
  /**
   * Folder of the checkpoint whose weights the run started with. Absent if the weights were random.
   */
  readonly from?: string;
  /** The command that repeats the run so far. */
  readonly command?: string;
}

export async function saveRun(
  folder: string,
  { state, seconds, ...origin }: Run,
  config: TrainingConfig,
): Promise<void> {
  const tensors = new Map(state.tensors);
  for (const name of POOLS) {
    for (const [part, tensor] of poolTensors(state[name])) tensors.set(`${name}.${part}`, tensor);
  }
  await writeState(folder, tensors, [state.update, seconds], {
    config: JSON.stringify(config),
    // Store `reached` as text, because rounding to 32 bits could make the number larger.
    reached: `${state.reached}`,
    ...origin,
  });
}

/**
 * Writes the state of a training run for a rule or a painter.
 *
 * @param run number of updates so far, and training time so far in seconds
 */
export async function writeState(
  folder: string,
  tensors: Tensors,
  run: readonly [updates: number, seconds: number],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const all = new Map([...tensors, ['run', { shape: [2], data: Float32Array.from(run) }]]);
  await replaceFile(join(folder, STATE_FILE), [writeSafetensors(all, metadata)]);
}

/**
 * Reads the state of a training run for a rule or a painter.
 *
 * @returns the file's tensors and metadata, the number of updates done (`update`), and the training
 *   time in seconds (`seconds`)
 * @throws TrainingError 'no-run' if there is no state; 'bad-run' if the state is damaged
 */
export async function readState(folder: string, name = STATE_FILE) {
  const file = join(folder, name);
  const bytes = await readIfThere(file);
  if (!bytes) {
    const message = `${file} does not exist, so there is no run to resume. Start without --resume.`;
    throw new TrainingError('no-run', message);
  }
  let content: TensorFile;
  try {
    content = parseSafetensors(bytes, file);
  } catch (error) {
    throw error instanceof CheckpointError ? damaged(error.message) : error;
  }
  const tensors = float32Of(content);
  const run = tensors.get('run')?.data;
  tensors.delete('run');
  if (run?.length !== 2) throw damaged(`${file}: tensor "run" is missing or has the wrong shape`);
  return { file, tensors, metadata: content.metadata, update: run[0], seconds: run[1] };
}

/**
 * Reads the state of a run that is to be resumed.
 *
 * @throws TrainingError 'no-run' if there is no state; 'bad-run' if the state is damaged or does
 *   not fit the configuration
 */
export async function loadRun(folder: string, config: TrainingConfig): Promise<Run> {
  const { file, tensors: stored, metadata, update, seconds } = await readState(folder);
  // Compare configurations, because different models may have tensors of the same shapes.
  const changed = changedField(metadata.config ?? '', config);
  if (changed) {
    const text = `${file}: "${changed}" was different when the run started. A resumed run must keep its model.`;
    throw new TrainingError('bad-run', text);
  }
  // Weights must be present. Moments and averages are missing if the run has not done any update.
  const shapes = [...runShapes(config)].flatMap(([name, shape]) =>
    SETS.map((set): [string, Shape] => [`${set}:${name}`, shape]).filter(
      ([key]) => key === `parameter:${name}` || stored.has(key),
    ),
  );
  const misfit = misfitOf(stored, new Map(shapes));
  if (misfit) {
    throw new TrainingError('bad-run', `${file}: ${misfit}. A resumed run must keep its model.`);
  }
  const pools = POOLS.map((name) => [name, readPool(stored, name, config.channels, file)]);
  const { images, from, command } = metadata;
  return {
    state: {
      ...{ update, reached: Number(metadata.reached), tensors: stored },
      ...(Object.fromEntries(pools) as PoolStates),
    },
    seconds,
    ...defined({ images, from, command }),
  };
}

/**
 * Converts a pool of grown organisms to tensors: `states` [n, S·S·C]; `entries` [n, 3] with image,
 * age and `look` (random seed of the augmentation); and, if the organisms have masks, `open` and
 * `closed` [n, S·S].
 */
function poolTensors(pool: readonly PoolEntry[]): Map<string, Float32Tensor> {
  const tensors = new Map<string, Float32Tensor>();
  if (pool.length === 0) return tensors;
  const addRows = (name: string, of: (entry: PoolEntry) => ArrayLike<number>): void => {
    const size = of(pool[0]).length;
    const data = new Float32Array(pool.length * size);
    pool.forEach((entry, i) => {
      data.set(of(entry), i * size);
    });
    tensors.set(name, { shape: [pool.length, size], data });
  };
  addRows('states', ({ states }) => states);
  addRows('entries', ({ image, age, look = 0 }) => [image, age, look]);
  if (pool[0].open) addRows('open', ({ open }) => open!);
  if (pool[0].closed) addRows('closed', ({ closed }) => closed!);
  return tensors;
}

const damaged = (what: string): TrainingError =>
  new TrainingError(
    'bad-run',
    `${what}. This run cannot continue. Start a new run without --resume.`,
  );

/**
 * Reads a pool of grown organisms from the tensors in `stored`, and removes these tensors from
 * `stored`.
 */
function readPool(
  stored: Map<string, Float32Tensor>,
  name: PoolName,
  channels: number,
  file: string,
): PoolEntry[] {
  const [states, numbers, open, closed] = ['states', 'entries', 'open', 'closed'].map((part) => {
    const tensor = stored.get(`${name}.${part}`);
    stored.delete(`${name}.${part}`);
    return tensor;
  });
  if (!states && !numbers && !open && !closed) return [];
  const [count, size] = states?.shape ?? [];
  const cells = (size ?? 0) / channels;
  const fitsCells = (tensor: Float32Tensor | undefined, isNeeded: boolean): boolean =>
    tensor ? `${tensor.shape}` === `${[count, cells]}` : !isNeeded;
  const masksFit = fitsCells(open, name !== 'pool') && fitsCells(closed, name === 'patients');
  if (`${numbers?.shape}` !== `${[count, 3]}` || !(cells >= 1 && cells % 1 === 0) || !masksFit) {
    throw damaged(`${file}: the tensors "${name}.*" have wrong shapes`);
  }
  const rowOf = ({ data }: Float32Tensor, i: number): Uint8Array =>
    Uint8Array.from(data.subarray(i * cells, (i + 1) * cells));
  return Array.from({ length: count }, (_, i) => ({
    image: numbers!.data[3 * i],
    age: numbers!.data[3 * i + 1],
    look: numbers!.data[3 * i + 2],
    states: states!.data.slice(i * size, (i + 1) * size),
    ...(open && { open: rowOf(open, i) }),
    ...(closed && { closed: rowOf(closed, i) }),
  }));
}

/**
 * Prepares the folder of a run. For a new run, renames the files of a previous run and saves the
 * first state. For a resumed run, removes log entries of updates that will be repeated.
 *
 * @param resumedAt number of updates in the saved state of a resumed run; undefined for a new run
 * @param save writes the first state
 * @throws TrainingError 'bad-run' if the previous run cannot be kept (see `setAside`)
 */
export async function openFolder(
  folder: string,
  resumedAt: number | undefined,
  say: (line: string) => void,
  save: () => Promise<void>,
): Promise<void> {
  if (resumedAt !== undefined) await cutLog(folder, resumedAt);
  else if (await setAside(folder)) say(`the previous run is kept as ${oldName(STATE_FILE)}`);
  await mkdir(join(folder, PICTURES_FOLDER), { recursive: true });
  if (resumedAt === undefined) await save();
}

/**
 * Renames the previous run's files to `state.old.safetensors` and `log.old.jsonl`.
 *
 * @returns whether there was a previous run
 * @throws TrainingError 'bad-run' if renaming would overwrite an even older run that has more
 *   updates, for example because the user forgot --resume twice
 */
export async function setAside(folder: string): Promise<boolean> {
  const [file, old] = [STATE_FILE, oldName(STATE_FILE)].map((name) => join(folder, name));
  const before = await updatesIn(folder, oldName(STATE_FILE));
  const now = await updatesIn(folder, STATE_FILE);
  if (before !== undefined && now !== undefined && before > now) {
    const text = `a new run would replace ${old} (${before} updates) with ${file} (only ${now} updates). Continue with --resume, or first move ${old} to another folder.`;
    throw new TrainingError('bad-run', text);
  }
  for (const name of [STATE_FILE, LOG_FILE]) {
    await rename(join(folder, name), join(folder, oldName(name))).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  return now !== undefined;
}

const oldName = (name: string): string => name.replace('.', '.old.');

/**
 * Returns the number of updates in a stored state: 0 if the file is damaged, undefined if there is
 * no file.
 */
const updatesIn = (folder: string, name: string): Promise<number | undefined> =>
  readState(folder, name).then(
    ({ update }) => update,
    ({ reason }) => (reason === 'no-run' ? undefined : 0),
  );

export const appendLog = (folder: string, line: object): Promise<void> =>
  appendFile(join(folder, LOG_FILE), `${JSON.stringify(line)}\n`);

/**
 * Removes log entries of updates after `update`, because a resumed run repeats and logs these
 * updates.
 *
 * @param update number of updates in the saved state
 */
export async function cutLog(folder: string, update: number): Promise<void> {
  const file = join(folder, LOG_FILE);
  const lines = `${(await readIfThere(file)) ?? ''}`.split('\n');
  const saved = lines.filter((line) => Number(/"update":(\d+),/.exec(line)?.[1]) <= update);
  await replaceFile(file, [saved.map((line) => `${line}\n`).join('')]);
}
