/**
 * Looks after one extension in its thread: nothing that it throws, and no time that it takes, comes through to a tick. What fails
 * is logged with its name; what is lost is started anew; what goes on failing is put aside.
 */
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TokenBucket } from '../platform/token-bucket.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import type { Asked, AskedHook, Outcome, Told, ToldHook } from './extension.ts';
import { HookError } from './hook-error.ts';
import {
  actSchema,
  failureSchema,
  lineSchema,
  objectionSchema,
  type ServerMethods,
  startedSchema,
  type ThreadMethods,
  type ThreadStart,
  type Unfit,
} from './thread/protocol.ts';

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

/** What comes from it is no message of ours. */
const GARBLED = 'says what cannot be understood';

type Rpc = WorkerRpc<ThreadMethods, unknown, ServerMethods>;

const spawn = (start: ThreadStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), {
    workerData: start,
    name: 'extension',
    resourceLimits: { maxOldGenerationSizeMb: DEFAULTS.hooks.megabytes },
  });

export class ExtensionThread {
  private rpc: Rpc | undefined;
  private title = '';
  private hooks = new Set<string>();
  /** Told, and not yet dealt with. */
  private backlog = 0;
  private dropped = 0;
  /** Empty when it has failed too often. */
  private readonly patience: TokenBucket;
  private readonly chatter: TokenBucket;
  private readonly lines: TokenBucket;
  private alive = true;
  private isAside = false;
  private closing = false;
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
    return this.rpc !== undefined && this.hooks.has(hook);
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
    // Of one that is lost, nobody waits for what it was told.
    this.rpc!.call('tell', hook, about).then(
      () => this.dealtWith(),
      () => {},
    );
  }

  private dealtWith(): void {
    this.backlog--;
    if (this.backlog > 0 || this.dropped === 0) return;
    this.warn('extension-behind', `has caught up; it was not told ${this.dropped} things`);
    this.dropped = 0;
  }

  /** @returns its objection, with words; undefined when it has none, or does not answer in time */
  ask<H extends AskedHook>(hook: H, about: Asked[H]): Promise<string | undefined> {
    const { rpc } = this;
    if (!rpc || !this.has(hook)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const inTime = this.options.clock.after(DEFAULTS.hooks.answer, () => {
        resolve(undefined);
        this.failed(hook, `no answer within ${DEFAULTS.hooks.answer} ms`);
      });
      const answered = (objection: string | undefined): void => {
        inTime();
        resolve(objection);
      };
      rpc.call('ask', hook, about).then(
        (answer) => answered(this.checked(rpc, objectionSchema, answer)?.refuse),
        () => answered(undefined),
      );
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    const { rpc } = this;
    if (!rpc) return this.end();
    await new Promise<void>((resolve) => {
      const inTime = this.options.clock.after(DEFAULTS.hooks.closing, resolve);
      const closed = (): void => {
        inTime();
        resolve();
      };
      rpc.call('close').then(closed, closed);
    });
    await this.end();
  }

  /** @throws HookError */
  private async open(): Promise<void> {
    const { file, clock } = this.options;
    const refusal = (reason: HookError['reason'], why: string): HookError =>
      new HookError(reason, `The extension ${file} ${why}`);
    const worker = spawn({ file });
    this.alive = true;
    this.backlog = 0;
    worker.on('message', () => {
      if (!this.chatter.take(1, clock.now())) this.lost(rpc, 'says too much');
    });
    const rpc: Rpc = new WorkerRpc(worker, {
      methods: this.methodsFor(() => rpc),
      onDeath: ({ cause, why }) => {
        const [sentence, told] = {
          threw: [`has failed: ${why}`, why],
          ended: ['has ended.', 'it has ended'],
          malformed: [`${GARBLED}.`, GARBLED],
        }[cause];
        this.lost(rpc, told);
        return refusal('threw', sentence);
      },
    });
    const inTime = clock.after(DEFAULTS.hooks.loading, () => {
      void rpc.terminate(refusal('too-slow', 'was not done with loading in time.'));
    });
    this.callOff.push(inTime);
    try {
      const started = this.checked(rpc, startedSchema, await rpc.ready);
      if (!started) throw refusal('threw', `${GARBLED}.`);
      if ('unfit' in started) throw refusal(started.unfit, unfit(started));
      this.title = started.name;
      this.hooks = new Set(started.hooks);
    } catch (error) {
      for (const callOff of this.callOff.splice(0)) callOff();
      await rpc.terminate(error as Error);
      throw error;
    }
    inTime();
    this.rpc = rpc;
    this.watch(rpc);
  }

  /** What the thread may call. @param rpc is there by the time of a call */
  private methodsFor(rpc: () => Rpc): ServerMethods {
    return {
      act: async (act) => {
        const wish = this.checked(rpc(), actSchema, act);
        return wish ? this.options.act(this, wish) : {};
      },
      failed: (failure) => {
        const said = this.checked(rpc(), failureSchema, failure);
        if (said) this.failed(said.hook, said.why);
      },
      say: (line) => {
        const said = this.checked(rpc(), lineSchema, line);
        if (said === undefined || !this.lines.take(1, this.options.clock.now())) return;
        this.options.log.info('extension', `${this.title}: ${said}`, { extension: this.title });
      },
    };
  }

  /** @returns undefined when it is not what it should be; the thread is given up then */
  private checked<S extends v.GenericSchema>(
    rpc: Rpc,
    schema: S,
    said: unknown,
  ): v.InferOutput<S> | undefined {
    const parsed = v.safeParse(schema, said);
    if (parsed.success) return parsed.output;
    this.lost(rpc, GARBLED);
    return undefined;
  }

  /** Asks now and then whether the thread still listens. */
  private watch(rpc: Rpc): void {
    this.callOff.push(
      this.options.clock.after(DEFAULTS.hooks.stall, () => {
        if (this.rpc !== rpc) return;
        if (!this.alive) return this.lost(rpc, 'it does not listen any more');
        this.alive = false;
        rpc.call('ping').then(
          () => {
            this.alive = true;
          },
          () => {},
        );
        this.callOff = [];
        this.watch(rpc);
      }),
    );
  }

  /** The thread is of no use any more. */
  private lost(rpc: Rpc, why: string): void {
    void rpc.terminate(new HookError('threw', `The extension ${this.options.file} ${why}.`));
    if (this.rpc !== rpc) return;
    this.rpc = undefined;
    for (const callOff of this.callOff.splice(0)) callOff();
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
    const { rpc } = this;
    this.rpc = undefined;
    await rpc?.terminate(new HookError('threw', `The extension ${this.options.file} is closed.`));
  }

  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, `The extension "${this.title}" ${sentence}.`, {
      extension: this.title,
    });
  }
}

function unfit({ unfit: reason, why }: Unfit): string {
  if (reason === 'not-found') return 'is not there.';
  if (reason === 'threw') return `cannot be loaded: ${why}`;
  return 'has no default export with a name, or a function that makes one.';
}
