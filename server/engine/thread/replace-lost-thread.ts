/**
 * Replaces an engine thread that is lost or whose GPU is lost. Calls are submitted immediately and
 * answered in order. After a loss, a new thread starts, its patches are restored, and unanswered
 * calls are submitted again.
 */
import { type Clock, pause, retry, systemClock } from '../../platform/clock.ts';
import type { BackendName } from '../backend.ts';
import { EngineError, type EngineInfo, type EngineLoss } from '../engine.ts';
import type { ThreadEngine } from './protocol.ts';

export interface RecoveryOptions {
  /** Starts a thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /**
   * Backend to start instead if the current one is lost repeatedly or does not start. If absent, no
   * other backend is tried.
   */
  readonly alternative?: BackendName;
  /** Called for each loss, before the replacement starts. */
  readonly onLoss?: (what: EngineLoss['what'], why: string) => void;
  /** Called when the alternative backend takes over. */
  readonly onFallback?: (replacement: EngineInfo, why: string) => void;
  /** Delay before each attempt to start a replacement, in ms. */
  readonly retryDelays?: readonly number[];
  readonly clock?: Clock;
}

/**
 * Delays before the attempts to start a replacement, in ms. After a reset, a driver may take
 * seconds to make a GPU available.
 */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/**
 * Maximum number of recoveries within `LOSS_WINDOW`. The last of them starts the alternative
 * backend.
 */
const MAX_LOSSES = 3;
/** Number of failed starts before the last attempt, which starts the alternative backend. */
const MAX_FAILURES = RETRY_DELAYS.length - 1;
/** Period in which losses are counted, in ms. */
const LOSS_WINDOW = 60_000;

interface PendingCall {
  attempt(thread: ThreadEngine): void;
  reject(error: EngineError): void;
}

/** Holds the current thread and the calls that it has not answered. */
export class Recovery {
  /** Undefined while a replacement is starting. */
  private current: ThreadEngine | undefined;
  private failure: EngineError | undefined;
  /** When the losses within `LOSS_WINDOW` happened, in ms. */
  private losses: number[] = [];
  private backend: BackendName;
  private readonly clock: Clock;
  private readonly pending = new Set<PendingCall>();

  /** @param restore restores all patches on a new thread, as they were before the pending calls */
  constructor(
    first: ThreadEngine,
    private readonly options: RecoveryOptions,
    private readonly restore: (thread: ThreadEngine) => Promise<void>,
  ) {
    this.clock = options.clock ?? systemClock;
    this.current = first;
    this.backend = first.info.name as BackendName;
  }

  /**
   * Submits a call to the current thread.
   *
   * @param run calls the thread without waiting first; called again if that thread is lost
   * @param accept receives the answer; afterwards the call is never submitted again
   * @throws EngineError failed, closed; or the error that the thread answers with
   */
  submit<T>(run: (thread: ThreadEngine) => Promise<T>, accept?: (result: T) => void): Promise<T> {
    const { pending } = this;
    return new Promise<T>((resolve, reject) => {
      /**
       * Settles the call. Ignores the answer of a lost thread, because the call is submitted again.
       */
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

  /**
   * Replaces a thread. A thread is replaced even if only a call has failed, because the call may
   * have left it in an inconsistent state.
   */
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

  /**
   * Starts a replacement, restores the patches on it and submits the pending calls again.
   *
   * @throws Error if the thread cannot be replaced
   */
  private async recover(error: EngineError): Promise<void> {
    const { onLoss, retryDelays = RETRY_DELAYS } = this.options;
    const { clock } = this;
    const [first, ...pauses] = retryDelays;
    const why = detailOf(error);
    const time = clock.now();
    this.losses = [...this.losses.filter((loss) => time - loss < LOSS_WINDOW), time];
    if (this.losses.length > MAX_LOSSES) {
      throw new Error(`the engine's thread was lost repeatedly (${why})`);
    }
    onLoss?.(error.reason === 'gpu-lost' ? 'gpu' : 'thread', why);
    await pause(clock, first);
    const thread = await retry(this.replacementStarter(), { clock, pauses }).catch(
      (failure: Error) => {
        throw new Error(
          `the engine's thread was lost and could not be reopened: ${detailOf(failure)}`,
        );
      },
    );
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

  /**
   * Returns a function that starts the same backend or, after repeated losses or failed starts, its
   * alternative.
   */
  private replacementStarter(): () => Promise<ThreadEngine> {
    const { start, alternative, onFallback } = this.options;
    let failures = this.losses.length < MAX_LOSSES ? 0 : MAX_FAILURES;
    let why = 'it was lost repeatedly';
    return async () => {
      if (alternative && this.backend !== alternative && failures >= MAX_FAILURES) {
        const thread = await start(alternative).catch(() => undefined);
        if (thread) {
          this.backend = alternative;
          onFallback?.(thread.info, why);
          return thread;
        }
      }
      try {
        return await start(this.backend);
      } catch (error) {
        failures++;
        why = (error as Error).message;
        throw error;
      }
    };
  }

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}

const detailOf = (error: Error): string =>
  error instanceof EngineError ? error.detail : error.message;
