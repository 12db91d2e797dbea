/** Trains a painter: `npm run train -- server/training/configs/painter.json`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePainter } from '../../../shared/painter/net.ts';
import { float32Of } from '../../../shared/safetensors.ts';
import { createCompute } from '../../autodiff/create.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { loadCheckpoint, parseSafetensors, writeSafetensors } from '../../vnca/checkpoint.ts';
import { randomOfUpdate } from '../batches.ts';
import type { Options } from '../command.ts';
import { withImages } from '../config.ts';
import { TrainingError } from '../errors.ts';
import type { StopSignal } from '../failures.ts';
import { readIfThere, replaceFile } from '../large-files.ts';
import { createAdam, SETS } from '../optimiser.ts';
import { appendLog, cutLog, PICTURES_FOLDER, STATE_FILE, setAside } from '../run-folder.ts';
import { drawBatch } from './batch.ts';
import type { PainterConfig } from './config.ts';
import { compileLoss, firstWeights, painterShapes } from './graph.ts';
import { prepareMaterial } from './grown.ts';
import { measurePainter } from './measure.ts';
import { loadOriginals } from './originals.ts';
import { drawPainterSheet } from './sheet.ts';
import { checkOut, painterBytes, writePainter } from './write.ts';

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

const SAVE_EVERY = 5 * 60_000;
const SAY_EVERY = 10_000;

/** The optimiser. The average of the weights is what is used. */
const ADAM = { encoderRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clip: 1, average: 0.999 };

/** Surroundings of a run. */
export interface PainterRunOptions {
  readonly config: PainterConfig;
  readonly baseFolder: string;
  readonly options: Options;
  readonly say: (line: string) => void;
  readonly stop: StopSignal;
}

/** Options that say something of a rule alone. */
const OF_RULES = ['batch', 'compact', 'encoder', 'refine'] as const;

function refuseOptionsOfRules(options: Options): void {
  const given = OF_RULES.find((name) => options[name] !== undefined && options[name] !== false);
  if (given === undefined) return;
  throw new TrainingError('bad-config', `--${given} is for runs that train a rule, not a painter`);
}

/**
 * Trains until the end, the time limit or a signal; measures; writes the painter.
 *
 * @throws TrainingError bad-config: an option is not for painters; bad-data: the images are not those
 *   of the checkpoint, or have no larger originals; no-run, bad-run
 */
export async function trainPainter(run: PainterRunOptions): Promise<void> {
  const { options, say, baseFolder, stop } = run;
  refuseOptionsOfRules(options);
  const updates = options.updates ?? run.config.updates;
  const read = options.images === undefined ? run.config : withImages(run.config, options.images);
  const config = { ...read, updates, checkpoint: options.from ?? read.checkpoint };
  const folder = options.run ?? join('.cache/training/runs', options.name ?? config.name);
  const begun = options.resume ? await loadPainterRun(folder, config) : firstPainterRun(config);
  const { checkpoint: source } = begun;
  const checkpoint = await loadCheckpoint(source);
  if (checkpoint.card.readout.kind !== 'rgba-premultiplied') {
    throw new TrainingError('bad-data', `${source}: only creatures in RGBA are painted`);
  }
  const out = options.out ?? join(folder, 'checkpoint');
  await checkOut(out, checkpoint);
  const originals = await loadOriginals(config.data, { baseFolder });
  const { side } = checkpoint.card;
  const { kept, material } = await prepareMaterial(checkpoint, originals, config);
  const examples = `${material.originals.length} originals and ${material.grown.length} grown`;
  say(`paints ${source}: ${examples}; ${kept.length} creatures kept`);

  const { backend, threads } = options;
  const compute = await createCompute(backend, {
    threads,
    onSkip: (why) => say(`not used: ${why}`),
  });
  say(`trains on ${compute.device}`);
  const adam = await createAdam(compute, painterShapes(config), begun, ADAM);
  const loss = await compileLoss(compute, config, config.batch.scenes * config.batch.cells);
  const started = performance.now();
  const seconds = (): number => begun.seconds + (performance.now() - started) / 1000;
  const limit = options.minutes === undefined ? Infinity : started + options.minutes * 60_000;
  let { update } = begun;
  const current = async (): Promise<Uint8Array> => {
    const tensors = await adam.read();
    const names = [...painterShapes(config).keys()];
    return painterBytes(new Map(names.map((name) => [name, tensors.get(`average:${name}`)!])));
  };
  const save = async (): Promise<void> => {
    const tensors = await adam.read();
    await savePainterRun(folder, { ...begun, update, seconds: seconds(), tensors }, config);
    const picture = await drawPainterSheet(parsePainter(await current()), kept, side);
    await writeFile(join(folder, PICTURES_FOLDER, 'latest.png'), picture);
  };
  await mkdir(join(folder, PICTURES_FOLDER), { recursive: true });
  if (options.resume) await cutLog(folder, update);
  else {
    if (await setAside(folder)) say('the previous run is kept as state.old.safetensors');
    await save();
  }
  let [saved, said, sum, count] = [started, started, 0, 0];
  while (!stop.isAsked() && update < updates && performance.now() < limit) {
    const batch = drawBatch(config, material, randomOfUpdate(config.seed, update + 1));
    const { loss: value, totals } = await loss.run(adam.parameters, {
      ...batch,
      energy: update < updates / 2 ? 0 : config.energy,
    });
    await adam.step([totals], rateAt(config, update));
    compute.free(...Object.values(totals));
    update++;
    sum += value;
    count++;
    const now = performance.now();
    if (now - said > SAY_EVERY) {
      const mean = sum / count;
      say(
        `${update}/${updates} · ${(count / ((now - said) / 1000)).toPrecision(3)} updates/s · loss ${mean.toFixed(5)}`,
      );
      await appendLog(folder, { update, loss: mean, seconds: Math.round(seconds()) });
      [said, sum, count] = [now, 0, 0];
    }
    if (now - saved > SAVE_EVERY) {
      await save();
      saved = now;
    }
  }
  await save();
  const bytes = await current();
  await loss.dispose();
  await adam.dispose();
  const figures = await measurePainter(compute, parsePainter(bytes), kept, side);
  await compute.dispose();
  say(JSON.stringify(figures));
  await writePainter(out, source, bytes, { ...figures, updates: update, seed: config.seed });
  say(`painter: ${out}${update < updates ? ' (continue with --resume)' : ''}`);
}

/** Falls along half a cosine to a hundredth. */
function rateAt({ learningRate, updates }: PainterConfig, update: number): number {
  const fall = 0.5 + 0.5 * Math.cos((Math.PI * update) / updates);
  return learningRate * Math.min(1, (update + 1) / 100) * (0.01 + 0.99 * fall);
}
