/**
 * Runs one extension in its own thread, so that its errors and delays never affect a tick. Failures
 * are logged with its name, a lost thread is restarted, and repeated failures disable the
 * extension.
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
  answerSchema,
  failureSchema,
  type HookAnswer,
  lineSchema,
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
  /** Executes a command of the extension in a room. Never rejects. */
  readonly act: (
    extension: ExtensionThread,
    act: { readonly room: string; readonly what: string; readonly parameters: unknown },
  ) => Promise<Outcome>;
  /** Called after a restart; the extension has lost its state then. */
  readonly onRestarted: (extension: ExtensionThread) => void;
}

const MALFORMED = 'sends messages that cannot be understood';

type Rpc = WorkerRpc<ThreadMethods, unknown, ServerMethods>;

const spawn = (start: ThreadStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), {
    workerData: start,
    name: 'extension',
    resourceLimits: { maxOldGenerationSizeMb: DEFAULTS.hooks.megabytes },
  });

/** An extension as the server sees it: its hooks, called in its thread. */
export class ExtensionThread {
  private rpc: Rpc | undefined;
  /** The name that the extension has given itself. */
  name = '';
  private hooks = new Set<string>();
  /** Number of events sent and not yet handled. */
  private backlog = 0;
  private dropped = 0;
  private readonly allowedFailures: TokenBucket;
  private readonly messageLimit: TokenBucket;
  private readonly logLimit: TokenBucket;
  private hasAnsweredPing = true;
  /** Whether it is disabled after too many failures. */
  disabled = false;
  private closing = false;
  /** Cancels the time limit for loading, the next ping or the restart. */
  private cancelTimer = (): void => {};

  private constructor(private readonly options: ExtensionThreadOptions) {
    const { failures, forgivenAfter, messagesPerSecond, linesPerSecond } = DEFAULTS.hooks;
    const now = options.clock.now();
    this.allowedFailures = new TokenBucket((1000 * failures) / forgivenAfter, failures - 1, now);
    this.messageLimit = new TokenBucket(messagesPerSecond, 2 * messagesPerSecond, now);
    this.logLimit = new TokenBucket(linesPerSecond, 10 * linesPerSecond, now);
  }

  /** Starts the thread and loads the extension. @throws HookError */
  static async start(options: ExtensionThreadOptions): Promise<ExtensionThread> {
    const thread = new ExtensionThread(options);
    await thread.open();
    return thread;
  }

  /** Whether it runs and has a hook. */
  has(hook: ToldHook | AskedHook): boolean {
    return this.rpc !== undefined && this.hooks.has(hook);
  }

  /** Sends an event to a hook without waiting. Drops it when the extension cannot keep up. */
  tell<H extends ToldHook>(hook: H, about: Told[H]): void {
    if (!this.has(hook)) return;
    if (this.backlog >= DEFAULTS.hooks.backlog) {
      if (this.dropped++ === 0) {
        this.warn('extension-behind', 'has not kept up; events are dropped until it has');
      }
      return;
    }
    this.backlog++;
    // Calls fail only when the thread is lost; its backlog no longer matters then.
    this.rpc!.call('tell', hook, about).then(
      () => this.eventHandled(),
      () => {},
    );
  }

  private eventHandled(): void {
    this.backlog--;
    if (this.backlog > 0 || this.dropped === 0) return;
    this.warn('extension-behind', `has caught up; ${this.dropped} events were dropped`);
    this.dropped = 0;
  }

  /** Asks a hook. @returns its answer; an empty one if it does not answer in time */
  ask<H extends AskedHook>(hook: H, about: Asked[H]): Promise<HookAnswer> {
    const { rpc } = this;
    if (!rpc || !this.has(hook)) return Promise.resolve({});
    const limit = hook === 'onDraw' ? DEFAULTS.drawings.answer : DEFAULTS.hooks.answer;
    return new Promise((resolve) => {
      const cancelTimeout = this.options.clock.after(limit, () => {
        resolve({});
        this.failed(hook, `no answer within ${limit} ms`);
      });
      const answered = (answer: HookAnswer | undefined): void => {
        cancelTimeout();
        resolve(answer ?? {});
      };
      rpc.call('ask', hook, about).then(
        (answer) => answered(this.checked(rpc, answerSchema, answer)),
        () => answered(undefined),
      );
    });
  }

  /** Calls `onClose`, waits for it a moment and ends the thread. */
  async close(): Promise<void> {
    this.closing = true;
    const { rpc } = this;
    if (!rpc) return this.end();
    await new Promise<void>((resolve) => {
      const cancelTimeout = this.options.clock.after(DEFAULTS.hooks.closing, resolve);
      const closed = (): void => {
        cancelTimeout();
        resolve();
      };
      rpc.call('close').then(closed, closed);
    });
    await this.end();
  }

  /** @throws HookError */
  private async open(): Promise<void> {
    const { file, clock } = this.options;
    const errorOf = (reason: HookError['reason'], why: string): HookError =>
      new HookError(reason, `The extension ${file} ${why}`);
    const worker = spawn({ file });
    this.hasAnsweredPing = true;
    this.backlog = 0;
    worker.on('message', () => {
      if (!this.messageLimit.take(1, clock.now())) this.lost(rpc, 'sends too many messages');
    });
    const rpc: Rpc = new WorkerRpc(worker, {
      methods: this.methodsFor(() => rpc),
      onDeath: ({ cause, why }) => {
        const [message, logged] = {
          threw: [`has failed: ${why}`, why],
          ended: ['has ended.', 'it has ended'],
          malformed: [`${MALFORMED}.`, MALFORMED],
        }[cause];
        this.lost(rpc, logged);
        return errorOf('threw', message);
      },
    });
    this.cancelTimer = clock.after(DEFAULTS.hooks.loading, () => {
      void rpc.terminate(errorOf('too-slow', 'did not load in time.'));
    });
    try {
      const started = this.checked(rpc, startedSchema, await rpc.ready);
      if (!started) throw errorOf('threw', `${MALFORMED}.`);
      if ('unfit' in started) throw errorOf(started.unfit, describe(started));
      this.name = started.name;
      this.hooks = new Set(started.hooks);
    } catch (error) {
      await rpc.terminate(error as Error);
      throw error;
    } finally {
      this.cancelTimer();
    }
    this.rpc = rpc;
    this.watch(rpc);
  }

  /** Methods that the thread may call. @param rpc defined by the time of a call */
  private methodsFor(rpc: () => Rpc): ServerMethods {
    return {
      act: async (act) => {
        const parsed = this.checked(rpc(), actSchema, act);
        return parsed ? this.options.act(this, parsed) : {};
      },
      failed: (failure) => {
        const parsed = this.checked(rpc(), failureSchema, failure);
        if (parsed) this.failed(parsed.hook, parsed.why);
      },
      say: (line) => {
        const text = this.checked(rpc(), lineSchema, line);
        if (text === undefined || !this.logLimit.take(1, this.options.clock.now())) return;
        this.options.log.info('extension', `${this.name}: ${text}`, { extension: this.name });
      },
    };
  }

  /** Validates data from the thread. @returns undefined if it is malformed; ends the thread then */
  private checked<S extends v.GenericSchema>(
    rpc: Rpc,
    schema: S,
    value: unknown,
  ): v.InferOutput<S> | undefined {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    this.lost(rpc, MALFORMED);
    return undefined;
  }

  /** Pings the thread regularly; one that has not answered by the next ping is lost. */
  private watch(rpc: Rpc): void {
    this.cancelTimer = this.options.clock.after(DEFAULTS.hooks.stall, () => {
      if (this.rpc !== rpc) return;
      if (!this.hasAnsweredPing) return this.lost(rpc, 'it does not respond');
      this.hasAnsweredPing = false;
      rpc.call('ping').then(
        () => {
          this.hasAnsweredPing = true;
        },
        () => {},
      );
      this.watch(rpc);
    });
  }

  /** Ends a thread and schedules its restart. */
  private lost(rpc: Rpc, why: string): void {
    void rpc.terminate(new HookError('threw', `The extension ${this.options.file} ${why}.`));
    if (this.rpc !== rpc) return;
    this.rpc = undefined;
    this.cancelTimer();
    if (this.closing || this.disabled) return;
    this.failed('thread', why);
    if (this.disabled) return;
    this.cancelTimer = this.options.clock.after(DEFAULTS.hooks.again, () => {
      this.open().then(
        () => (this.closing ? void this.end() : this.options.onRestarted(this)),
        (error: Error) => this.disable(error.message),
      );
    });
  }

  private failed(hook: string, why: string): void {
    if (this.disabled) return;
    this.warn('extension-failed', `has failed in ${hook}: ${why}`);
    if (this.allowedFailures.take(1, this.options.clock.now())) return;
    this.disable('it has failed too often');
  }

  private disable(why: string): void {
    this.disabled = true;
    this.warn('extension-disabled', `is disabled until the server restarts: ${why}`);
    void this.end();
  }

  private async end(): Promise<void> {
    this.cancelTimer();
    const { rpc } = this;
    this.rpc = undefined;
    await rpc?.terminate(new HookError('threw', `The extension ${this.options.file} is closed.`));
  }

  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, `The extension "${this.name}" ${sentence}.`, {
      extension: this.name,
    });
  }
}

function describe({ unfit, why }: Unfit): string {
  if (unfit === 'not-found') return 'does not exist.';
  if (unfit === 'threw') return `cannot be loaded: ${why}`;
  return 'has no default export with a name, or a function that returns one.';
}
