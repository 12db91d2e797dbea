/** Trains a painter: `npm run train -- server/training/configs/painter.json`. */
import { join } from 'node:path';
import { KEYS, parsePainter } from '../../../shared/painter/net.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { loadCheckpoint, readPainter } from '../../vnca/checkpoint.ts';
import type { Options } from '../command.ts';
import { withImages } from '../config.ts';
import { TrainingError } from '../errors.ts';
import { runUpdates } from '../run/loop.ts';
import { createAdam, SETS } from '../run/optimiser.ts';
import { openFolder, readState, writeState } from '../run/run-folder.ts';
import { randomOfUpdate } from '../run/run-state.ts';
import { openCompute, type StopSignal } from '../terminal.ts';
import type { PainterConfig } from './config.ts';
import { loadOriginals, prepareMaterial } from './examples.ts';
import { drawPainterSheet, measurePainter } from './measure.ts';
import { compileLoss, firstWeights, PLACES, painterShapes } from './net-and-loss.ts';
import { drawBatch } from './scenes.ts';
import { checkOut, keysOf, painterBytes, painterTensors, writePainter } from './write.ts';

/** The state of a painter's training run, from which the run can be resumed. */
interface PainterRun {
  readonly update: number;
  /** Training time so far, in seconds. */
  readonly seconds: number;
  /** Folder of the painter's checkpoint. */
  readonly checkpoint: string;
  /**
   * Weights `parameter:*` and, after the first update, Adam's moments `first:*` and `second:*` and
   * the averaged weights `average:*`.
   */
  readonly tensors: Tensors;
}

/**
 * Creates the first state of a run: random weights or, if genomes are to be learned, the weights of
 * the checkpoint's painter.
 *
 * @throws TrainingError 'bad-data' if genomes are to be learned but the checkpoint has no painter
 */
async function firstPainterRun(config: PainterConfig): Promise<PainterRun> {
  const painter = config.genome && (await painterOf(config.checkpoint));
  const drawn = firstWeights(config, randomOfUpdate(config.seed, 0), painter);
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, seconds: 0, checkpoint: config.checkpoint, tensors };
}

/** Reads a painter's weights. @throws TrainingError 'bad-data' if the checkpoint has no painter */
async function painterOf(folder: string): Promise<Tensors> {
  const file = await readPainter(folder);
  const text = `${folder}: the checkpoint has no painter (net that draws details). First train a painter with a configuration that has no "genome".`;
  if (!file) throw new TrainingError('bad-data', text);
  return painterTensors(file);
}

/** Returns the part of a configuration that must not change when a run is resumed. */
const modelOf = ({ updates: _, ...model }: PainterConfig): string => JSON.stringify(model);

/**
 * Reads the state of a run that is to be resumed. The run keeps the checkpoint it started with,
 * even if the configuration now names another checkpoint.
 *
 * @throws TrainingError 'no-run' if there is no run to resume; 'bad-run' if the run does not fit
 *   the configuration
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
    const text = `${file}: ${why}. In the configuration of a resumed run, only "updates" may change.`;
    throw new TrainingError('bad-run', text);
  }
  return { update, seconds, checkpoint, tensors };
}

/**
 * Settings of the optimiser. `average` is the decay of the moving average of the weights.
 */
const ADAM = { beta2: 0.999, clip: 1, average: 0.999 };

/** Command line options that are not allowed when a painter is trained. */
const OF_RULES = ['batch', 'refine'] as const;

/**
 * Trains a painter until the last update is done, the time limit is reached, or a stop is
 * requested. Then measures the painter and writes it to a folder.
 *
 * @throws TrainingError 'bad-config' if an option or the configuration does not fit a painter;
 *   'bad-data' if the images do not belong to the checkpoint or have no large originals; 'no-run'
 *   or 'bad-run' if the run cannot be resumed
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
    const why = 'works only in runs that train a rule, but this run trains a painter';
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
    const text = `${source}: a painter (net that draws details) can be trained only if the checkpoint draws its creatures in colour (RGBA)`;
    throw new TrainingError('bad-data', text);
  }
  const out = options.out ?? join(folder, 'checkpoint');
  await checkOut(out, checkpoint);
  const originals = await loadOriginals(config.data, baseFolder);
  const { side, latentSize } = checkpoint.card;
  if (config.genome && (side ** 2 !== PLACES || latentSize !== config.genome[0])) {
    const text = `${source}: "genome" in the configuration needs a checkpoint with "side" ${Math.sqrt(PLACES)} and "latentSize" ${config.genome[0]}`;
    throw new TrainingError('bad-config', text);
  }
  const { kept, learned, material } = await prepareMaterial(checkpoint, originals, config);
  if (config.genome && learned.length === 0) {
    const text = `${source}: the painter can learn no genome (numbers of one creature), because no grown creature looks like its training picture`;
    throw new TrainingError('bad-data', text);
  }
  const examples = `${material.originals.length} large original pictures and ${material.grown.length} pictures of grown creatures`;
  const text = `training a painter for ${source} with ${examples}. ${kept.length} creatures are reserved for measuring the painter.`;
  say(text);

  const compute = await openCompute(options.backend, options.threads);
  say(`training on ${compute.device}`);
  const adam = await createAdam(compute, painterShapes(config), begun, ADAM);
  const loss = await compileLoss(compute, config, config.batch);
  let { update } = begun;
  const current = async (): Promise<Uint8Array> => {
    const tensors = await adam.read();
    const names = [...painterShapes(config).keys()];
    const weights = new Map(names.map((name) => [name, tensors.get(`average:${name}`)!]));
    if (!config.genome) return painterBytes(weights);
    const keys = keysOf(learned.map(({ latent }) => latent!));
    return painterBytes(new Map([...(await painterOf(source)), ...weights, [KEYS, keys]]));
  };
  const save = async (seconds: number): Promise<void> => {
    const metadata = { config: modelOf({ ...config, checkpoint: source }) };
    await writeState(folder, await adam.read(), [update, seconds], metadata);
  };
  const resumedAt = options.resume ? update : undefined;
  await openFolder(folder, resumedAt, say, () => save(begun.seconds));
  await runUpdates<{ readonly update: number; readonly loss: number }>({
    ...{ folder, compute, stop, say, save, updates, done: update },
    ...{ seconds: begun.seconds, minutes: options.minutes, saveMinutes: 5 },
    async update() {
      const batch = drawBatch(config, material, randomOfUpdate(config.seed, update + 1));
      const energy = update < updates / 2 ? 0 : config.energy;
      const { loss: value, totals } = await loss.run(adam.parameters, { ...batch, energy });
      await adam.step(totals, rateAt(config, update));
      compute.free(...Object.values(totals));
      return { update: ++update, loss: value };
    },
    draw: async () => drawPainterSheet(parsePainter(await current()), [...kept, ...learned], side),
    describe: (mean) => `loss ${mean((report) => report.loss).toFixed(5)}`,
  });
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
 * Returns the learning rate of an update. The rate rises during the first 100 updates and falls
 * along half a cosine wave, to a hundredth of the configured rate.
 */
function rateAt({ learningRate, updates }: PainterConfig, update: number): number {
  const fall = 0.5 + 0.5 * Math.cos((Math.PI * update) / updates);
  return learningRate * Math.min(1, (update + 1) / 100) * (0.01 + 0.99 * fall);
}
