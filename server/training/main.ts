/** Trains organisms: `npm run train -- <config.json>`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModel } from '../vnca/checkpoint.ts';
import { createOnnxCompute } from './autodiff/onnx.ts';
import { readConfig } from './config.ts';
import { loadDataset } from './data/dataset.ts';
import { TrainingError } from './errors.ts';
import { trainedModel, writeCheckpoint } from './export.ts';
import { createProgress } from './progress.ts';
import { appendLog, loadRun, PICTURES_FOLDER, type Run, saveRun } from './runFolder.ts';
import { drawProgressSheet } from './sheets.ts';
import { firstState, Trainer, trainedShapes } from './trainer.ts';

const HELP = `Trains organisms.

Usage: npm run train -- <config.json> [options]

  <config.json>        what to train on what; see server/training/configs
  --resume             go on with the run of this name, to the same end as if it had never stopped
  --from <checkpoint>  begin with the weights of a checkpoint instead of fresh ones
  --run <folder>       where the run keeps its state and pictures (default .cache/training/runs/<name>)
  --out <folder>       where the checkpoint goes when the run ends or is stopped (default <run>/checkpoint)
  --updates <n>        end after this many updates instead of the configuration's
  --minutes <n>        stop after this time (default: no limit); --resume goes on
  --threads <n>        threads of the CPU (default: all)
  -h, --help           print this

Ctrl-C stops after the running update, saves, and writes the checkpoint.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      resume: { type: 'boolean' },
      from: { type: 'string' },
      run: { type: 'string' },
      out: { type: 'string' },
      updates: { type: 'string' },
      minutes: { type: 'string' },
      threads: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (positionals.length !== 1) {
    throw new TrainingError('bad-config', `one configuration is needed\n\n${HELP}`);
  }
  const [file] = positionals;
  const read = await readConfig(file);
  const updates = numberOf('--updates', values.updates);
  const { folder: baseFolder, ...config } = { ...read, ...(updates && { updates }) };
  const folder = values.run ?? join('.cache/training/runs', config.name);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);

  const data = await loadDataset(config.data, { baseFolder });
  say(`${data.name}: ${data.splits.train.length} images to train on, ${data.side}×${data.side}`);
  const threads = numberOf('--threads', values.threads);
  const compute = createOnnxCompute(threads ? { threads } : {});
  say(`trains on ${compute.device}`);

  const begun: Run = values.resume
    ? await loadRun(folder, config)
    : { state: firstState(config), seconds: 0 };
  const tensors = new Map(begun.state.tensors);
  if (values.from && !values.resume) {
    const model = await loadModel(values.from);
    for (const name of trainedShapes(config).keys()) {
      const found = model.tensors.get(name);
      if (`${found?.shape}` !== `${tensors.get(`parameter:${name}`)!.shape}`) {
        throw new TrainingError(
          'bad-run',
          `${values.from}: tensor "${name}" is missing or of another shape`,
        );
      }
      tensors.set(`parameter:${name}`, found!);
    }
  }
  const trainer = await Trainer.create(compute, config, data, { ...begun.state, tensors });
  await mkdir(join(folder, PICTURES_FOLDER), { recursive: true });

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    say('\nstops after this update; once more quits at once');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const started = performance.now();
  const seconds = (): number => begun.seconds + (performance.now() - started) / 1000;
  const limit = numberOf('--minutes', values.minutes);
  const progress = createProgress(config.updates, trainer.updates, () => performance.now(), say);
  const save = async (): Promise<void> => {
    await saveRun(folder, { state: await trainer.state(), seconds: seconds() });
    const picture = await drawProgressSheet(config, data, trainer);
    await writeFile(join(folder, PICTURES_FOLDER, `${trainer.updates}.png`), picture);
    await writeFile(join(folder, PICTURES_FOLDER, 'latest.png'), picture);
  };
  let saved = performance.now();
  while (!stopping && trainer.updates < config.updates) {
    const report = await trainer.update();
    progress.add(report);
    await appendLog(folder, { ...report, seconds: Math.round(seconds()) });
    const now = performance.now();
    if (limit !== undefined && now - started > limit * 60_000) break;
    if (now - saved > config.saveMinutes * 60_000) {
      await save();
      saved = performance.now();
    }
  }
  await save();
  const state = await trainer.state();
  const set = config.optimiser.average > 0 ? 'average' : 'parameter';
  const weights = new Map(
    [...trainedShapes(config).keys()].map((name) => [name, state.tensors.get(`${set}:${name}`)!]),
  );
  const out = values.out ?? join(folder, 'checkpoint');
  const training = {
    command: `npm run train -- ${file}`,
    updates: `${state.update} of ${config.updates}`,
    hours: (seconds() / 3600).toFixed(2),
    device: compute.device,
    seed: `${config.seed}`,
    sigma: `${config.sigma}`,
    beta: `${config.beta}`,
  };
  await writeCheckpoint(out, await trainedModel(compute, config, data, weights, training));
  say(
    `checkpoint: ${out}; state: ${folder}${state.update < config.updates ? ' (go on with --resume)' : ''}`,
  );
  await trainer.dispose();
  await compute.dispose();
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= 0))
    throw new TrainingError('bad-config', `${option} is not a number ≥ 0: ${text}`);
  return value;
}

main().catch((error: unknown) => {
  const known = error instanceof Error && 'reason' in error;
  process.stderr.write(`train: ${known ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = 1;
});
