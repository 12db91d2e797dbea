/** Trains a rule: `npm run train -- <config.json>`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Compute } from '../autodiff/compute.ts';
import { createCompute } from '../autodiff/create.ts';
import { retry } from '../platform/clock.ts';
import { runCommand } from '../settings/document.ts';
import { beginRun, checkGallery } from './begin-run.ts';
import { COMMAND, commandOf, type Options, readOptions, startOf } from './command.ts';
import {
  parseConfig,
  readJson,
  type TrainingConfig,
  withBatch,
  withImages,
  withName,
} from './config.ts';
import { type Dataset, imagesDigest } from './data/dataset.ts';
import { loadDataset } from './data/load-dataset.ts';
import { reportErrors, TrainingError } from './errors.ts';
import { trainedModel, writeCheckpoint } from './export.ts';
import {
  afterLostThread,
  createWriter,
  listenForStop,
  type StopSignal,
  saveAfterFailure,
  say,
} from './failures.ts';
import { isPainterConfig, parsePainterConfig } from './painter/config.ts';
import { trainPainter } from './painter/train.ts';
import { sharedBytes } from './parallel/multi-thread.ts';
import { createProgress, drawProgressSheet } from './progress.ts';
import { refineOffsets } from './refine-offsets.ts';
import { leakAt, progressOf } from './rollout-plan.ts';
import { appendLog, cutLog, PICTURES_FOLDER, type Run, saveRun, setAside } from './run-folder.ts';
import { compactState, type RunState, trainedWeights } from './run-state.ts';
import { Trainer, trainingImages } from './trainer.ts';

async function main(options: Options): Promise<void> {
  const json = await readJson(options.file);
  const baseFolder = dirname(resolve(options.file));
  if (isPainterConfig(json)) {
    const painter = parsePainterConfig(json, options.file);
    return trainPainter({ config: painter, baseFolder, options, say, stop: listenForStop(say) });
  }
  const read = parseConfig(json, options.file);
  const config = withOptions(read, options);
  const folder = options.run ?? join('.cache/training/runs', config.name);
  let begun = withStart(await beginRun(options, config, folder, say), options);

  let data = await loadDataset(config.data, { baseFolder });
  const images = imagesDigest(data);
  if (begun.images !== undefined && begun.images !== images) {
    throw new TrainingError(
      'bad-run',
      `the images are not those that the run in ${folder} started with; restore them, or start a new run without --resume`,
    );
  }
  if (!options.resume && begun.from !== undefined) await checkGallery(config, data, begun.from);
  const { length: count } = trainingImages(config, data);
  say(`${data.name}: ${count} images to train on, ${data.side}×${data.side}`);
  const { backend, threads } = options;
  const onSkip = (reason: string): void => say(`not used: ${reason}`);
  const compute = await createCompute(backend, { threads, onSkip });
  say(`trains on ${compute.device}`);
  // Here and not only in the trainer, so that a large set is not in memory twice.
  if (compute.workers > 1) data = { ...data, pixels: sharedBytes(data.pixels) };
  const stop = listenForStop(say);
  const { refine: pull } = options;
  if (pull !== undefined) {
    say(`refines the latents of the gallery, ${config.gallery} at most`);
    const weights = trainedWeights(config, begun.state);
    const rule = { config: withLeak(config, begun.state), data, weights, training: {} };
    const state = await refineOffsets(compute, rule, begun.state, { pull, stop });
    begun = { ...begun, state };
    // It takes minutes.
    await saveRun(folder, { ...begun, images }, config);
  }
  const trainer = await Trainer.create(compute, config, data, begun.state);
  if (options.resume) await cutLog(folder, begun.state.update);
  else {
    if (await setAside(folder)) say('the previous run is kept as state.old.safetensors');
    // From here on there is a run to resume.
    await saveRun(folder, { ...begun, images }, config);
  }
  await mkdir(join(folder, PICTURES_FOLDER), { recursive: true });

  const seconds = await train({
    trainer,
    compute,
    config,
    data,
    images,
    folder,
    begun,
    options,
    stop,
  });
  const state = await trainer.state();
  await trainer.dispose();
  const out = options.out ?? join(folder, 'checkpoint');
  const training = {
    command: commandOf(begun.commands),
    updates: `${state.update} of ${config.updates}`,
    hours: (seconds / 3600).toFixed(2),
    device: compute.device,
    seed: `${config.seed}`,
    sigma: `${config.sigma}`,
    beta: `${config.beta}`,
    ...(config.slopes > 0 && { slopes: `${config.slopes}` }),
  };
  const model = await trainedModel(compute, {
    ...{ data, training, weights: trainedWeights(config, state) },
    config: withLeak(config, state),
  });
  await writeCheckpoint(out, model, say);
  const more = state.update < config.updates ? ' (continue with --resume)' : '';
  say(`checkpoint: ${out}; state: ${folder}${more}`);
  await compute.dispose();
}

/** A run with its newest start. One of an earlier version tells no more than its checkpoints. */
function withStart(run: Run, options: Options): Run & Required<Pick<Run, 'commands'>> {
  const { commands = [], from, encoder, state } = run;
  const begun = { ...(from !== undefined && { from }), ...(encoder !== undefined && { encoder }) };
  const known = commands.length > 0 ? options : { ...options, ...begun };
  return { ...run, commands: [...commands, startOf(known, state.update)] };
}

/** During the leak ramp: with the leak that the rule has been trained with until then. */
function withLeak(config: TrainingConfig, state: RunState): TrainingConfig {
  const leak = leakAt(config, progressOf(state, config.updates));
  return { ...config, update: { ...config.update, leak } };
}

/** Applies the options of the command line. @throws TrainingError bad-config */
function withOptions(read: TrainingConfig, options: Options): TrainingConfig {
  const { name, images, batch, updates } = options;
  let config = updates === undefined ? read : { ...read, updates };
  if (name !== undefined) config = withName(config, name);
  if (images !== undefined) config = withImages(config, images);
  return batch === undefined ? config : withBatch(config, batch);
}

interface Training {
  readonly trainer: Trainer;
  readonly compute: Compute;
  readonly config: TrainingConfig;
  readonly data: Dataset;
  /** Digest of the images. */
  readonly images: string;
  readonly folder: string;
  readonly begun: Run;
  readonly options: Options;
  readonly stop: StopSignal;
}

/**
 * Updates until the end, the time limit or a signal, and saves the state.
 *
 * @returns seconds of training of the whole run
 */
async function train(training: Training): Promise<number> {
  const { trainer, compute, config, data, images, folder, begun, options, stop } = training;
  const started = performance.now();
  const seconds = (): number => begun.seconds + (performance.now() - started) / 1000;
  const limit = options.minutes === undefined ? Infinity : started + options.minutes * 60_000;
  const now = (): number => performance.now();
  const { updates } = config;
  const progress = createProgress({
    ...{ updates, done: trainer.updates, now, say, backend: compute.name },
  });
  const saveState = (whole: RunState): Promise<void> => {
    const state = options.compact ? compactState(whole) : whole;
    return saveRun(folder, { ...begun, state, seconds: seconds(), images }, config);
  };
  const tryWriting = createWriter(say);
  const drawSheet = async (): Promise<void> => {
    const picture = await retry(
      () => drawProgressSheet(config, data, trainer),
      afterLostThread('the pictures are drawn again', say),
    );
    await tryWriting('the picture sheet', async () => {
      for (const name of [`${trainer.updates}`, 'latest']) {
        await writeFile(join(folder, PICTURES_FOLDER, `${name}.png`), picture);
      }
    });
  };
  let saved = started;
  while (!stop.isAsked() && trainer.updates < config.updates) {
    const report = await update(trainer, saveState);
    progress(report);
    const line = { ...report, seconds: Math.round(seconds()) };
    await tryWriting('the log', () => appendLog(folder, line));
    if (now() > limit) break;
    if (now() - saved > config.saveMinutes * 60_000) {
      const state = await trainer.state();
      await tryWriting('the state', () => saveState(state));
      await drawSheet();
      saved = now();
    }
  }
  await saveState(await trainer.state());
  await drawSheet();
  return seconds();
}

/** Runs one update. If it fails, the updates before it are saved. */
async function update(
  trainer: Trainer,
  save: (state: RunState) => Promise<void>,
): ReturnType<Trainer['update']> {
  const next = trainer.updates + 1;
  try {
    return await retry(
      () => trainer.update(),
      afterLostThread(`update ${next} is done again`, say),
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

await reportErrors('train', runCommand(COMMAND, main, readOptions));
