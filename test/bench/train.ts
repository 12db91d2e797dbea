/**
 * What training costs: forward and backward of the rule, as programs of segments, on each back end
 * that is here.
 */

import { availableParallelism, loadavg } from 'node:os';
import {
  COMPUTE_NAMES,
  type Compute,
  ComputeError,
  type ComputeName,
} from '../../server/autodiff/compute.ts';
import { createCompute } from '../../server/autodiff/create.ts';
import type { DecoderSpec } from '../../server/training/model/segments.ts';
import { openWorkerPool } from '../../server/training/workers/worker-pool.ts';
import { macPerCellStep } from '../../server/vnca/architecture.ts';
import type { BenchOptions, Log } from './options.ts';
import { workerJob } from './train-job.ts';
import { type PyTorch, startPyTorch } from './train-pytorch.ts';

const NETS = [
  { channels: 32, hidden: 64 },
  { channels: 48, hidden: 72 },
  { channels: 64, hidden: 128 },
] as const;
const BATCHES = [4, 8, 12, 32] as const;
const SIDE = 32;
const STEPS = 4;
/** Times that ours and PyTorch's are measured in turn; the best of each counts. */
const ROUNDS = 6;
/** Two rounds are enough once they took so many seconds. */
const ENOUGH = 6;
/** A batch that would take longer than so many seconds a step is left out. */
const LONGEST = 5;
/** PyTorch may choose: threads wait for each other where the machine has something else to do. */
const PYTORCH_THREADS = [...new Set([availableParallelism(), 1])];

export async function benchTrain(log: Log, options: BenchOptions = {}) {
  const pytorch = options.pytorch ? await startPyTorch(log) : undefined;
  const devices: Record<string, string> = {};
  if (pytorch) {
    devices.pytorch = pytorch.device;
    log(pytorch.device);
  }
  const nets: Awaited<ReturnType<typeof measureNet>> = [];
  for (const name of COMPUTE_NAMES) {
    const compute = await start(name, log);
    if (!compute) continue;
    devices[name] = compute.device;
    log(`${name}: ${compute.device}`);
    for (const net of NETS) nets.push(...(await measureNet(compute, net, pytorch, log)));
    await compute.dispose();
  }
  await pytorch?.close();
  // What else ran meanwhile counts against both: processes that wanted to run, mean of the last
  // minute.
  return { devices, load: loadavg()[0], nets };
}

async function start(name: ComputeName, log: Log): Promise<Compute | undefined> {
  try {
    return await createCompute(name);
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    log(`left out: ${error.message}`);
    return undefined;
  }
}

type Net = (typeof NETS)[number];

async function measureNet(compute: Compute, net: Net, pytorch: PyTorch | undefined, log: Log) {
  const rows = [];
  let secondsPerPatch = 0;
  for (const batch of BATCHES) {
    if (secondsPerPatch * batch > LONGEST) {
      log(`${compute.name} ${net.channels}→${net.hidden}: batch ${batch} left out, too slow`);
      continue;
    }
    const { step, gflop, dispose } = prepare(compute, net, batch);
    const gpu = compute.device.startsWith('GPU');
    const task = { ...net, batch, side: SIDE, steps: STEPS, gpu };
    await step();
    let best = Infinity;
    let pytorchBest = Infinity;
    const begun = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      await step();
      best = Math.min(best, (performance.now() - started) / 1000);
      for (const threads of pytorch ? PYTORCH_THREADS : []) {
        pytorchBest = Math.min(pytorchBest, await pytorch!.time({ ...task, threads }));
      }
      if (round > 0 && performance.now() - begun > ENOUGH * 1000) break;
    }
    await dispose();
    secondsPerPatch = best / batch;
    const row = {
      ...net,
      batch,
      backend: compute.name,
      /** Of forward and backward, counted as three forwards. */
      gflops: round(gflop / best),
      updatesPerSecond: round(1 / best),
      /** Of the same in PyTorch, taken in turn with ours in this run; null: not measured. */
      pytorchGflops: pytorch ? round(gflop / pytorchBest) : null,
      ratio: pytorch ? round(pytorchBest / best) : null,
    };
    rows.push(row);
    const compared = pytorch
      ? `  PyTorch ${`${row.pytorchGflops}`.padStart(6)}  ratio ${row.ratio}`
      : '';
    log(
      `${row.backend.padEnd(10)} ${row.channels}→${row.hidden}  batch ${`${batch}`.padStart(2)}  ` +
        `${`${row.gflops}`.padStart(6)} GFLOP/s  ${`${row.updatesPerSecond}`.padStart(6)} updates/s${compared}`,
    );
  }
  return rows;
}

const round = (x: number): number => Number(x.toPrecision(3));

/**
 * One training step: the batch is shared out among the workers, as the trainer shares out its
 * micro-batches.
 */
function prepare(compute: Compute, { channels, hidden }: Net, batch: number) {
  const spec: DecoderSpec = {
    side: SIDE,
    channels,
    latentSize: channels,
    growth: { kind: 'uniform', steps: STEPS },
    update: {
      kind: 'residual',
      hidden,
      activation: 'elu',
      leak: 0,
      standingInput: false,
      updateProbability: 1,
    },
  };
  // What cannot be shared out evenly keeps one worker busy and the others idle, as it would in
  // training.
  const shares = batch % compute.workers === 0 ? compute.workers : 1;
  const pool = openWorkerPool(workerJob, compute, { spec, steps: STEPS, micro: batch / shares });
  const jobs = new Array<'step'>(shares).fill('step');
  return {
    gflop: (3 * 2 * macPerCellStep(spec) * batch * SIDE ** 2 * STEPS) / 1e9,
    step: () => pool.work(jobs, () => {}),
    dispose: () => pool.dispose(),
  };
}
