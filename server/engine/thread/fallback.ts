/** What takes the place of a thread that is lost. */
import type { BackendName } from '../backend.ts';
import type { EngineInfo } from '../engine.ts';
import type { ThreadEngine } from './worker-engine.ts';

/** Starts that fail one after the other before a spare is taken: as many as a driver that was reset is given, but the last. */
const MOST_FAILURES = 3;
/** Losses within a minute, of threads and of devices, after which a spare is taken. */
const MOST_LOSSES = 3;
/** ms */
const WINDOW = 60_000;
const AGAIN = 'it is lost again and again';

export interface FallbackOptions {
  /** @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /** What was lost. */
  readonly chosen: BackendName;
  /** What may be taken where `chosen` does not hold, the best first; none, where `chosen` was asked for by name. */
  readonly alternatives: readonly BackendName[];
  /** Hears what is taken from then on, and why `chosen` is not. */
  readonly onFallback: (instead: EngineInfo, why: string) => void;
  /** ms of a clock that never goes back. */
  readonly now?: () => number;
}

export class Fallback {
  private losses: number[] = [];
  private failures = 0;
  private why = AGAIN;
  private taken: BackendName | undefined;

  constructor(private readonly options: FallbackOptions) {}

  /** A device was lost; its thread may have found another. */
  recordLoss(): void {
    const { now = () => performance.now() } = this.options;
    const at = now();
    this.losses = [...this.losses.filter((loss) => at - loss < WINDOW), at];
  }

  /**
   * Starts the next thread: of the same kind, or of a spare one.
   *
   * @throws EngineError unavailable
   */
  async next(): Promise<ThreadEngine> {
    const { start, chosen, alternatives: spare, onFallback: onSpare } = this.options;
    if (this.taken) return start(this.taken);
    // Tries of one search are one loss.
    if (this.failures === 0) this.recordLoss();
    if (this.failures >= MOST_FAILURES || this.losses.length >= MOST_LOSSES) {
      for (const name of spare) {
        const thread = await start(name).catch(() => undefined);
        if (!thread) continue;
        this.taken = name;
        onSpare(thread.info, this.why);
        return thread;
      }
    }
    try {
      const thread = await start(chosen);
      this.failures = 0;
      this.why = AGAIN;
      return thread;
    } catch (error) {
      this.failures++;
      this.why = (error as Error).message;
      throw error;
    }
  }
}
