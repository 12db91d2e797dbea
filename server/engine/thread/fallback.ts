/**
 * Chooses what replaces a lost thread: the same backend, or an alternative if it fails repeatedly.
 */
import type { BackendName } from '../backend.ts';
import type { EngineInfo } from '../engine.ts';
import type { ThreadEngine } from './worker-engine.ts';

/**
 * Consecutive failures to start before an alternative is used: all but the last retry of
 * `Recovery`.
 */
const MAX_FAILURES = 3;
/** Losses of threads and devices within `WINDOW` after which an alternative is used. */
const MAX_LOSSES = 3;
/** ms */
const WINDOW = 60_000;
const REPEATED = 'it was lost repeatedly';

/** Options of a `Fallback`. */
export interface FallbackOptions {
  /** Starts a thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /** The backend of the lost thread. */
  readonly chosen: BackendName;
  /** What may replace `chosen`; absent if the host has asked for `chosen` by name. */
  readonly alternative?: BackendName;
  /** Called with the alternative that is used from now on, and why `chosen` is not. */
  readonly onFallback: (replacement: EngineInfo, why: string) => void;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

/** Replaces the threads of one backend. */
export class Fallback {
  private losses: number[] = [];
  private failures = 0;
  private why = REPEATED;
  private replacement: BackendName | undefined;

  constructor(private readonly options: FallbackOptions) {}

  /** Records the loss of a device, also if its thread has reopened it. */
  recordLoss(): void {
    const { now = () => performance.now() } = this.options;
    const time = now();
    this.losses = [...this.losses.filter((loss) => time - loss < WINDOW), time];
  }

  /**
   * Starts the next thread, on the chosen backend or on an alternative.
   *
   * @throws EngineError unavailable
   */
  async next(): Promise<ThreadEngine> {
    const { start, chosen, alternative, onFallback } = this.options;
    if (this.replacement) return start(this.replacement);
    // Repeated attempts to replace one lost thread count as one loss.
    if (this.failures === 0) this.recordLoss();
    if (alternative && (this.failures >= MAX_FAILURES || this.losses.length >= MAX_LOSSES)) {
      const thread = await start(alternative).catch(() => undefined);
      if (thread) {
        this.replacement = alternative;
        onFallback(thread.info, this.why);
        return thread;
      }
    }
    try {
      const thread = await start(chosen);
      this.failures = 0;
      this.why = REPEATED;
      return thread;
    } catch (error) {
      this.failures++;
      this.why = (error as Error).message;
      throw error;
    }
  }
}
