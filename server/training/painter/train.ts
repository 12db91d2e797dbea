/**
 * Trains a painter: `npm run train -- server/training/configs/painter.json`. The net is in
 * `graph.ts`, its examples in `scenes.ts`, its figures in `measure.ts`. Start reading at
 * `trainPainter`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEYS, parsePainter } from '../../../shared/painter/net.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { loadCheckpoint, readPainter } from '../../vnca/checkpoint.ts';
import type { Options } from '../command.ts';
import { withImages } from '../config.ts';
import { TrainingError } from '../errors.ts';
import { createWriter } from '../run/failures.ts';
import { createAdam, SETS } from '../run/optimiser.ts';
import { createProgress } from '../run/progress.ts';
import {
  appendLog,
  openFolder,
  PICTURES_FOLDER,
  readState,
  writeState,
} from '../run/run-folder.ts';
import { randomOfUpdate } from '../run/run-state.ts';
import { openCompute, type StopSignal } from '../terminal.ts';
import type { PainterConfig } from './config.ts';
import { compileLoss, firstWeights, PLACES, painterShapes } from './graph.ts';
import { prepareMaterial } from './grown.ts';
import { drawPainterSheet, measurePainter } from './measure.ts';
import { loadOriginals } from './originals.ts';
import { drawBatch } from './scenes.ts';
import { checkOut, keysOf, painterBytes, painterTensors, writePainter } from './write.ts';

/** The state from which a run continues as if it had not stopped. */
interface PainterRun {
  /** Number of updates done. */
  readonly update: number;
  /** Training time so far, in seconds. */
  readonly seconds: number;
  /** Folder of the checkpoint whose creatures are painted. */
  readonly checkpoint: string;
  /** Tensors `parameter:*`, and after the first update `first:*`, `second:*`, `average:*`. */
  readonly tensors: Tensors;
}

/**
 * Creates the first state of a run, with random weights, or with those of the painter that learns
 * genomes.
 *
 * @throws TrainingError bad-data: there is no such painter
 */
async function firstPainterRun(config: PainterConfig): Promise<PainterRun> {
  const painter = config.genome && (await painterOf(config.checkpoint));
  const drawn = firstWeights(config, randomOfUpdate(config.seed, 0), painter);
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, seconds: 0, checkpoint: config.checkpoint, tensors };
}

/** Reads the painter that learns genomes. @throws TrainingError bad-data: there is none */
async function painterOf(folder: string): Promise<Tensors> {
  const file = await readPainter(folder);
  if (!file) throw new TrainingError('bad-data', `${folder}: has no painter to learn genomes`);
  return painterTensors(file);
}

/** Returns the part of a configuration that may not change during a run. */
const modelOf = ({ updates: _, ...model }: PainterConfig): string => JSON.stringify(model);

/**
 * Reads the state of a run. The run continues with the checkpoint that it started with, even if the
 * configuration now names another checkpoint.
 *
 * @throws TrainingError no-run, bad-run
 */
async function loadPainterRun(folder: string, config: PainterConfig): Promise<PainterRun> {
  const { file, tensors, metadata, update, seconds } = await readState(folder);
  const shapes = [...painterShapes(config)].flatMap(([name, shape]) =>
    SETS.map((set) => [`${set}:${name}`, shape] as const),
  );
  const misfit = misfitOf(tensors, new Map(shapes));
  const { config: stored = '{}' } = metadata;
  const { checkpoint } = JSON.parse(stored);
  if (misfit || stored !== modelOf({ ...config, checkpoint })) {
    const why = misfit ?? 'the configuration was different when the run started';
    throw new TrainingError(
      'bad-run',
      `${file}: ${why}; only the number of updates of a run may change`,
    );
  }
  return { update, seconds, checkpoint, tensors };
}

/** Time between two saves, in ms. */
const SAVE_EVERY = 5 * 60_000;

/** Settings of the optimiser. The painter is written with the average of the weights. */
const ADAM = { beta2: 0.999, clip: 1, average: 0.999 };

/** Options that apply only to runs that train a rule. */
const OF_RULES = ['batch', 'refine'] as const;

/**
 * Trains until the last update, the time limit or a signal; then measures and writes the painter.
 *
 * @throws TrainingError bad-config: an option is not for painters; bad-data: the images are not the
 * checkpoint's, or have no larger originals; no-run, bad-run
 */
export async function trainPainter(run: {
  readonly config: PainterConfig;
  readonly baseFolder: string;
  readonly options: Options;
  readonly say: (line: string) => void;
  readonly stop: StopSignal;
}): Promise<void> {
  const { options, say, baseFolder, stop } = run;
  const given = OF_RULES.find((name) => options[name] !== undefined);
  if (given !== undefined) {
    const why = 'needs a run that trains a rule, not a painter';
    throw new TrainingError('bad-config', `--${given} ${why}`);
  }
  const updates = options.updates ?? run.config.updates;
  const read = options.images === undefined ? run.config : withImages(run.config, options.images);
  const config = { ...read, updates, checkpoint: options.from ?? read.checkpoint };
  const folder = options.run ?? join('.cache/training/runs', options.name ?? config.name);
  const begun = await (options.resume ? loadPainterRun(folder, config) : firstPainterRun(config));
  const { checkpoint: source } = begun;
  const checkpoint = await loadCheckpoint(source);
  if (checkpoint.card.readout.kind !== 'rgba-premultiplied') {
    throw new TrainingError('bad-data', `${source}: a painter needs creatures in RGBA`);
  }
  const out = options.out ?? join(folder, 'checkpoint');
  await checkOut(out, checkpoint);
  const originals = await loadOriginals(config.data, baseFolder);
  const { side, latentSize } = checkpoint.card;
  if (config.genome && (side ** 2 !== PLACES || latentSize !== config.genome[0])) {
    throw new TrainingError('bad-config', `${source}: its latents or its side do not fit "genome"`);
  }
  const { kept, learned, material } = await prepareMaterial(checkpoint, originals, config);
  if (config.genome && learned.length === 0) {
    throw new TrainingError('bad-data', `${source}: no grown creature shows its picture`);
  }
  const examples = `${material.originals.length} originals and ${material.grown.length} grown`;
  say(
    `training a painter for ${source}: ${examples}; ${kept.length} creatures kept out for measuring`,
  );

  const compute = await openCompute(options.backend, options.threads);
  say(`training on ${compute.device}`);
  const adam = await createAdam(compute, painterShapes(config), begun, ADAM);
  const loss = await compileLoss(compute, config, config.batch);
  const started = performance.now();
  const seconds = (): number => begun.seconds + (performance.now() - started) / 1000;
  const limit = options.minutes === undefined ? Infinity : started + options.minutes * 60_000;
  let { update } = begun;
  const current = async (): Promise<Uint8Array> => {
    const tensors = await adam.read();
    const names = [...painterShapes(config).keys()];
    const weights = new Map(names.map((name) => [name, tensors.get(`average:${name}`)!]));
    const latents = learned.map(({ latent }) => latent!);
    if (!config.genome) return painterBytes(weights);
    const whole = new Map([...(await painterOf(source)), ...weights, [KEYS, keysOf(latents)]]);
    return painterBytes(whole);
  };
  const save = async (): Promise<void> => {
    const tensors = await adam.read();
    const metadata = { config: modelOf({ ...config, checkpoint: source }) };
    await writeState(folder, tensors, [update, seconds()], metadata);
    const picture = await drawPainterSheet(
      parsePainter(await current()),
      [...kept, ...learned],
      side,
    );
    await writeFile(join(folder, PICTURES_FOLDER, 'latest.png'), picture);
  };
  await openFolder(folder, options.resume ? update : undefined, say, save);
  const progress = createProgress<{ readonly update: number; readonly loss: number }>(
    { updates, done: update, now: () => performance.now(), say, backend: compute.name },
    (mean) => `loss ${mean((report) => report.loss).toFixed(5)}`,
  );
  const tryWriting = createWriter(say);
  let saved = started;
  while (!stop.isAsked() && update < updates && performance.now() < limit) {
    const batch = drawBatch(config, material, randomOfUpdate(config.seed, update + 1));
    const { loss: value, totals } = await loss.run(adam.parameters, {
      ...batch,
      energy: update < updates / 2 ? 0 : config.energy,
    });
    await adam.step([totals], rateAt(config, update));
    compute.free(...Object.values(totals));
    update++;
    progress({ update, loss: value });
    const line = { update, loss: value, seconds: Math.round(seconds()) };
    await tryWriting('the log', () => appendLog(folder, line));
    if (performance.now() - saved > SAVE_EVERY) {
      await save();
      saved = performance.now();
    }
  }
  await save();
  const bytes = await current();
  await loss.dispose();
  await adam.dispose();
  const figures = await measurePainter(compute, parsePainter(bytes), { kept, learned }, side);
  await compute.dispose();
  say(JSON.stringify(figures));
  await writePainter(out, source, bytes, { ...figures, updates: update, seed: config.seed });
  say(`painter: ${out}${update < updates ? ' (continue with --resume)' : ''}`);
}

/**
 * Returns the learning rate: rises for 100 updates, and falls along half a cosine to a hundredth.
 */
function rateAt({ learningRate, updates }: PainterConfig, update: number): number {
  const fall = 0.5 + 0.5 * Math.cos((Math.PI * update) / updates);
  return learningRate * Math.min(1, (update + 1) / 100) * (0.01 + 0.99 * fall);
}
