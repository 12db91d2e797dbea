/**
 * Keeps something mortal at work, be it a GPU or a thread. Calls are submitted at once, and wait for their answers in order;
 * when it is lost, another is opened, patches are put back, and the calls that were not answered are made again.
 */
import { type Clock, pause, systemClock } from '../../platform/clock.ts';
import { retry } from '../../platform/retry.ts';
import { EngineError } from '../engine.ts';

/** What steps patches until it is lost. */
export interface LossyResource {
  /** Whether it is gone. What it did before, and what it was asked since, is then lost. */
  isLost(): boolean;
  destroy(): void;
}

/** A call that waits for its answer. */
export interface Call<P> {
  /** Whose places it needs. */
  readonly patches: readonly P[];
}

interface Pending<M, P> extends Call<P> {
  attempt(machine: M): void;
  reject(error: EngineError): void;
}

export interface RecoveryOptions<M> {
  /** What is kept, for people: 'the GPU'. */
  readonly what: string;
  readonly open: () => Promise<M>;
  /** Puts patches on a new machine; those of waiting calls too, as they were before these calls. */
  readonly restore: (machine: M) => Promise<void>;
  /** Puts on it what has come meanwhile; no call is between this and those that waited. */
  readonly afterRestore?: (machine: M) => void;
  /** Takes off it what was only needed for the calls that waited. */
  readonly afterRetry?: (machine: M) => void;
  /** Hears of each loss, and why, before another machine is sought. */
  readonly onLoss?: ((why: string) => void) | undefined;
  /** What is lost more often than this within a minute will not do better the next time (3). */
  readonly maxLosses?: number | undefined;
  /** How long to wait before each try to open another machine, ms. */
  readonly retryDelays?: readonly number[] | undefined;
  readonly clock?: Clock | undefined;
}

/** A driver that has reset its GPU may take seconds to offer it again. */
const PATIENCE = [0, 500, 2_000, 5_000];
/** How long a device may take to say that it is lost after something on it has failed, ms. */
const LAST_WORDS = 100;
const MOST_LOSSES = 3;
/** ms */
const LOSS_WINDOW = 60_000;

export class Recovery<M extends LossyResource, P = never> {
  private current: M | undefined;
  private failure: EngineError | undefined;
  /** When machines were lost of late. */
  private losses: number[] = [];
  private readonly pending = new Set<Pending<M, P>>();

  private readonly clock: Clock;

  constructor(private readonly options: RecoveryOptions<M>) {
    this.clock = options.clock ?? systemClock;
  }

  /** @throws EngineError, Error: there is no machine to begin with */
  async start(): Promise<void> {
    this.current = await this.options.open();
  }

  /** The machine to put patches on; none while another is sought. */
  get machine(): M | undefined {
    return this.current;
  }

  /** Patches of calls that wait. */
  get pendingPatches(): P[] {
    return [...this.pending].flatMap(({ patches }) => patches);
  }

  isPending(call: object): boolean {
    return this.pending.has(call as Pending<M, P>);
  }

  /** @throws EngineError failed, closed */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /**
   * @param run submits the call before it returns; made again on another machine where the first is lost
   * @param accept hears the answer at the moment from which the call will not be made again
   */
  submit<T>(
    patches: readonly P[],
    run: (machine: M) => Promise<T>,
    accept?: (result: T) => void,
  ): { call: Call<P>; answer: Promise<T> } {
    const { pending } = this;
    let call!: Pending<M, P>;
    const answer = new Promise<T>((resolve, reject) => {
      call = {
        patches,
        reject,
        attempt: (machine) => {
          run(machine).then(
            (result) => {
              // Answers of a machine that is given up count for nothing: the call is made again.
              if (machine !== this.current) return;
              pending.delete(call);
              accept?.(result);
              resolve(result);
            },
            (error: Error) => this.onFailure(machine, error),
          );
        },
      };
    });
    if (this.failure) call.reject(this.failure);
    else {
      pending.add(call);
      if (this.current) call.attempt(this.current);
    }
    return { call, answer };
  }

  close(): void {
    this.current?.destroy();
    this.current = undefined;
    this.end(new EngineError('closed'));
  }

  private async onFailure(machine: M, error: Error): Promise<void> {
    if (machine !== this.current) return;
    this.current = undefined;
    if (!machine.isLost()) await pause(this.clock, LAST_WORDS);
    const lost = machine.isLost();
    machine.destroy();
    const why = error instanceof EngineError ? error.detail : error.message;
    if (!lost) this.end(new EngineError('failed', why));
    else
      await this.recover(why).catch((e: Error) => this.end(new EngineError('failed', e.message)));
  }

  private async recover(why: string): Promise<void> {
    const { what, onLoss, maxLosses: mostLosses = MOST_LOSSES } = this.options;
    const at = this.clock.now();
    this.losses = [...this.losses.filter((loss) => at - loss < LOSS_WINDOW), at];
    if (this.losses.length > mostLosses) {
      this.end(new EngineError('failed', `${what} is lost again and again (${why})`));
      return;
    }
    onLoss?.(why);
    const machine = await this.reopen();
    if (!machine || this.failure) {
      machine?.destroy();
      return;
    }
    try {
      await this.options.restore(machine);
    } catch (error) {
      this.current = machine;
      await this.onFailure(machine, error as Error);
      return;
    }
    if (this.failure) {
      machine.destroy();
      return;
    }
    this.current = machine;
    this.options.afterRestore?.(machine);
    for (const call of this.pending) call.attempt(machine);
    this.options.afterRetry?.(machine);
  }

  private async reopen(): Promise<M | undefined> {
    const { what, open, retryDelays: patience = PATIENCE } = this.options;
    const [first, ...pauses] = patience;
    await pause(this.clock, first);
    try {
      return await retry(open, { clock: this.clock, pauses });
    } catch (error) {
      const why = error instanceof EngineError ? error.detail : (error as Error).message;
      this.end(new EngineError('failed', `${what} was lost, and none came in its place: ${why}`));
      return undefined;
    }
  }

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}
