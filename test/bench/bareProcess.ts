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

/** Its first message. */
export interface BareReady {
  /** Threads that the backend makes best use of; each process is one. */
  readonly lanes: number;
}

export interface Bare {
  ask(question: BareQuestion): Promise<BareAnswer>;
  close(): void;
}

/**
 * Processes of their own, because TensorFlow.js has one backend a thread, and memory is the engine's alone in ours: as many as
 * the engine would have threads. A step's patches are shared out among them, and the slowest one's time counts.
 *
 * @throws Error the backend does not start, or a process ended
 */
export async function startBare(start: BareStart): Promise<Bare> {
  const first = await startOne(start);
  const all = [
    first,
    ...(await Promise.all(Array.from({ length: first.lanes - 1 }, () => startOne(start)))),
  ];
  return {
    async ask(question) {
      switch (question.what) {
        case 'stock':
          for (const one of all) await one.ask(question);
          return { ms: null };
        case 'step': {
          const workers = all.slice(0, question.patches);
          const answers = await Promise.all(
            workers.map((one, i) => {
              const patches = Math.floor((question.patches + i) / workers.length);
              return one.ask({ ...question, patches });
            }),
          );
          return { ms: Math.max(...answers.map(({ ms }) => ms!)) };
        }
        default:
          return first.ask(question);
      }
    },
    close() {
      for (const one of all) one.close();
    },
  };
}

async function startOne(start: BareStart): Promise<Bare & BareReady> {
  const child = fork(new URL('./bare.ts', import.meta.url), [JSON.stringify(start)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr!.on('data', (chunk) => {
    complaint += chunk;
  });
  let waiting: { resolve(message: unknown): void; reject(error: Error): void } | undefined;
  child.on('message', (message) => waiting?.resolve(message));
  child.on('exit', () => {
    waiting?.reject(new Error(`the bare ${start.name} ended: ${complaint.trim()}`));
  });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  const { lanes } = (await next()) as BareReady;
  return {
    lanes,
    ask(question) {
      const answer = next() as Promise<BareAnswer>;
      child.send(question);
      return answer;
    },
    close: () => void child.kill(),
  };
}
