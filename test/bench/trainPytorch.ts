/** The nets of `train.ts` in PyTorch, in a Python process beside: asked line by line, so that both can be timed in turn. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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

/** Channels last and oneDNN's choice of the rest: the fastest of what was tried on CPUs. */
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

/** @returns undefined, having said why, where there is no python3 with torch */
export async function startPyTorch(log: (line: string) => void): Promise<PyTorch | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-bench-'));
  const script = join(folder, 'train.py');
  await writeFile(script, SCRIPT);
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  child.on('error', (error) => {
    complaint ||= error.message;
  });
  // A process that is gone cannot be asked; its last words are told below.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const close = async (): Promise<void> => {
    child.stdin.end();
    await rm(folder, { recursive: true, force: true });
  };
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`python3 ended: ${complaint.trim().split('\n').at(-1)}`);
    return value;
  };
  try {
    const { version, cuda } = JSON.parse(await next());
    return {
      device: `PyTorch ${version}${cuda ? ', CUDA' : ''}`,
      async time({ threads, channels, hidden, batch, side, steps, gpu }) {
        child.stdin.write(
          `${JSON.stringify([threads, channels, hidden, batch, side, steps, gpu])}\n`,
        );
        return Number(await next());
      },
      close,
    };
  } catch (error) {
    log(`no PyTorch to compare with: ${(error as Error).message}`);
    await close();
    return undefined;
  }
}
