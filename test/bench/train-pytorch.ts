/**
 * The nets of `train.ts` in PyTorch, in a Python process beside: asked line by line, so that both
 * can be timed in turn.
 */
import type { Log } from './options.ts';
import { startPython } from './python.ts';

export interface Task {
  readonly channels: number;
  readonly hidden: number;
  readonly batch: number;
  readonly side: number;
  readonly steps: number;
  readonly gpu: boolean;
  readonly threads: number;
}

export interface PyTorch {
  /** For people. */
  readonly device: string;
  /** Seconds of one forward and backward. */
  time(task: Task): Promise<number>;
  close(): Promise<void>;
}

/**
 * Channels last and oneDNN's choice of the rest: the fastest of what was tried on CPUs. Compiled
 * code (`torch.compile`) takes as long.
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

/** @returns undefined, having said so, where there is no python3 with torch */
export async function startPyTorch(log: Log): Promise<PyTorch | undefined> {
  const python = await startPython(SCRIPT, log);
  if (!python) return undefined;
  const { version, cuda } = python.hello as { version: string; cuda: boolean };
  return {
    device: `PyTorch ${version}${cuda ? ', CUDA' : ''}`,
    time: ({ threads, channels, hidden, batch, side, steps, gpu }) =>
      python.ask([threads, channels, hidden, batch, side, steps, gpu]) as Promise<number>,
    close: python.close,
  };
}
