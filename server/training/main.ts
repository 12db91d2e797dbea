/**
 * Implements `npm run train -- <config.json>`, which trains a rule or a painter. Start reading at
 * `main`, then read `run/trainer.ts`.
 */
import { dirname, join, resolve } from 'node:path';
import { COMMAND, commandOf, type Options, readOptions } from './command.ts';
import {
  parseConfig,
  readJson,
  type TrainingConfig,
  withBatch,
  withImages,
  withName,
} from './config.ts';
import { imagesDigest } from './data/dataset.ts';
import { loadDataset } from './data/load-dataset.ts';
import { TrainingError } from './errors.ts';
import { isPainterConfig, parsePainterConfig } from './painter/config.ts';
import { trainPainter } from './painter/train.ts';
import { leakAt, progressOf, sideAt } from './rollout/rollout-plan.ts';
import { beginRun, checkGallery, refineOffsets } from './run/begin-run.ts';
import { trainedModel, writeCheckpoint } from './run/export.ts';
import { describeUpdates, retryLostThreads, runUpdates } from './run/loop.ts';
import { drawProgressSheet } from './run/progress-sheet.ts';
import { openFolder, saveRun } from './run/run-folder.ts';
import { type RunState, trainedWeights } from './run/run-state.ts';
import { Trainer, trainingImages, type UpdateReport } from './run/trainer.ts';
import { listenForStop, openCompute, runTool, say } from './terminal.ts';

async function main(options: Options): Promise<void> {
  const json = await readJson(options.file);
  const baseFolder = dirname(resolve(options.file));
  if (isPainterConfig(json)) {
    const painter = parsePainterConfig(json, options.file);
    const stop = listenForStop();
    return trainPainter({ config: painter, baseFolder, options, say, stop });
  }
  const config = withOptions(parseConfig(json, options.file), options);
  const folder = options.run ?? join('.cache/training/runs', config.name);
  let run = await beginRun(options, config, folder, say);
  const command = commandOf(options, run.state.update, run.command);

  let data = await loadDataset(config.data, baseFolder);
  const images = imagesDigest(data);
  if (run.images !== undefined && run.images !== images) {
    const text = `the images have changed since the run in ${folder} started. Restore the images, or start a new run without --resume.`;
    throw new TrainingError('bad-run', text);
  }
  run = { ...run, images, command };
  if (!options.resume && run.from !== undefined) await checkGallery(config, data, run.from);
  const { length: count } = trainingImages(config, data);
  say(`${data.name}: ${count} images to train on, ${data.side}×${data.side}`);
  const compute = await openCompute(options.backend, options.threads);
  say(`training on ${compute.device}`);
  // Put the pixels into shared memory, so that worker threads need no copies.
  if (compute.workers > 1) {
    const pixels = new Uint8Array(new SharedArrayBuffer(data.pixels.length));
    pixels.set(data.pixels);
    data = { ...data, pixels };
  }
  const stop = listenForStop();
  /**
   * Returns the rule as trained so far, with the current leak (share of a cell's state that decays
   * in each step). The leak can rise during a run.
   */
  const ruleOf = (state: RunState) => {
    const leak = leakAt(config, progressOf(state, config.updates));
    const atLeak = { ...config, update: { ...config.update, leak } };
    return { config: atLeak, data, weights: trainedWeights(config, state) };
  };
  const { refine: pull } = options;
  if (pull !== undefined) {
    say(`refining at most ${config.gallery} latents of the gallery`);
    const state = await refineOffsets(compute, ruleOf(run.state), run.state, { pull, stop });
    run = { ...run, state };
    // Refining the gallery's latents takes minutes, so save the result before training begins.
    await saveRun(folder, run, config);
  }
  const trainer = await Trainer.create(compute, config, data, run.state);
  const resumedAt = options.resume ? run.state.update : undefined;
  await openFolder(folder, resumedAt, say, () => saveRun(folder, run, config));
  const seconds = await runUpdates<UpdateReport>({
    ...{ folder, compute, stop, say, updates: config.updates, done: trainer.updates },
    ...{ seconds: run.seconds, minutes: options.minutes, saveMinutes: config.saveMinutes },
    update: () => update(trainer),
    save: async (seconds) =>
      saveRun(folder, { ...run, state: await trainer.state(), seconds }, config),
    draw: async () => {
      const rule = ruleOf(await trainer.state());
      return drawProgressSheet(compute, rule, sideAt(config, trainer.progress));
    },
    describe: describeUpdates,
  });
  const state = await trainer.state();
  await trainer.dispose();
  const out = options.out ?? join(folder, 'checkpoint');
  const training = {
    command,
    updates: `${state.update} of ${config.updates}`,
    hours: (seconds / 3600).toFixed(2),
    device: compute.device,
    seed: `${config.seed}`,
    sigma: `${config.sigma}`,
    beta: `${config.beta}`,
  };
  await writeCheckpoint(out, await trainedModel(compute, ruleOf(state), training), say);
  const more = state.update < config.updates ? ' (continue with --resume)' : '';
  say(`checkpoint: ${out}; state: ${folder}${more}`);
  await compute.dispose();
}

/**
 * Applies command line options to a configuration.
 *
 * @throws TrainingError 'bad-config' if an option does not fit the configuration
 */
function withOptions(read: TrainingConfig, options: Options): TrainingConfig {
  const { name, images, batch, updates } = options;
  let config = updates === undefined ? read : { ...read, updates };
  if (name !== undefined) config = withName(config, name);
  if (images !== undefined) config = withImages(config, images);
  return batch === undefined ? config : withBatch(config, batch);
}

/** Runs one update. Repeats the update if a worker thread has died. */
async function update(trainer: Trainer): Promise<UpdateReport> {
  const remedy = `Repeating update ${trainer.updates + 1}.`;
  try {
    return await retryLostThreads(() => trainer.update(), remedy, say);
  } catch (error) {
    if (!(error instanceof TrainingError && error.reason === 'not-finite')) throw error;
    const text = `${error.message}. In the configuration, lower "optimiser.learningRate" or "optimiser.clip". Then continue from the last saved state with --resume.`;
    throw new TrainingError(error.reason, text);
  }
}

await runTool('train', COMMAND, main, readOptions);
