/** Asks the process of `bare.ts`. */
import { fork } from 'node:child_process';
import type { BackendName } from '../../server/engine/backend.ts';

export interface BareStart {
  readonly name: BackendName;
  /** The checkpoint's. */
  readonly folder: string;
}

export type BareQuestion =
  /** Grown states [side, side, C], which patches begin as copies of, over and over. */
  | { readonly what: 'stock'; readonly states: readonly Float32Array[] }
  | { readonly what: 'product'; readonly times: number }
  | { readonly what: 'step'; readonly patches: number; readonly times: number }
  /** The states of so many patches after one step. */
  | { readonly what: 'after'; readonly patches: number };

export interface BareAnswer {
  /** Of one product or step, the mean of those asked for; null: nothing was timed. */
  readonly ms: number | null;
  readonly states?: readonly Float32Array[];
}

export interface Bare {
  ask(question: BareQuestion): Promise<BareAnswer>;
  close(): void;
}

/**
 * A process of its own, because TensorFlow.js has one backend a thread, and memory is the engine's alone in ours.
 *
 * @throws Error the backend does not start, or the process ended
 */
export async function startBare(start: BareStart): Promise<Bare> {
  const child = fork(new URL('./bare.ts', import.meta.url), [JSON.stringify(start)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr!.on('data', (chunk) => {
    complaint += chunk;
  });
  let waiting: { resolve(answer: BareAnswer): void; reject(error: Error): void } | undefined;
  child.on('message', (answer) => waiting?.resolve(answer as BareAnswer));
  child.on('exit', () => {
    waiting?.reject(new Error(`the bare ${start.name} ended: ${complaint.trim()}`));
  });
  const next = (): Promise<BareAnswer> =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  await next();
  return {
    ask(question) {
      const answer = next();
      child.send(question);
      return answer;
    },
    close: () => void child.kill(),
  };
}
