/**
 * Replaces threads that are lost, or whose GPU is. Calls are submitted immediately and answered in
 * order. After a loss, a new thread starts, patches are restored on it, and unanswered calls are
 * submitted again.
 */
import { type Clock, pause, retry, systemClock } from '../../platform/clock.ts';
import type { BackendName } from '../backend.ts';
import { EngineError, type EngineInfo, type EngineLoss } from '../engine.ts';
import type { ThreadEngine } from './protocol.ts';

/** Options of a `Recovery`. */
export interface RecoveryOptions {
  /** Starts a replacement for a lost thread. @throws EngineError unavailable */
  readonly restart: () => Promise<ThreadEngine>;
  /** Called for each loss, before the replacement starts. */
  readonly onLoss?: (what: EngineLoss['what'], why: string) => void;
  /** Delay before each attempt to start a replacement, ms. */
  readonly retryDelays?: readonly number[];
  readonly clock?: Clock;
}

/** A driver may take seconds to make a GPU available after a reset. */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/** Maximum number of losses within `LOSS_WINDOW` that are recovered from. */
const MAX_LOSSES = 3;
/** ms */
const LOSS_WINDOW = 60_000;

interface PendingCall {
  attempt(thread: ThreadEngine): void;
  reject(error: EngineError): void;
}

/** Holds the current thread and the calls it has not answered. */
export class Recovery {
  private failure: EngineError | undefined;
  private readonly losses: RecentLosses;
  private readonly pending = new Set<PendingCall>();

  /**
   * @param current undefined while a replacement starts
   * @param restore restores all patches on a new thread, in their state before the pending calls
   */
  constructor(
    public current: ThreadEngine | undefined,
    private readonly options: RecoveryOptions,
    private readonly restore: (thread: ThreadEngine) => Promise<void>,
  ) {
    const { clock = systemClock } = options;
    this.losses = new RecentLosses(() => clock.now());
  }

  /**
   * Submits a call.
   *
   * @param run submits the call before it returns; called again if the thread is lost
   * @param accept receives the answer; afterwards the call is never submitted again
   * @throws EngineError failed, closed; the error with which the thread answers
   */
  submit<T>(run: (thread: ThreadEngine) => Promise<T>, accept?: (result: T) => void): Promise<T> {
    const { pending } = this;
    return new Promise<T>((resolve, reject) => {
      /** Ignores answers of a lost thread: the call is submitted again. */
      const answer = (thread: ThreadEngine, take: () => void): void => {
        if (thread !== this.current) return;
        pending.delete(call);
        take();
      };
      const call: PendingCall = {
        reject,
        attempt: (thread) => {
          run(thread).then(
            (result) =>
              answer(thread, () => {
                accept?.(result);
                resolve(result);
              }),
            (error: EngineError) => {
              const { reason } = error;
              if (reason === 'failed' || reason === 'gpu-lost') void this.replace(thread, error);
              else answer(thread, () => reject(error));
            },
          );
        },
      };
      if (this.failure) return reject(this.failure);
      pending.add(call);
      if (this.current) call.attempt(this.current);
    });
  }

  /** Rejects pending and later calls, and closes the thread. */
  async close(): Promise<void> {
    const thread = this.current;
    this.current = undefined;
    this.end(new EngineError('closed'));
    await thread?.close();
  }

  /** Replaces a thread. A failed call may have left it in an inconsistent state. */
  private async replace(lost: ThreadEngine, error: EngineError): Promise<void> {
    if (lost !== this.current) return;
    this.current = undefined;
    void lost.close();
    try {
      await this.recover(error);
    } catch (failure) {
      this.end(new EngineError('failed', detailOf(failure as Error)));
    }
  }

  /** @throws Error why calls fail from now on */
  private async recover(error: EngineError): Promise<void> {
    const { restart, onLoss, retryDelays = RETRY_DELAYS, clock = systemClock } = this.options;
    const [first, ...pauses] = retryDelays;
    const why = detailOf(error);
    if (this.losses.add() > MAX_LOSSES) {
      throw new Error(`the engine's thread was lost repeatedly (${why})`);
    }
    onLoss?.(error.reason === 'gpu-lost' ? 'gpu' : 'thread', why);
    await pause(clock, first);
    const thread = await retry(restart, { clock, pauses }).catch((failure: Error) => {
      throw new Error(
        `the engine's thread was lost and could not be reopened: ${detailOf(failure)}`,
      );
    });
    try {
      if (!this.failure) await this.restore(thread);
    } catch (failure) {
      this.current = thread;
      await this.replace(thread, failure as EngineError);
      return;
    }
    if (this.failure) {
      void thread.close();
      return;
    }
    this.current = thread;
    for (const call of this.pending) call.attempt(thread);
  }

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}

const detailOf = (error: Error): string =>
  error instanceof EngineError ? error.detail : error.message;

/** Counts losses within `LOSS_WINDOW`. @param now monotonic clock, ms */
class RecentLosses {
  private times: number[] = [];

  constructor(private readonly now: () => number) {}

  /** Records a loss. @returns number of recent losses, including this one */
  add(): number {
    const time = this.now();
    this.times = [...this.times.filter((loss) => time - loss < LOSS_WINDOW), time];
    return this.times.length;
  }
}

/**
 * Consecutive failures to start before an alternative is used: all but the last retry of
 * `Recovery`.
 */
const MAX_FAILURES = 3;
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

/** Starts replacements for the threads of one backend, on an alternative if it fails repeatedly. */
export class Fallback {
  private readonly losses: RecentLosses;
  /** Whether too many threads were lost within `LOSS_WINDOW`. */
  private isRepeated = false;
  private failures = 0;
  private why = REPEATED;
  private replacement: BackendName | undefined;

  constructor(private readonly options: FallbackOptions) {
    this.losses = new RecentLosses(options.now ?? (() => performance.now()));
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
    if (this.failures === 0) this.isRepeated = this.losses.add() >= MAX_LOSSES;
    if (alternative && (this.failures >= MAX_FAILURES || this.isRepeated)) {
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
