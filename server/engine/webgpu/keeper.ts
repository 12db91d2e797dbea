/**
 * Keeps a machine at work. Calls are submitted at once, and wait for their answers in order; when the GPU is lost, another
 * is opened, patches are put back, and the calls that were not answered are made again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { EngineError } from '../engine.ts';
import type { Machine } from './machine.ts';
import type { GpuPatch } from './patch.ts';

/** A call that waits for its answer. */
export interface Call {
  /** Whose places it needs. */
  readonly patches: readonly GpuPatch[];
}

interface Pending extends Call {
  attempt(machine: Machine): void;
  reject(error: EngineError): void;
}

export interface KeeperOptions {
  readonly open: () => Promise<Machine>;
  /** Puts patches on a new machine; those of waiting calls too, as they were before these calls. */
  readonly restore: (machine: Machine) => Promise<void>;
  /** Puts on it what has come meanwhile; no call is between this and those that waited. */
  readonly settle: (machine: Machine) => void;
  /** Takes off it what was only needed for the calls that waited. */
  readonly sweep: (machine: Machine) => void;
  /** How long to wait before each try to open another GPU, ms. */
  readonly patience?: readonly number[];
}

/** A driver that has reset its GPU may take seconds to offer it again. */
const PATIENCE = [0, 500, 2_000, 5_000];
/** How long a device may take to say that it is lost after something on it has failed, ms. */
const LAST_WORDS = 100;
/** A GPU that is lost again before it has answered a single call will not do better the next time. */
const MOST_LOSSES = 3;

export class Keeper {
  private now: Machine | undefined;
  private failure: EngineError | undefined;
  private losses = 0;
  private readonly pending = new Set<Pending>();

  constructor(private readonly options: KeeperOptions) {}

  /** @throws EngineError, Error: there is no machine to begin with */
  async start(): Promise<void> {
    this.now = await this.options.open();
  }

  /** The machine to put patches on; none while another is sought. */
  get machine(): Machine | undefined {
    return this.now;
  }

  /** Patches of calls that wait. */
  get waiting(): GpuPatch[] {
    return [...this.pending].flatMap(({ patches }) => patches);
  }

  waitsFor(call: object): boolean {
    return this.pending.has(call as Pending);
  }

  /** @throws EngineError failed, closed */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** @param run submits the call before it returns; made again on another machine where the first is lost */
  ask<T>(
    patches: readonly GpuPatch[],
    run: (machine: Machine) => Promise<T>,
  ): { call: Call; answer: Promise<T> } {
    const { pending } = this;
    let call!: Pending;
    const answer = new Promise<T>((resolve, reject) => {
      call = {
        patches,
        reject,
        attempt: (machine) => {
          run(machine).then(
            (result) => {
              // Answers of a machine that is given up count for nothing: the call is made again.
              if (machine !== this.now) return;
              this.losses = 0;
              pending.delete(call);
              resolve(result);
            },
            (error: Error) => this.onFailure(machine, error),
          );
        },
      };
    });
    pending.add(call);
    if (this.now) call.attempt(this.now);
    return { call, answer };
  }

  close(): void {
    this.now?.destroy();
    this.now = undefined;
    this.end(new EngineError('closed'));
  }

  private async onFailure(machine: Machine, error: Error): Promise<void> {
    if (machine !== this.now) return;
    this.now = undefined;
    if (!machine.isLost()) await pause(LAST_WORDS);
    const lost = machine.isLost();
    machine.destroy();
    if (!lost) this.end(new EngineError('failed', error.message));
    else await this.recover().catch((e: Error) => this.end(new EngineError('failed', e.message)));
  }

  private async recover(): Promise<void> {
    if (++this.losses > MOST_LOSSES) {
      this.end(new EngineError('failed', 'the GPU is lost again and again'));
      return;
    }
    console.warn('engine: the GPU was lost; another is sought, and every organism put back');
    const machine = await this.reopen();
    if (!machine || this.failure) {
      machine?.destroy();
      return;
    }
    try {
      await this.options.restore(machine);
    } catch (error) {
      this.now = machine;
      await this.onFailure(machine, error as Error);
      return;
    }
    if (this.failure) {
      machine.destroy();
      return;
    }
    this.now = machine;
    this.options.settle(machine);
    for (const call of this.pending) call.attempt(machine);
    this.options.sweep(machine);
  }

  private async reopen(): Promise<Machine | undefined> {
    let why = '';
    for (const wait of this.options.patience ?? PATIENCE) {
      await pause(wait);
      try {
        return await this.options.open();
      } catch (error) {
        why = error instanceof EngineError ? error.detail : (error as Error).message;
      }
    }
    this.end(new EngineError('failed', `the GPU was lost, and none came in its place: ${why}`));
    return undefined;
  }

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}
