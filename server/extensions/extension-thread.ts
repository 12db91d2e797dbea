/**
 * Runs one extension in its own thread, so that its errors and delays never affect a tick. Failures
 * are logged with the extension's name. An extension that cannot be loaded, loses its thread or
 * fails too often is restarted after a pause.
 */

import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { afterMessages, type Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TokenBucket } from '../platform/queues.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import {
  type ActName,
  type ActResult,
  type AskHook,
  HOOK_OF,
  HookError,
  type Notifications,
  type NotifyHook,
  type Questions,
} from './extension.ts';

/** Methods of the thread that the server calls. */
export interface ThreadMethods {
  /** Resolves once the hook is done. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): Promise<void>;
  ask<H extends AskHook>(hook: H, about: Questions[H]): Promise<HookAnswer>;
  ping(): void;
  close(): Promise<void>;
}

/** Methods of the server that the thread may call. */
export interface ServerMethods {
  act(act: ActRequest): Promise<ActResult>;
  failed(failure: v.InferOutput<typeof failureSchema>): void;
  say(line: string): void;
}

// The schemas validate data from the thread, because anybody may have written the extension.

const shortText = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 300)),
);

/** The result of the start-up: the loaded extension, or why its file cannot be used. */
const startedSchema = v.union([
  v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    hooks: v.pipe(v.array(v.string()), v.maxLength(64)),
  }),
  v.strictObject({ unfit: v.picklist(['not-found', 'no-extension', 'threw']), why: shortText }),
]);
export type Started = v.InferOutput<typeof startedSchema>;
export type Unfit = Extract<Started, { readonly unfit: string }>;

/** The answer of a hook that may refuse. */
const answerSchema = v.strictObject({
  refuse: v.optional(shortText),
  allow: v.optional(v.literal(true)),
});
export type HookAnswer = v.InferOutput<typeof answerSchema>;

/** A command from an extension. Whoever executes the command validates its parameters. */
const actSchema = v.strictObject({
  room: v.string(),
  what: v.picklist(Object.keys(HOOK_OF) as ActName[]),
  parameters: v.unknown(),
});
export type ActRequest = v.InferOutput<typeof actSchema>;

const failureSchema = v.strictObject({ hook: shortText, why: shortText });

/** Maximum time that an extension may take to answer about a drawing, in ms. */
export const DRAWING_ANSWER = 5_000;

/** Limits of an extension. Durations are in ms. */
export const LIMITS = {
  /** Time limit for loading. */
  loading: 20_000,
  /** Time limit for a verdict on an action. Without a verdict, the action is allowed. */
  answer: 250,
  /** Interval between pings. A thread that has not answered by the next ping is restarted. */
  stall: 5_000,
  /** Pause before the first restart; each further pause is twice as long. */
  firstPause: 1_000,
  /**
   * Maximum pause before a restart. After an extension has run for this long, its next pause is
   * `firstPause` again.
   */
  maxPause: 60_000,
  /** Time limit for closing. */
  closing: 2_000,
  /**
   * Number of failures after which an extension is restarted. One failure is forgiven every
   * `forgivenAfter / failures` ms.
   */
  failures: 5,
  forgivenAfter: 60_000,
  /** Maximum number of events waiting for an extension. */
  backlog: 2_000,
  messagesPerSecond: 5_000,
  linesPerSecond: 10,
  /** Maximum memory per extension, in MB. */
  megabytes: 256,
  /** Interval between room figures, which include the mean colour. */
  figures: 500,
} as const;
const { firstPause, maxPause } = LIMITS;

interface ExtensionThreadOptions {
  /** Absolute path of the extension's file. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Executes a command of the extension in a room. Never rejects. */
  readonly act: (extension: ExtensionThread, act: ActRequest) => Promise<ActResult>;
  /** Called when the extension is loaded late, or reloaded without its former state. */
  readonly onRestarted: (extension: ExtensionThread) => void;
}

const MALFORMED = 'it sent a malformed message';

type Rpc = WorkerRpc<ThreadMethods, unknown, ServerMethods>;

const ignore = (): void => {};

/** An extension as the server uses it: calls the extension's hooks in its thread. */
export class ExtensionThread {
  /** The extension's thread, once the extension is loaded. */
  private rpc: Rpc | undefined;
  /** The extension's thread while the extension is being loaded. */
  private loading: Rpc | undefined;
  /** The name that the extension has given itself; until it is loaded, the name of its file. */
  name: string;
  private hooks = new Set<string>();
  /** Number of events sent to the extension but not yet handled. */
  private backlog = 0;
  private dropped = 0;
  private readonly allowedFailures: TokenBucket;
  private readonly messageLimit: TokenBucket;
  private readonly logLimit: TokenBucket;
  private hasAnsweredPing = true;
  /** Whether the backlog was full at the last ping, and no event has been handled since. */
  private isStuck = false;
  /** When a late answer last counted as a failure, in ms. */
  private lateAt = -Infinity;
  /** The pause before the next restart, in ms. */
  private pause: number = firstPause;
  /** When the extension was loaded, in ms; Infinity while it is not running. */
  private runsSince = Infinity;
  private closing = false;
  /** Cancels the pending timer: the time limit for loading, the next ping or the restart. */
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
   * Starts the thread and loads the extension. If loading fails, tries again later, because a
   * service that the extension needs may be unavailable.
   *
   * @throws HookError if the file does not exist or is not an extension
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

  /** Returns whether the extension is running and has a hook. */
  has(hook: NotifyHook | AskHook): boolean {
    return this.rpc !== undefined && this.hooks.has(hook);
  }

  /** Sends an event to a hook without waiting. Drops the event if the extension cannot keep up. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): void {
    if (!this.has(hook)) return;
    if (this.backlog >= LIMITS.backlog) {
      const sentence = 'is too slow; the server drops its events until it has caught up';
      if (this.dropped++ === 0) this.warn('extension-behind', sentence);
      return;
    }
    this.backlog++;
    // Ignore an error: a call fails only if the thread is lost, and then the backlog no longer
    // matters.
    this.rpc!.call('tell', hook, about).then(() => this.eventHandled(), ignore);
  }

  private eventHandled(): void {
    this.backlog--;
    this.isStuck = false;
    if (this.backlog > 0 || this.dropped === 0) return;
    this.warn('extension-behind', `has caught up; ${this.dropped} events were dropped`);
    this.dropped = 0;
  }

  /** Asks a hook for its verdict. @returns an empty verdict if the hook does not answer in time */
  ask<H extends AskHook>(hook: H, about: Questions[H]): Promise<HookAnswer> {
    const { rpc } = this;
    if (!rpc || !this.has(hook)) return Promise.resolve({});
    const limit = hook === 'onDraw' ? DRAWING_ANSWER : LIMITS.answer;
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

  /** Calls `onClose`, waits up to `LIMITS.closing` for it, and ends the thread. */
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

  /**
   * Starts a thread and loads the extension in it.
   *
   * @throws HookError if the file does not exist or is not an extension
   * @throws Error if the extension cannot be loaded for another reason
   */
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
      if (!this.messageLimit.take(1, clock.now())) this.lost(rpc, 'it sent too many messages');
    });
    const rpc: Rpc = new WorkerRpc(worker, {
      methods: this.methodsFor(() => rpc),
      onDeath: ({ cause, why }) => {
        const how = { threw: why, ended: 'its thread ended', malformed: MALFORMED }[cause];
        this.lost(rpc, how);
        return new Error(sentenceOf(`failed: ${how}.`));
      },
    });
    this.loading = rpc;
    this.cancelTimer = clock.after(LIMITS.loading, () => {
      void rpc.terminate(new Error(sentenceOf(`did not load within ${LIMITS.loading / 1000} s.`)));
    });
    try {
      const started = this.checked(rpc, startedSchema, await rpc.ready);
      if (!started) throw new Error(sentenceOf(`failed: ${MALFORMED}.`));
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
    this.runsSince = clock.now();
    log.info('extension', `The extension "${this.name}" is loaded.`, { extension: this.name });
    this.watch(rpc);
  }

  /**
   * Returns the methods that the thread may call.
   *
   * @param rpc returns the thread's connection, which exists before the first call
   */
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
        const text = this.checked(rpc(), shortText, line);
        if (text === undefined || !this.logLimit.take(1, this.options.clock.now())) return;
        this.options.log.info('extension', `${this.name}: ${text}`, { extension: this.name });
      },
    };
  }

  /** Validates data from the thread. If it is malformed, ends the thread and returns undefined. */
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
   * Pings the thread regularly. The thread is lost if it has not answered by the next ping, or if
   * its backlog was full and no event has been handled since.
   */
  private watch(rpc: Rpc): void {
    const { stall, backlog } = LIMITS;
    this.cancelTimer = afterMessages(this.options.clock, stall, () => {
      if (!this.hasAnsweredPing) return this.lost(rpc, 'it does not respond');
      if (this.isStuck) return this.lost(rpc, `it has ended none of its ${backlog} calls`);
      this.hasAnsweredPing = false;
      this.isStuck = this.backlog >= backlog;
      const answered = (): void => void (this.hasAnsweredPing = true);
      rpc.call('ping').then(answered, ignore);
      this.watch(rpc);
    });
  }

  /** Ends a thread that has failed. If the extension was running in it, restarts the extension. */
  private lost(rpc: Rpc, why: string): void {
    void rpc.terminate(new Error(`The extension ${this.options.file} failed: ${why}.`));
    if (this.rpc !== rpc || this.closing) return;
    this.warn('extension-failed', `failed: ${why}`);
    this.restart();
  }

  /**
   * Counts late answers as failures, but at most one failure per time limit, because the whole
   * machine may have stalled.
   */
  private late(hook: AskHook, limit: number): void {
    const now = this.options.clock.now();
    if (now - this.lateAt < limit) return;
    this.lateAt = now;
    this.failed(hook, `it did not answer within ${limit} ms`);
  }

  private failed(hook: string, why: string): void {
    this.warn('extension-failed', `failed in ${hook}: ${why}`);
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
    const pause = clock.now() - this.runsSince >= maxPause ? firstPause : this.pause;
    this.runsSince = Infinity;
    this.pause = Math.min(2 * pause, maxPause);
    this.warn('extension-stopped', `has stopped and will start again in ${pause / 1000} s`);
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
      : 'has no valid default export, which must be an object with a name or a function that returns such an object. See server/extensions/EXTENSIONS.md.',
  );
  return new HookError(unfit, sentence);
}
