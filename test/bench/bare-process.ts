/** Asks the processes of `bare.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import type { BackendName } from '../../server/engine/backend.ts';

/** A process's one argument, in JSON. */
export interface BareStart {
  readonly name: BackendName;
  /** The checkpoint's. */
  readonly folder: string;
}

/** A process's first message. */
export interface BareHello {
  /** Processes that are to step side by side, as the engine's threads do. */
  readonly lanes: number;
}

export type BareQuestion =
  /** Grown states [side, side, C], which patches begin as copies of, over and over. */
  | { readonly what: 'stock'; readonly states: readonly Float32Array[] }
  | { readonly what: 'product'; readonly times: number }
  | {
      readonly what: 'step';
      readonly from: number;
      readonly patches: number;
      readonly times: number;
    };

export interface Bare {
  /** ms of a big product on all cores, the mean of so many; null: the runtime cannot be asked. */
  timeProduct(times: number): Promise<number | null>;
  /** ms of a step of so many patches, the mean of so many; null: the backend has no step without its states. */
  timeStep(patches: number, times: number): Promise<number | null>;
  close(): void;
}

/**
 * Starts a backend without an engine around it, in processes of its own, because TensorFlow.js has one backend a thread, and
 * memory is to be the engine's alone in ours.
 *
 * @param checkpoints grown states [side, side, C], which patches begin as copies of, over and over
 * @throws Error the backend does not start, or a process ended
 */
export async function startBare(
  start: BareStart,
  checkpoints: readonly Float32Array[],
): Promise<Bare> {
  const first = await startProcess(start);
  const others = Array.from({ length: first.lanes - 1 }, () => startProcess(start));
  const lanes = [first, ...(await Promise.all(others))];
  for (const lane of lanes) await lane.ask({ what: 'stock', states: checkpoints });
  return {
    timeProduct: (times) => first.ask({ what: 'product', times }),
    async timeStep(patches, times) {
      const share = patches / lanes.length;
      const taken = lanes.map(async (lane, i) => {
        const [from, to] = [i, i + 1].map((at) => Math.round(at * share));
        return from === to ? 0 : lane.ask({ what: 'step', from, patches: to - from, times });
      });
      const ms = await Promise.all(taken);
      return ms.includes(null) ? null : Math.max(...(ms as number[]));
    },
    close() {
      for (const { child } of lanes) child.kill();
    },
  };
}

interface Lane extends BareHello {
  readonly child: ChildProcess;
  ask(question: BareQuestion): Promise<number | null>;
}

async function startProcess(start: BareStart): Promise<Lane> {
  const child = fork(new URL('./bare.ts', import.meta.url), [JSON.stringify(start)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr!.on('data', (chunk) => {
    complaint += chunk;
  });
  let waiting: { resolve(answer: unknown): void; reject(error: Error): void } | undefined;
  child.on('message', (answer) => waiting?.resolve(answer));
  child.on('exit', () => {
    waiting?.reject(new Error(`the bare ${start.name} ended: ${complaint.trim()}`));
  });
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting = { resolve: resolve as (answer: unknown) => void, reject };
    });
  const { lanes } = await next<BareHello>();
  return {
    lanes,
    child,
    async ask(question) {
      const answer = next<{ ms: number | null }>();
      child.send(question);
      return (await answer).ms;
    },
  };
}
