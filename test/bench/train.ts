/**
 * Measures the cost of training: forward and backward passes of the rule, as programs of segments,
 * on each back end of this machine.
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
import { startPython } from './python.ts';
import { workerJob } from './train-job.ts';

const NETS = [
  { channels: 32, hidden: 64 },
  { channels: 48, hidden: 72 },
  { channels: 64, hidden: 128 },
] as const;
const BATCHES = [4, 8, 12, 32] as const;
const SIDE = 32;
const STEPS = 4;
/** Number of alternating measurements of ours and PyTorch. The best of each counts. */
const ROUNDS = 6;
/** Time in seconds after which two rounds are enough. */
const ENOUGH = 6;
/** Maximum duration of a step in seconds. Larger batches are left out. */
const LONGEST = 5;
/** Numbers of threads for PyTorch, whose threads wait for each other on a busy machine. */
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
  // The load is the mean number of processes that wanted to run in the last minute.
  return { devices, load: loadavg()[0], nets };
}

async function start(name: ComputeName, log: Log): Promise<Compute | undefined> {
  try {
    return await createCompute(name);
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    log(`back end left out: ${error.message}`);
    return undefined;
  }
}

type Net = (typeof NETS)[number];

async function measureNet(compute: Compute, net: Net, pytorch: PyTorch | undefined, log: Log) {
  const rows = [];
  let secondsPerPatch = 0;
  for (const batch of BATCHES) {
    if (secondsPerPatch * batch > LONGEST) {
      log(
        `${compute.name} ${net.channels}→${net.hidden}: batch ${batch} is left out, because it is too slow`,
      );
      continue;
    }
    const { step, gflop, dispose } = prepare(compute, net, batch);
    const gpu = compute.device.startsWith('GPU');
    await step();
    let best = Infinity;
    let pytorchBest = Infinity;
    const begun = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      await step();
      best = Math.min(best, (performance.now() - started) / 1000);
      for (const threads of pytorch ? PYTORCH_THREADS : []) {
        pytorchBest = Math.min(pytorchBest, await pytorch!.time(net, batch, gpu, threads));
      }
      if (round > 0 && performance.now() - begun > ENOUGH * 1000) break;
    }
    await dispose();
    secondsPerPatch = best / batch;
    const row = {
      ...net,
      batch,
      backend: compute.name,
      /** Speed of a forward and a backward pass, counted as three forward passes. */
      gflops: round(gflop / best),
      updatesPerSecond: round(1 / best),
      /** Speed of PyTorch, measured alternately with ours in this run; null if not measured. */
      pytorchGflops: pytorch ? round(gflop / pytorchBest) : null,
      ratio: pytorch ? round(pytorchBest / best) : null,
    };
    rows.push(row);
    log(JSON.stringify(row));
  }
  return rows;
}

const round = (x: number): number => Number(x.toPrecision(3));

/**
 * Prepares a training step, which divides the batch among the workers like the trainer's
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
  // A batch that cannot be divided evenly keeps one worker busy and the others idle, as in training.
  const shares = batch % compute.workers === 0 ? compute.workers : 1;
  const pool = openWorkerPool(workerJob, compute, { spec, steps: STEPS, micro: batch / shares });
  const jobs = new Array<'step'>(shares).fill('step');
  return {
    gflop: (3 * 2 * macPerCellStep(spec) * batch * SIDE ** 2 * STEPS) / 1e9,
    step: () => pool.work(jobs, () => {}),
    dispose: () => pool.dispose(),
  };
}

/**
 * Channels last, with oneDNN's own choices, was the fastest way tried on CPUs. Compiled code
 * (`torch.compile`) takes as long.
 */
const SCRIPT = `
import json, sys, time
import torch
from torch.nn.functional import conv2d, elu

print(json.dumps({"version": torch.__version__, "cuda": torch.cuda.is_available()}), flush=True)
prepared = {}

def prepare(c, h, n, s, steps, gpu):
    device = "cuda" if gpu and torch.cuda.is_available() else "cpu"
    def weight(*shape):
        w = torch.randn(*shape, device=device) * 0.05
        if len(shape) == 4:
            w = w.to(memory_format=torch.channels_last)
        return w.requires_grad_()
    weights = [weight(h, c, 3, 3), weight(h), weight(h, h, 1, 1), weight(h), weight(c, h, 1, 1), weight(c)]
    def cells(channels):
        return torch.randn(n, channels, s, s, device=device).contiguous(memory_format=torch.channels_last)
    before, image = cells(c).requires_grad_(), cells(4)
    def run():
        states = before
        w0, b0, w1, b1, w2, b2 = weights
        for _ in range(steps):
            x = elu(conv2d(states, w0, b0, padding=1))
            x = x + elu(conv2d(x, w1, b1))
            states = states + conv2d(x, w2, b2)
        loss = ((states[:, :4] - image) ** 2).sum()
        torch.autograd.grad(loss, weights + [before])
        if device == "cuda":
            torch.cuda.synchronize()
    run()
    return run

for line in sys.stdin:
    threads, *task = json.loads(line)
    task = tuple(task)
    torch.set_num_threads(threads)
    if task not in prepared:
        prepared.clear()
        prepared[task] = prepare(*task)
    start = time.perf_counter()
    prepared[task]()
    print(time.perf_counter() - start, flush=True)
`;

type PyTorch = NonNullable<Awaited<ReturnType<typeof startPyTorch>>>;

/** @returns undefined, with a message, if there is no python3 with torch */
async function startPyTorch(log: Log) {
  const python = await startPython(SCRIPT, log);
  if (!python) return undefined;
  const { version, cuda } = python.hello as { version: string; cuda: boolean };
  return {
    /** Description for people. */
    device: `PyTorch ${version}${cuda ? ', CUDA' : ''}`,
    /** Returns the duration of one forward and backward pass, in seconds. */
    time: ({ channels, hidden }: Net, batch: number, gpu: boolean, threads: number) =>
      python.ask([threads, channels, hidden, batch, SIDE, STEPS, gpu]) as Promise<number>,
    close: python.close,
  };
}
