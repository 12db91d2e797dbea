/** Restores a patch, bit for bit, after the loss of the thread or device that held its states. */
import type { PatchId, PatchStep } from '../engine.ts';

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
