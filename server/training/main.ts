/**
 * Trains a rule or a painter: `npm run train -- <config.json>`. The work is elsewhere: one run in
 * `run/`, one micro-batch in `rollout/`, nets in `model/`, images in `data/`. Start reading at
 * `main`, then read `run/trainer.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { retry } from '../platform/clock.ts';
import { COMMAND, commandOf, type Options, readOptions, startOf } from './command.ts';
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
import { sharedBytes } from './rollout/data-parallel.ts';
import { leakAt, progressOf } from './rollout/rollout-plan.ts';
import { beginRun, checkGallery, refineOffsets } from './run/begin-run.ts';
import { trainedModel, writeCheckpoint } from './run/export.ts';
import { afterLostThread, createWriter, saveAfterFailure } from './run/failures.ts';
import { createProgress, describeUpdates, drawProgressSheet } from './run/progress.ts';
import { appendLog, openFolder, PICTURES_FOLDER, type Run, saveRun } from './run/run-folder.ts';
import { type RunState, trainedWeights } from './run/run-state.ts';
import { Trainer, trainingImages, type UpdateReport } from './run/trainer.ts';
import { listenForStop, openCompute, runTool, type StopSignal, say } from './terminal.ts';

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
  const commands = [...(run.commands ?? []), startOf(options, run.state.update)];

  let data = await loadDataset(config.data, baseFolder);
  const images = imagesDigest(data);
  if (run.images !== undefined && run.images !== images) {
    throw new TrainingError(
      'bad-run',
      `the images differ from those with which the run in ${folder} started; restore them, or start a new run without --resume`,
    );
  }
  run = { ...run, images, commands };
  if (!options.resume && run.from !== undefined) await checkGallery(config, data, run.from);
  const { length: count } = trainingImages(config, data);
  say(`${data.name}: ${count} images to train on, ${data.side}×${data.side}`);
  const compute = await openCompute(options.backend, options.threads);
  say(`training on ${compute.device}`);
  // Share the pixels here and not only in the trainer, so that memory does not hold a large set
  // twice.
  if (compute.workers > 1) data = { ...data, pixels: sharedBytes(data.pixels) };
  const stop = listenForStop();
  /**
   * Returns the rule as trained so far. During the leak ramp, the rule's leak is the leak that it
   * was last trained with.
   */
  const ruleOf = (state: RunState) => {
    const leak = leakAt(config, progressOf(state, config.updates));
    const atLeak = { ...config, update: { ...config.update, leak } };
    return { config: atLeak, data, weights: trainedWeights(config, state) };
  };
  const { refine: pull } = options;
  if (pull !== undefined) {
    say(`refining the latents of the gallery, at most ${config.gallery}`);
    const rule = { ...ruleOf(run.state), training: {} };
    run = { ...run, state: await refineOffsets(compute, rule, run.state, { pull, stop }) };
    // Save now, because refining takes minutes.
    await saveRun(folder, run, config);
  }
  const trainer = await Trainer.create(compute, config, data, run.state);
  const resumedAt = options.resume ? run.state.update : undefined;
  await openFolder(folder, resumedAt, say, () => saveRun(folder, run, config));
  const drawSheet = (): Promise<Buffer> => drawProgressSheet(config, data, trainer);
  const progress = createProgress(
    {
      ...{ updates: config.updates, done: trainer.updates },
      ...{ now: () => performance.now(), say, backend: compute.name },
    },
    describeUpdates,
  );
  const seconds = await train({ trainer, config, folder, run, options, stop, drawSheet, progress });
  const state = await trainer.state();
  await trainer.dispose();
  const out = options.out ?? join(folder, 'checkpoint');
  const training = {
    command: commandOf(commands),
    updates: `${state.update} of ${config.updates}`,
    hours: (seconds / 3600).toFixed(2),
    device: compute.device,
    seed: `${config.seed}`,
    sigma: `${config.sigma}`,
    beta: `${config.beta}`,
  };
  await writeCheckpoint(out, await trainedModel(compute, { ...ruleOf(state), training }), say);
  const more = state.update < config.updates ? ' (continue with --resume)' : '';
  say(`checkpoint: ${out}; state: ${folder}${more}`);
  await compute.dispose();
}

/** Applies command line options to the configuration. @throws TrainingError bad-config */
function withOptions(read: TrainingConfig, options: Options): TrainingConfig {
  const { name, images, batch, updates } = options;
  let config = updates === undefined ? read : { ...read, updates };
  if (name !== undefined) config = withName(config, name);
  if (images !== undefined) config = withImages(config, images);
  return batch === undefined ? config : withBatch(config, batch);
}

/**
 * Trains until the last update, the time limit or a signal, and saves the state.
 *
 * @returns training time of the whole run, in seconds
 */
async function train(on: {
  readonly trainer: Trainer;
  readonly config: TrainingConfig;
  readonly folder: string;
  readonly run: Run;
  readonly options: Options;
  readonly stop: StopSignal;
  readonly drawSheet: () => Promise<Buffer>;
  readonly progress: (report: UpdateReport) => void;
}): Promise<number> {
  const { trainer, config, folder, run, options, stop } = on;
  const started = performance.now();
  const seconds = (): number => run.seconds + (performance.now() - started) / 1000;
  const limit = options.minutes === undefined ? Infinity : started + options.minutes * 60_000;
  const save = (state: RunState): Promise<void> =>
    saveRun(folder, { ...run, state, seconds: seconds() }, config);
  const saveState = async (): Promise<void> => save(await trainer.state());
  const tryWriting = createWriter(say);
  const savePicture = async (): Promise<void> => {
    const picture = await retry(
      on.drawSheet,
      afterLostThread('the pictures are being drawn again', say),
    );
    await tryWriting('the picture sheet', async () => {
      for (const name of [`${trainer.updates}`, 'latest']) {
        await writeFile(join(folder, PICTURES_FOLDER, `${name}.png`), picture);
      }
    });
  };
  let saved = started;
  while (!stop.isAsked() && trainer.updates < config.updates) {
    const report = await update(trainer, save);
    on.progress(report);
    const line = { ...report, seconds: Math.round(seconds()) };
    await tryWriting('the log', () => appendLog(folder, line));
    if (performance.now() > limit) break;
    if (performance.now() - saved > config.saveMinutes * 60_000) {
      await tryWriting('the state', saveState);
      await savePicture();
      saved = performance.now();
    }
  }
  await saveState();
  await savePicture();
  return seconds();
}

/** Runs one update. Repeats it if it loses a thread. If it fails, saves the state before it. */
async function update(
  trainer: Trainer,
  save: (state: RunState) => Promise<void>,
): ReturnType<Trainer['update']> {
  const next = trainer.updates + 1;
  try {
    return await retry(
      () => trainer.update(),
      afterLostThread(`update ${next} is being repeated`, say),
    );
  } catch (error) {
    await saveAfterFailure(error, () => trainer.state(), save, say);
    if (!(error instanceof TrainingError && error.reason === 'not-finite')) throw error;
    throw new TrainingError(
      error.reason,
      `${error.message}; lower "optimiser.learningRate" or "optimiser.clip" and continue from the last saved state with --resume`,
    );
  }
}

await runTool('train', COMMAND, main, readOptions);
