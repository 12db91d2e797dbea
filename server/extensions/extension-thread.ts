/**
 * Runs an extension in a separate thread, so that its errors and delays never affect ticks. If the
 * extension cannot be loaded, does not respond or fails too often, starts it again after a pause.
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
import { DRAWING_ANSWER, LIMITS } from './extension-limits.ts';

export interface ThreadMethods {
  /** Calls a hook. Resolves when the hook has finished. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): Promise<void>;
  ask<H extends AskHook>(hook: H, about: Questions[H]): Promise<HookAnswer>;
  ping(): void;
  close(): Promise<void>;
}

/** Methods that the extension's thread may call in the server. */
export interface ServerMethods {
  act(act: ActRequest): Promise<ActResult>;
  failed(failure: v.InferOutput<typeof failureSchema>): void;
  say(line: string): void;
}

// These schemas validate messages from the extension's thread, because extensions are not trusted.

const shortText = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 300)),
);

/** The thread's report after loading: the extension's name and hooks, or why it cannot be used. */
const startedSchema = v.union([
  v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    hooks: v.pipe(v.array(v.string()), v.maxLength(64)),
  }),
  v.strictObject({ unfit: v.picklist(['not-found', 'no-extension', 'threw']), why: shortText }),
]);
export type Started = v.InferOutput<typeof startedSchema>;
export type Unfit = Extract<Started, { readonly unfit: string }>;

const answerSchema = v.strictObject({
  refuse: v.optional(shortText),
  allow: v.optional(v.literal(true)),
});
export type HookAnswer = v.InferOutput<typeof answerSchema>;

/** A command from an extension. The parameters are validated when the command is executed. */
const actSchema = v.strictObject({
  room: v.string(),
  what: v.picklist(Object.keys(HOOK_OF) as ActName[]),
  parameters: v.unknown(),
});
export type ActRequest = v.InferOutput<typeof actSchema>;

const failureSchema = v.strictObject({ hook: shortText, why: shortText });

const { firstPause, maxPause } = LIMITS;

interface ExtensionThreadOptions {
  /** Absolute path of the extension's file. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Executes a command of the extension in a room. Never rejects. */
  readonly act: (extension: ExtensionThread, act: ActRequest) => Promise<ActResult>;
  /**
   * Called each time a restart has loaded the extension. A failed first attempt to load it also
   * leads to a restart.
   */
  readonly onRestarted: (extension: ExtensionThread) => void;
}

const MALFORMED = 'it sent a malformed message';

type Rpc = WorkerRpc<ThreadMethods, unknown, ServerMethods>;

const ignore = (): void => {};

/** The server's interface to an extension. Calls hooks in the extension's thread. */
export class ExtensionThread {
  /** The thread of the loaded extension; undefined while no extension is running. */
  private rpc: Rpc | undefined;
  /** The thread in which the extension is being loaded, if any. */
  private loading: Rpc | undefined;
  /**
   * The extension's name. Until the extension is loaded for the first time, the name of its file.
   */
  name: string;
  private hooks = new Set<string>();
  /** Number of events that the extension has not handled yet. */
  private backlog = 0;
  private dropped = 0;
  private readonly allowedFailures: TokenBucket;
  private readonly messageLimit: TokenBucket;
  private readonly logLimit: TokenBucket;
  private hasAnsweredPing = true;
  /** Whether the backlog was full at the last ping, and has not shrunk since then. */
  private isStuck = false;
  /** When a late answer was last counted as a failure (monotonic clock, ms). */
  private lateAt = -Infinity;
  /** Pause before the next restart, in ms. */
  private pause: number = firstPause;
  /**
   * When the current run began (monotonic clock, ms); Infinity while the extension is not running.
   */
  private runsSince = Infinity;
  private closing = false;
  /** Cancels the current timer: the time limit for loading, the next ping or the next restart. */
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
   * Starts the thread and loads the extension. If loading fails with any error other than a
   * HookError, tries again later.
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

  /** Returns whether the extension is running and has the given hook. */
  has(hook: NotifyHook | AskHook): boolean {
    return this.rpc !== undefined && this.hooks.has(hook);
  }

  /** Calls a hook with an event, without waiting. Drops the event if the backlog is full. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): void {
    if (!this.has(hook)) return;
    if (this.backlog >= LIMITS.backlog) {
      const sentence =
        'handles events too slowly; the server drops new events until the extension has caught up';
      if (this.dropped++ === 0) this.warn('extension-behind', sentence);
      return;
    }
    this.backlog++;
    // The call fails only if the thread has ended. `open` resets the backlog for the next thread.
    this.rpc!.call('tell', hook, about).then(() => this.eventHandled(), ignore);
  }

  private eventHandled(): void {
    this.backlog--;
    this.isStuck = false;
    if (this.backlog > 0 || this.dropped === 0) return;
    this.warn('extension-behind', `has caught up; the server dropped ${this.dropped} events`);
    this.dropped = 0;
  }

  /**
   * Asks a hook for its verdict on an action. If there is no answer in time, resolves to an empty
   * verdict, which allows the action.
   */
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

  /** Calls the hook `onClose`, waits for it up to `LIMITS.closing`, and ends the thread. */
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
    const sentenceOf = (problem: string): string => `The extension ${file} ${problem}`;
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
      methods: {
        act: async (act) => {
          const parsed = this.checked(rpc, actSchema, act);
          return parsed ? this.options.act(this, parsed) : {};
        },
        failed: (failure) => {
          const parsed = this.checked(rpc, failureSchema, failure);
          if (parsed && this.rpc) this.failed(parsed.hook, parsed.why);
        },
        say: (line) => {
          const text = this.checked(rpc, shortText, line);
          if (text === undefined || !this.logLimit.take(1, clock.now())) return;
          log.info('extension', `${this.name}: ${text}`, { extension: this.name });
        },
      },
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
   * Validates data from the thread. If the data are malformed, ends the thread and returns
   * undefined.
   */
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
   * Pings the thread regularly. Restarts the extension if a ping is not answered before the next
   * one, or if the backlog is full and no event is handled between two pings.
   */
  private watch(rpc: Rpc): void {
    const { stall, backlog } = LIMITS;
    this.cancelTimer = afterMessages(this.options.clock, stall, () => {
      if (!this.hasAnsweredPing) return this.lost(rpc, 'it does not respond');
      if (this.isStuck) return this.lost(rpc, `none of its ${backlog} pending calls has finished`);
      this.hasAnsweredPing = false;
      this.isStuck = this.backlog >= backlog;
      const answered = (): void => void (this.hasAnsweredPing = true);
      rpc.call('ping').then(answered, ignore);
      this.watch(rpc);
    });
  }

  /**
   * Ends a thread that has failed. Restarts the extension if the thread had finished loading it.
   * Otherwise, the caller of `open` restarts the extension.
   */
  private lost(rpc: Rpc, why: string): void {
    void rpc.terminate(new Error(`The extension ${this.options.file} failed: ${why}.`));
    if (this.rpc !== rpc || this.closing) return;
    this.warn('extension-failed', `failed: ${why}`);
    this.restart();
  }

  /**
   * Counts a late answer as a failure, at most once per `limit` ms. If the machine stalls, many
   * answers are late, but together they count as one failure.
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

  /** Ends the extension's thread, if any, and loads the extension again after a pause. */
  private restart(): void {
    if (this.closing) return;
    const { clock, onRestarted } = this.options;
    void this.end();
    const pause = clock.now() - this.runsSince >= maxPause ? firstPause : this.pause;
    this.runsSince = Infinity;
    this.pause = Math.min(2 * pause, maxPause);
    const text = `has stopped; the server restarts the extension in ${pause / 1000} s`;
    this.warn('extension-stopped', text);
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

  private warn(event: string, whatHappened: string): void {
    this.options.log.warn(event, `The extension "${this.name}" ${whatHappened}.`, {
      extension: this.name,
    });
  }
}

function errorOf({ unfit, why }: Unfit, sentenceOf: (why: string) => string): Error {
  if (unfit === 'threw') return new Error(sentenceOf(`cannot be loaded: ${why}`));
  const sentence = sentenceOf(
    unfit === 'not-found'
      ? 'does not exist.'
      : 'has no valid default export. The default export must be an object with a name, or a function that returns an object with a name. See server/extensions/EXTENSIONS.md.',
  );
  return new HookError(unfit, sentence);
}
