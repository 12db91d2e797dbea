/**
 * Runs one extension in its own thread, so that its errors and delays never affect a tick. Failures
 * are logged with its name. One that cannot be loaded, has lost its thread or fails too often is
 * started again after a pause.
 */

import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { afterMessages, type Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TokenBucket } from '../platform/queues.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import {
  type ActResult,
  type AskHook,
  HookError,
  type Notifications,
  type NotifyHook,
  type Questions,
} from './extension.ts';
import {
  type ActRequest,
  actSchema,
  answerSchema,
  failureSchema,
  type HookAnswer,
  lineSchema,
  type ServerMethods,
  startedSchema,
  type ThreadMethods,
  type Unfit,
} from './thread/protocol.ts';

/** Limits of an extension; times in ms. */
export const LIMITS = {
  /** Time for loading. */
  loading: 20_000,
  /** Time for an answer to whether an action is allowed; without one it is allowed. */
  answer: 250,
  /** A thread that misses two checks of this length is restarted. */
  stall: 5_000,
  /** Pause before the first restart; each further one is twice as long. */
  firstPause: 1_000,
  /** The longest pause, and how long a thread runs until the next pause is the first again. */
  maxPause: 60_000,
  /** Time for closing. */
  closing: 2_000,
  /**
   * Failures after which an extension is restarted; each expires after `forgivenAfter / failures`.
   */
  failures: 5,
  forgivenAfter: 60_000,
  /** Events waiting for an extension, at most. */
  backlog: 2_000,
  messagesPerSecond: 5_000,
  linesPerSecond: 10,
  /** Memory per extension. */
  megabytes: 256,
  /** Interval of room figures, including the mean colour. */
  figures: 500,
} as const;
const { firstPause, maxPause } = LIMITS;

/** Pauses that double, until the extension has run for as long as the longest one. */
export class RestartPause {
  private following: number = firstPause;
  /** ms; Infinity while it does not run. */
  private runsSince = Infinity;

  /** The extension runs. @param now ms */
  runs(now: number): void {
    this.runsSince = now;
  }

  /** It has ended, or could not be started. @returns the pause, ms */
  next(now: number): number {
    const pause = now - this.runsSince >= maxPause ? firstPause : this.following;
    this.runsSince = Infinity;
    this.following = Math.min(2 * pause, maxPause);
    return pause;
  }
}

export interface ExtensionThreadOptions {
  /** Absolute path. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Executes a command of the extension in a room. Never rejects. */
  readonly act: (extension: ExtensionThread, act: ActRequest) => Promise<ActResult>;
  /** Called when it was loaded later than at the start, or again; it has lost its state then. */
  readonly onRestarted: (extension: ExtensionThread) => void;
}

const MALFORMED = 'sends messages that cannot be understood';

type Rpc = WorkerRpc<ThreadMethods, unknown, ServerMethods>;

const ignore = (): void => {};

/** An extension as the server sees it: its hooks, called in its thread. */
export class ExtensionThread {
  /** Its thread, once the extension is loaded. */
  private rpc: Rpc | undefined;
  /** Its thread while the extension is loaded. */
  private loading: Rpc | undefined;
  /** The name that the extension has given itself; until then, that of its file. */
  name: string;
  private hooks = new Set<string>();
  /** Number of events sent and not yet handled. */
  private backlog = 0;
  private dropped = 0;
  private readonly allowedFailures: TokenBucket;
  private readonly messageLimit: TokenBucket;
  private readonly logLimit: TokenBucket;
  private hasAnsweredPing = true;
  /** Whether the backlog was full at the last ping, and no event has been handled since. */
  private isStuck = false;
  /** When late answers last counted as a failure, ms. */
  private lateAt = -Infinity;
  private readonly pauses = new RestartPause();
  private closing = false;
  /** Cancels the time limit for loading, the next ping or the restart. */
  private cancelTimer = ignore;

  private constructor(private readonly options: ExtensionThreadOptions) {
    const { failures, forgivenAfter, messagesPerSecond, linesPerSecond } = LIMITS;
    const now = options.clock.now();
    this.name = basename(options.file);
    this.allowedFailures = new TokenBucket((1000 * failures) / forgivenAfter, failures - 1, now);
    this.messageLimit = new TokenBucket(messagesPerSecond, 2 * messagesPerSecond, now);
    this.logLimit = new TokenBucket(linesPerSecond, 10 * linesPerSecond, now);
  }

  /**
   * Starts the thread and loads the extension. If that fails, it is tried again later: what the
   * extension needs may be off.
   *
   * @throws HookError if the file does not exist or is no extension
   */
  static async start(options: ExtensionThreadOptions): Promise<ExtensionThread> {
    const thread = new ExtensionThread(options);
    try {
      await thread.open();
    } catch (error) {
      if (error instanceof HookError) throw error;
      thread.notLoaded(error as Error);
    }
    return thread;
  }

  /** Whether it runs and has a hook. */
  has(hook: NotifyHook | AskHook): boolean {
    return this.rpc !== undefined && this.hooks.has(hook);
  }

  /** Sends an event to a hook without waiting. Drops it when the extension cannot keep up. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): void {
    if (!this.has(hook)) return;
    if (this.backlog >= LIMITS.backlog) {
      if (this.dropped++ === 0) {
        this.warn('extension-behind', 'has not kept up; events are dropped until it has');
      }
      return;
    }
    this.backlog++;
    // Calls fail only when the thread is lost; its backlog no longer matters then.
    this.rpc!.call('tell', hook, about).then(() => this.eventHandled(), ignore);
  }

  private eventHandled(): void {
    this.backlog--;
    this.isStuck = false;
    if (this.backlog > 0 || this.dropped === 0) return;
    this.warn('extension-behind', `has caught up; ${this.dropped} events were dropped`);
    this.dropped = 0;
  }

  /** Asks a hook. @returns its answer; an empty one if it does not answer in time */
  ask<H extends AskHook>(hook: H, about: Questions[H]): Promise<HookAnswer> {
    const { rpc } = this;
    if (!rpc || !this.has(hook)) return Promise.resolve({});
    const limit = hook === 'onDraw' ? DEFAULTS.drawings.answer : LIMITS.answer;
    return new Promise((resolve) => {
      const cancelTimeout = afterMessages(this.options.clock, limit, () => {
        resolve({});
        this.late(hook, limit);
      });
      rpc
        .call('ask', hook, about)
        .then((answer) => this.checked(rpc, answerSchema, answer), ignore)
        .then((answer) => {
          cancelTimeout();
          resolve(answer ?? {});
        });
    });
  }

  /** Calls `onClose`, waits for it a moment and ends the thread. */
  async close(): Promise<void> {
    this.closing = true;
    const { rpc } = this;
    if (!rpc) return this.end();
    await new Promise<void>((resolve) => {
      const cancelTimeout = this.options.clock.after(LIMITS.closing, resolve);
      void rpc.call('close').catch(ignore).finally(cancelTimeout).then(resolve);
    });
    await this.end();
  }

  /** @throws HookError if the file does not exist or is no extension, or why it cannot be loaded */
  private async open(): Promise<void> {
    const { file, clock, log } = this.options;
    const sentenceOf = (why: string): string => `The extension ${file} ${why}`;
    const worker = new Worker(new URL('./thread/worker.mjs', import.meta.url), {
      workerData: file,
      name: 'extension',
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.megabytes },
    });
    this.hasAnsweredPing = true;
    this.isStuck = false;
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
        return new Error(sentenceOf(message));
      },
    });
    this.loading = rpc;
    this.cancelTimer = clock.after(LIMITS.loading, () => {
      void rpc.terminate(new Error(sentenceOf('did not load in time.')));
    });
    try {
      const started = this.checked(rpc, startedSchema, await rpc.ready);
      if (!started) throw new Error(sentenceOf(`${MALFORMED}.`));
      if ('unfit' in started) throw errorOf(started, sentenceOf);
      this.name = started.name;
      this.hooks = new Set(started.hooks);
    } catch (error) {
      await rpc.terminate(error as Error);
      throw error;
    } finally {
      this.cancelTimer();
      this.loading = undefined;
    }
    this.rpc = rpc;
    this.pauses.runs(clock.now());
    log.info('extension', `The extension "${this.name}" is loaded.`, { extension: this.name });
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
        if (parsed && this.rpc) this.failed(parsed.hook, parsed.why);
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

  /**
   * Pings the thread regularly. One that has not answered by the next ping, or has a full backlog
   * and handles none of it until then, is lost.
   */
  private watch(rpc: Rpc): void {
    const { stall, backlog } = LIMITS;
    this.cancelTimer = afterMessages(this.options.clock, stall, () => {
      if (!this.hasAnsweredPing) return this.lost(rpc, 'it does not respond');
      if (this.isStuck) return this.lost(rpc, `it ends none of its ${backlog} calls`);
      this.hasAnsweredPing = false;
      this.isStuck = this.backlog >= backlog;
      const answered = (): void => void (this.hasAnsweredPing = true);
      rpc.call('ping').then(answered, ignore);
      this.watch(rpc);
    });
  }

  /** Ends a thread. If the extension ran in it, that is restarted. */
  private lost(rpc: Rpc, why: string): void {
    void rpc.terminate(new Error(`The extension ${this.options.file} ${why}.`));
    if (this.rpc !== rpc || this.closing) return;
    this.warn('extension-failed', `has failed in thread: ${why}`);
    this.restart();
  }

  /** Late answers within one time limit are one failure: the machine may have stalled. */
  private late(hook: AskHook, limit: number): void {
    const now = this.options.clock.now();
    if (now - this.lateAt < limit) return;
    this.lateAt = now;
    this.failed(hook, `no answer within ${limit} ms`);
  }

  private failed(hook: string, why: string): void {
    this.warn('extension-failed', `has failed in ${hook}: ${why}`);
    if (!this.allowedFailures.take(1, this.options.clock.now())) this.restart();
  }

  private notLoaded({ message }: Error): void {
    if (this.closing) return;
    this.options.log.warn('extension-failed', message, { extension: this.name });
    this.restart();
  }

  /** Ends the thread, if there is one, and loads the extension again after a pause. */
  private restart(): void {
    if (this.closing) return;
    const { clock, onRestarted } = this.options;
    void this.end();
    const pause = this.pauses.next(clock.now());
    this.warn('extension-stopped', `has stopped; it starts again in ${pause / 1000} s`);
    this.cancelTimer = clock.after(pause, () => {
      this.open().then(
        () => onRestarted(this),
        (error: Error) => this.notLoaded(error),
      );
    });
  }

  private async end(): Promise<void> {
    this.cancelTimer();
    const error = new Error(`The extension ${this.options.file} is closed.`);
    const threads = [this.rpc, this.loading];
    this.rpc = undefined;
    await Promise.all(threads.map((rpc) => rpc?.terminate(error)));
  }

  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, `The extension "${this.name}" ${sentence}.`, {
      extension: this.name,
    });
  }
}

function errorOf({ unfit, why }: Unfit, sentenceOf: (why: string) => string): Error {
  if (unfit === 'threw') return new Error(sentenceOf(`cannot be loaded: ${why}`));
  const sentence = sentenceOf(
    unfit === 'not-found'
      ? 'does not exist.'
      : 'has no default export with a name, or a function that returns one.',
  );
  return new HookError(unfit, sentence);
}
