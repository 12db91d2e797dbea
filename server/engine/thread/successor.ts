/** What takes the place of a thread that is lost. */
import type { BackendName } from '../backend.ts';
import type { EngineInfo } from '../engine.ts';
import type { ThreadEngine } from './workerEngine.ts';

/** So many starts within a minute, whether they failed or what they started was lost: the GPU will do no better the next time. */
const MOST_TRIES = 3;
/** ms */
const WINDOW = 60_000;

export interface SuccessorOptions {
  /** @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /** What was lost. */
  readonly chosen: BackendName;
  /** What may be taken where `chosen` does not hold, the best first; none, where `chosen` was asked for by name. */
  readonly spare: readonly BackendName[];
  /** Hears what is taken from then on, and why `chosen` is not. */
  readonly onSpare: (instead: EngineInfo, why: string) => void;
  /** ms of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * @returns starts the next thread: of the same kind, or of a spare one after three tries within a minute
 */
export function successorOf({
  start,
  chosen,
  spare,
  onSpare,
  now = () => performance.now(),
}: SuccessorOptions): () => Promise<ThreadEngine> {
  let tries: number[] = [];
  let taken: BackendName | undefined;
  let why = 'it is lost again and again';
  return async () => {
    if (taken) return start(taken);
    const at = now();
    tries = [...tries.filter((before) => at - before < WINDOW), at];
    if (tries.length < MOST_TRIES || spare.length === 0) {
      return start(chosen).catch((error: Error) => {
        why = error.message;
        throw error;
      });
    }
    for (const name of spare) {
      const thread = await start(name).catch(() => undefined);
      if (!thread) continue;
      taken = name;
      onSpare(thread.info, why);
      return thread;
    }
    return start(chosen);
  };
}
