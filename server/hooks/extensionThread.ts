/**
 * Looks after one extension in its thread: nothing that it throws, and no time that it takes, comes through to a tick. What fails
 * is logged with its name; what is lost is started anew; what goes on failing is put aside.
 */
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Log } from '../operations/log.ts';
import type { Clock } from '../platform/clock.ts';
import { TokenBucket } from '../platform/token-bucket.ts';
import { HookError } from './errors.ts';
import type { Asked, AskedHook, Outcome, Told, ToldHook } from './extension.ts';
import { type FromThread, fromThread, type ThreadStart, type ToThread } from './thread/protocol.ts';

export interface ExtensionThreadOptions {
  /** Absolute path. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** It wants to do something in a room. Never rejects. */
  readonly act: (
    extension: ExtensionThread,
    act: { readonly room: string; readonly what: string; readonly wish: unknown },
  ) => Promise<Outcome>;
  /** It has been started anew, and knows nothing. */
  readonly onFresh: (extension: ExtensionThread) => void;
}

const spawn = (start: ThreadStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), {
    workerData: start,
    name: 'extension',
    resourceLimits: { maxOldGenerationSizeMb: DEFAULTS.hooks.megabytes },
  });

export class ExtensionThread {
  private worker: Worker | undefined;
  private title = '';
  private hooks = new Set<string>();
  /** Told, and not yet dealt with. */
  private backlog = 0;
  private dropped = 0;
  private readonly asked = new Map<number, (objection: string | undefined) => void>();
  private asks = 0;
  /** Empty when it has failed too often. */
  private readonly patience: TokenBucket;
  private readonly chatter: TokenBucket;
  private readonly lines: TokenBucket;
  private alive = true;
  private isAside = false;
  private closing = false;
  private onClosed: (() => void) | undefined;
  private callOff: (() => void)[] = [];

  private constructor(private readonly options: ExtensionThreadOptions) {
    const { failures, forgivenAfter, messagesPerSecond, linesPerSecond } = DEFAULTS.hooks;
    const now = options.clock.now();
    this.patience = new TokenBucket((1000 * failures) / forgivenAfter, failures - 1, now);
    this.chatter = new TokenBucket(messagesPerSecond, 2 * messagesPerSecond, now);
    this.lines = new TokenBucket(linesPerSecond, 10 * linesPerSecond, now);
  }

  /** @throws HookError */
  static async start(options: ExtensionThreadOptions): Promise<ExtensionThread> {
    const thread = new ExtensionThread(options);
    await thread.open();
    return thread;
  }

  /** What it calls itself. */
  get name(): string {
    return this.title;
  }

  /** It has failed too often, and is not called any more. */
  get aside(): boolean {
    return this.isAside;
  }

  has(hook: ToldHook | AskedHook): boolean {
    return this.worker !== undefined && this.hooks.has(hook);
  }

  tell<H extends ToldHook>(hook: H, about: Told[H]): void {
    if (!this.has(hook)) return;
    if (this.backlog >= DEFAULTS.hooks.backlog) {
      if (this.dropped++ === 0) {
        this.warn(
          'extension-behind',
          'has not kept up; what happens until it has is not told to it',
        );
      }
      return;
    }
    this.backlog++;
    this.post({ tell: hook, about } as ToThread);
  }

  /** @returns its objection, with words; undefined when it has none, or does not answer in time */
  ask<H extends AskedHook>(hook: H, about: Asked[H]): Promise<string | undefined> {
    if (!this.has(hook)) return Promise.resolve(undefined);
    const id = this.asks++;
    return new Promise((resolve) => {
      const inTime = this.options.clock.after(DEFAULTS.hooks.answer, () => {
        this.asked.delete(id);
        resolve(undefined);
        this.failed(hook, `no answer within ${DEFAULTS.hooks.answer} ms`);
      });
      this.asked.set(id, (objection) => {
        inTime();
        this.asked.delete(id);
        resolve(objection);
      });
      this.post({ ask: hook, id, about } as ToThread);
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    if (!this.worker) return this.end();
    await new Promise<void>((resolve) => {
      const inTime = this.options.clock.after(DEFAULTS.hooks.closing, resolve);
      this.onClosed = () => {
        inTime();
        resolve();
      };
      this.post({ close: true });
    });
    await this.end();
  }

  private post(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  /** @throws HookError */
  private async open(): Promise<void> {
    const { file, clock } = this.options;
    const worker = spawn({ file });
    this.alive = true;
    this.backlog = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        const refuse = (reason: HookError['reason'], why: string): void =>
          reject(new HookError(reason, `The extension ${file} ${why}`));
        const inTime = clock.after(DEFAULTS.hooks.loading, () =>
          refuse('too-slow', 'was not done with loading in time.'),
        );
        this.callOff.push(inTime);
        worker.on('message', (message: unknown) => {
          if (!this.chatter.take(1, clock.now())) return this.lost(worker, 'says too much');
          const parsed = v.safeParse(fromThread, message);
          if (!parsed.success) return this.lost(worker, 'says what cannot be understood');
          const said = parsed.output;
          if ('ready' in said) {
            inTime();
            this.title = said.ready.name;
            this.hooks = new Set(said.ready.hooks);
            resolve();
          } else if ('unfit' in said) refuse(said.unfit, unfit(said));
          else this.hear(said);
        });
        worker.on('error', (error: Error) => {
          refuse('threw', `has failed: ${error.message}`);
          this.lost(worker, error.message);
        });
        worker.on('exit', () => {
          refuse('threw', 'has ended.');
          this.lost(worker, 'it has ended');
        });
      });
    } catch (error) {
      for (const callOff of this.callOff.splice(0)) callOff();
      await worker.terminate();
      throw error;
    }
    this.worker = worker;
    this.watch(worker);
  }

  private hear(said: Exclude<FromThread, { ready: unknown } | { unfit: unknown }>): void {
    if ('done' in said) {
      this.backlog--;
      if (this.backlog === 0 && this.dropped > 0) {
        this.warn('extension-behind', `has caught up; it was not told ${this.dropped} things`);
        this.dropped = 0;
      }
    } else if ('pong' in said) this.alive = true;
    else if ('answered' in said) this.asked.get(said.answered)?.(said.refuse);
    else if ('failed' in said) this.failed(said.failed, said.why);
    else if ('say' in said) {
      if (!this.lines.take(1, this.options.clock.now())) return;
      this.options.log.info('extension', `${this.title}: ${said.say}`, { extension: this.title });
    } else if ('act' in said) {
      const { act, room, what, wish } = said;
      void this.options.act(this, { room, what, wish }).then((outcome) => {
        this.post({ acted: act, outcome });
      });
    } else this.onClosed?.();
  }

  /** Asks now and then whether the thread still listens. */
  private watch(worker: Worker): void {
    this.callOff.push(
      this.options.clock.after(DEFAULTS.hooks.stall, () => {
        if (this.worker !== worker) return;
        if (!this.alive) return this.lost(worker, 'it does not listen any more');
        this.alive = false;
        this.post({ ping: true });
        this.callOff = [];
        this.watch(worker);
      }),
    );
  }

  /** The thread is of no use any more. */
  private lost(worker: Worker, why: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    void worker.terminate();
    for (const answer of [...this.asked.values()]) answer(undefined);
    this.onClosed?.();
    if (this.closing || this.isAside) return;
    this.failed('thread', why);
    if (this.isAside) return;
    this.callOff = [
      this.options.clock.after(DEFAULTS.hooks.again, () => {
        this.open().then(
          () => (this.closing ? void this.end() : this.options.onFresh(this)),
          (error: Error) => this.setAside(error.message),
        );
      }),
    ];
  }

  private failed(hook: string, why: string): void {
    if (this.isAside) return;
    this.warn('extension-failed', `has failed in ${hook}: ${why}`);
    if (this.patience.take(1, this.options.clock.now())) return;
    this.setAside('it has failed too often');
  }

  private setAside(why: string): void {
    this.isAside = true;
    this.warn('extension-aside', `is put aside until the server starts anew: ${why}`);
    void this.end();
  }

  private async end(): Promise<void> {
    for (const callOff of this.callOff.splice(0)) callOff();
    const { worker } = this;
    this.worker = undefined;
    for (const answer of [...this.asked.values()]) answer(undefined);
    await worker?.terminate();
  }

  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, `The extension "${this.title}" ${sentence}.`, {
      extension: this.title,
    });
  }
}

function unfit({ unfit: reason, why }: Extract<FromThread, { unfit: unknown }>): string {
  if (reason === 'not-found') return 'is not there.';
  if (reason === 'threw') return `cannot be loaded: ${why}`;
  return 'has no default export with a name, or a function that makes one.';
}
