/**
 * Recovers from the loss of a GPU or a thread. Calls are submitted at once and answered in order.
 * After a loss, a new machine is opened, the patches are restored, and unanswered calls are
 * submitted again.
 */
import { type Clock, pause, retry, systemClock } from '../../platform/clock.ts';
import { EngineError, type PatchId, type PatchStep } from '../engine.ts';

/** A machine that steps patches and may be lost: a GPU or a thread. */
export interface LossyResource {
  /** Whether it is lost, with its states and the calls it has not answered. */
  isLost(): boolean;
  destroy(): void;
}

/** A submitted call. */
export interface Call<P> {
  /** The patches it refers to. */
  readonly patches: readonly P[];
}

interface Pending<M, P> extends Call<P> {
  attempt(machine: M): void;
  reject(error: EngineError): void;
}

/** Options of a `Recovery`. */
export interface RecoveryOptions<M> {
  /** The machine in words: 'the GPU'. */
  readonly what: string;
  readonly open: () => Promise<M>;
  /**
   * Restores all patches on a new machine, those of pending calls in the state before the calls.
   */
  readonly restore: (machine: M) => Promise<void>;
  /**
   * Called before the pending calls are submitted again, to add patches planted during `restore`.
   */
  readonly afterRestore?: (machine: M) => void;
  /** Called after that, to remove patches that only the pending calls needed. */
  readonly afterRetry?: (machine: M) => void;
  /** Called with the reason of each loss, before a new machine is opened. */
  readonly onLoss?: ((why: string) => void) | undefined;
  /** Losses within a minute that are recovered from (3). */
  readonly maxLosses?: number | undefined;
  /** Delay before each attempt to open a new machine, ms. */
  readonly retryDelays?: readonly number[] | undefined;
  readonly clock?: Clock | undefined;
}

/** A driver may take seconds to make a GPU available after a reset. */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/** How long after a failed call a device may take to report its loss, ms. */
const LOSS_REPORT_DELAY = 100;
const MAX_LOSSES = 3;
/** ms */
const LOSS_WINDOW = 60_000;

/** Holds the current machine and the calls it has not answered. */
export class Recovery<M extends LossyResource, P = never> {
  private current: M | undefined;
  private failure: EngineError | undefined;
  /** Times of the losses within `LOSS_WINDOW`. */
  private losses: number[] = [];
  private readonly pending = new Set<Pending<M, P>>();
  private readonly clock: Clock;

  constructor(private readonly options: RecoveryOptions<M>) {
    this.clock = options.clock ?? systemClock;
  }

  /** Opens the first machine. @throws EngineError, Error: it cannot be opened */
  async start(): Promise<void> {
    this.current = await this.options.open();
  }

  /** The current machine; undefined while a new one is being opened. */
  get machine(): M | undefined {
    return this.current;
  }

  /** Patches of pending calls. */
  get pendingPatches(): P[] {
    return [...this.pending].flatMap(({ patches }) => patches);
  }

  /** Whether a call has not been answered yet. */
  isPending(call: object): boolean {
    return this.pending.has(call as Pending<M, P>);
  }

  /** Checks that calls can be submitted. @throws EngineError failed, closed */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /**
   * Submits a call.
   *
   * @param run submits the call before it returns; called again if the machine is lost
   * @param accept receives the answer; afterwards the call is never submitted again
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
              // Ignore answers of a lost machine: the call is submitted again.
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
    if (!machine.isLost()) await pause(this.clock, LOSS_REPORT_DELAY);
    const lost = machine.isLost();
    machine.destroy();
    try {
      if (!lost) throw error;
      await this.recover(detailOf(error));
    } catch (failure) {
      this.end(new EngineError('failed', detailOf(failure as Error)));
    }
  }

  /** @throws Error why calls fail from now on */
  private async recover(why: string): Promise<void> {
    const { what, open, onLoss, maxLosses = MAX_LOSSES } = this.options;
    const [first, ...pauses] = this.options.retryDelays ?? RETRY_DELAYS;
    const time = this.clock.now();
    this.losses = [...this.losses.filter((loss) => time - loss < LOSS_WINDOW), time];
    if (this.losses.length > maxLosses) throw new Error(`${what} was lost repeatedly (${why})`);
    onLoss?.(why);
    await pause(this.clock, first);
    const machine = await retry(open, { clock: this.clock, pauses }).catch((error: Error) => {
      throw new Error(`${what} was lost and could not be reopened: ${detailOf(error)}`);
    });
    if (this.failure) {
      machine.destroy();
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

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}

const detailOf = (error: Error): string =>
  error instanceof EngineError ? error.detail : error.message;

/** A step that was made or submitted. */
export interface LoggedStep extends Omit<PatchStep, 'patch'> {
  /** The call it belongs to, until that is answered. */
  call?: object | undefined;
}

/**
 * Steps between two copies of a patch's states. At this interval copying costs well under 1 % of
 * the steps' time on a CPU, and repeating the steps takes a second or two.
 */
export const SAVE_EVERY = 64;
/**
 * As `SAVE_EVERY`, on a GPU: copies cost more, but if the GPU does not return, a CPU repeats the
 * steps.
 */
export const SAVE_GPU_EVERY = 128;

/**
 * A copy of a patch's states and the steps made since. A step is a function of the states, so
 * repeating the steps gives the same result.
 */
export class StateCheckpoint<S> {
  /** Steps since the copy, in order. */
  steps: LoggedStep[] = [];
  /** Number of steps after which a copy is due; `Infinity` while one is being made. */
  private saveAfter: number;

  /**
   * @param saved the patch's current states
   * @param saveEvery steps between two copies
   * @param expressed [Z] what the rule read last before the copy was made; undefined: the latent
   *   that was planted
   */
  constructor(
    id: PatchId,
    public saved: S,
    private readonly saveEvery: number,
    public expressed?: Float32Array,
  ) {
    // Spreads the copies of patches that were planted together.
    this.saveAfter = saveEvery / 2 + (id % saveEvery);
  }

  /** Whether the states should be copied before the next step. */
  get isDue(): boolean {
    return this.steps.length >= this.saveAfter;
  }

  /** [Z] What the rule reads now; undefined: the latent that was planted. */
  get expressedNow(): Float32Array | undefined {
    return lastExpressed(this.steps) ?? this.expressed;
  }

  /** Adds a step. The caller must not change its mask and latent afterwards. */
  log(step: LoggedStep): void {
    this.steps.push(step);
  }

  /**
   * Call it when a copy is requested.
   *
   * @returns call it with the copy and the number of logged steps that the copy includes (default:
   *   all those logged before `beginSave`), or without a copy if there is none: one is then due
   *   again soon
   */
  beginSave(): (saved?: S, steps?: number) => void {
    const logged = this.steps.length;
    this.saveAfter = Infinity;
    return (saved, steps = logged) => {
      if (saved === undefined) {
        // A copy that failed now is not retried at once.
        this.saveAfter = this.steps.length + this.saveEvery / 8;
        return;
      }
      this.saveAfter = this.saveEvery;
      this.saved = saved;
      this.expressed = lastExpressed(this.steps.splice(0, steps)) ?? this.expressed;
    };
  }
}

/** A step whose masks and latent are copies. */
export const copyOfStep = <S extends Omit<PatchStep, 'patch'>>(step: S): S =>
  isUnmasked(step)
    ? step
    : {
        ...step,
        ...(step.keep && { keep: step.keep.slice() }),
        ...(step.closed && { closed: step.closed.slice() }),
        ...(step.express && { express: step.express.slice() }),
      };

/** Logged instead of steps with neither mask nor latent: objects of their own would be thousands. */
const UNMASKED: readonly LoggedStep[] = [{ divide: false }, { divide: true }];

/** A step as it is logged. */
export const loggedStep = (step: PatchStep): LoggedStep =>
  isUnmasked(step) ? UNMASKED[Number(step.divide)] : step;

const isUnmasked = ({ keep, closed, express }: Omit<PatchStep, 'patch'>): boolean =>
  !(keep || closed || express);

const lastExpressed = (steps: readonly LoggedStep[]): Float32Array | undefined =>
  steps.findLast(({ express }) => express)?.express;

/** Repeats the logged steps of patches: the first step of all in one call, then the second, … */
export async function repeatSteps<P>(
  logs: readonly { readonly patch: P; readonly steps: readonly LoggedStep[] }[],
  step: (steps: readonly (Omit<PatchStep, 'patch'> & { patch: P })[]) => Promise<unknown>,
): Promise<void> {
  const most = Math.max(0, ...logs.map(({ steps }) => steps.length));
  for (let k = 0; k < most; k++) {
    const left = logs.filter(({ steps }) => k < steps.length);
    await step(
      left.map(({ patch, steps: { [k]: one } }) => {
        const { call, ...step } = one;
        return { ...step, patch };
      }),
    );
  }
}
