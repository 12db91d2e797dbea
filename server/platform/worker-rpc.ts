/**
 * Typed calls between this thread and a worker thread, in both directions.
 *
 * No library is used: with comlink 4.4 and tinypool 2.2, calls to a thread that has ended never
 * settle, and errors lose their class.
 */

import { type ForkOptions, fork } from 'node:child_process';
import { MessageChannel, parentPort, type Worker } from 'node:worker_threads';

/** The arguments of a method, which must support structured cloning. */
type ArgumentsOf<M> = M extends (...args: infer A) => unknown ? A : never;
type ResultOf<M> = M extends (...args: never) => infer R ? Awaited<R> : never;

/**
 * Resource limits for threads that create few objects. A low limit for new objects makes V8 free
 * unused objects and their buffers sooner.
 */
export const FEW_OBJECTS = { maxYoungGenerationSizeMb: 12 };

/**
 * Classes that errors keep when they are sent to another thread, by the `name` property of these
 * errors.
 */
export type ErrorClasses = Readonly<Record<string, { readonly prototype: Error }>>;

/** Id under which a thread sends the result of its start-up. No call has this id. */
const START = 0;

interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Id of the call; absent if the caller expects no answer. */
  readonly call?: number;
}

interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Additional properties of the error, such as `reason`. */
  readonly fields: object;
}

type Answer = { readonly answer: number } & (
  | { readonly result: unknown }
  | { readonly error: RemoteError }
);

type Method = (...args: readonly unknown[]) => unknown;

interface Port {
  postMessage(message: Call | Answer, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/**
 * One side of a connection between two threads. Calls the methods of the other side, and answers
 * calls from the other side.
 */
abstract class Endpoint<Methods extends object> {
  /** Methods that the other side may call. */
  protected methods: object = {};
  private readonly pending = new Map<
    number,
    { resolve(result: unknown): void; reject(error: Error): void }
  >();
  private calls = START;
  /** The error with which all later calls fail; undefined while the connection is open. */
  private closedBy: Error | undefined;
  private hasEnded = false;
  private onDrained: (() => void) | undefined;

  constructor(private readonly port: Port) {
    port.on('message', (message) => this.receive(message));
  }

  /**
   * Calls a method of the other side and waits for the result. Buffers in the arguments are copied.
   * Buffers in the result are transferred, so the other side loses them.
   *
   * @throws the error of the method, or an error if the connection has ended
   */
  call<M extends keyof Methods & string>(
    method: M,
    ...args: ArgumentsOf<Methods[M]>
  ): Promise<ResultOf<Methods[M]>> {
    return this.ask(method, args, []);
  }

  /**
   * Calls a method like `call`, but transfers the arguments' buffers, so that this side loses them.
   */
  give<M extends keyof Methods & string>(
    method: M,
    ...args: ArgumentsOf<Methods[M]>
  ): Promise<ResultOf<Methods[M]>> {
    return this.ask(method, args, [...buffersOf(args)]);
  }

  /** Calls a method of the other side without waiting for a result. */
  notify<M extends keyof Methods & string>(method: M, ...args: ArgumentsOf<Methods[M]>): void {
    if (!this.closedBy) this.port.postMessage({ method, args });
  }

  protected abstract handleMalformed(): void;

  /**
   * Called with true whenever a call begins to wait for its answer, and with false when the last
   * waiting call is answered.
   */
  protected setBusy(_isBusy: boolean): void {}

  protected decode(error: RemoteError): Error {
    return decodeError(error, {});
  }

  protected wait(call: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.set(call, { resolve, reject });
    });
  }

  /** Runs `work`, and sends its result or error as the answer to a call. Never rejects. */
  protected async answer(call: number, work: () => unknown): Promise<void> {
    try {
      const result = await work();
      // Transfer the result's buffers instead of copying them: this side no longer needs them.
      if (!this.hasEnded) this.port.postMessage({ answer: call, result }, [...buffersOf(result)]);
    } catch (error) {
      if (!this.hasEnded) this.port.postMessage({ answer: call, error: encodeError(error) });
    }
  }

  /** Makes later calls fail with `error`, and waits until all pending calls have been answered. */
  protected async drain(error: Error): Promise<void> {
    this.closedBy ??= error;
    if (this.pending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.onDrained = resolve;
    });
  }

  /** Makes all pending and later calls fail, and ignores further messages. */
  protected end(reason: () => Error): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.closedBy ??= reason();
    for (const { reject } of this.pending.values()) reject(this.closedBy);
    this.pending.clear();
    this.onDrained?.();
  }

  private ask<T>(method: string, args: readonly unknown[], given: ArrayBuffer[]): Promise<T> {
    if (this.closedBy) return Promise.reject(this.closedBy);
    const call = ++this.calls;
    try {
      this.port.postMessage({ call, method, args }, given);
    } catch (error) {
      return Promise.reject(error);
    }
    this.setBusy(true);
    return this.wait(call) as Promise<T>;
  }

  private receive(message: unknown): void {
    if (this.hasEnded) return;
    const { answer, call, method, args } = Object(message) as Partial<Call & Answer>;
    if (typeof answer === 'number') this.settle(message as Answer);
    else if (
      typeof method === 'string' &&
      Array.isArray(args) &&
      Object.hasOwn(this.methods, method)
    ) {
      const run = (): unknown => (this.methods as Record<string, Method>)[method](...args);
      if (typeof call === 'number') void this.answer(call, run);
      else run();
    } else this.handleMalformed();
  }

  private settle(message: Answer): void {
    const pending = this.pending.get(message.answer);
    if (!pending) return;
    this.pending.delete(message.answer);
    if ('error' in message) pending.reject(this.decode(message.error));
    else pending.resolve(message.result);
    if (this.pending.size > 0) return;
    this.setBusy(false);
    this.onDrained?.();
  }
}

/** The methods that call the other side. */
export type Remote<Methods extends object> = Pick<Endpoint<Methods>, 'call' | 'notify'>;

export interface Death {
  /**
   * `threw`: the thread had an uncaught error. `ended`: the thread exited or was terminated.
   * `malformed`: the thread sent an invalid message.
   */
  readonly cause: 'threw' | 'ended' | 'malformed';
  /** The message of the error, or a text such as 'ended with code 3'. */
  readonly why: string;
}

export interface WorkerRpcOptions<Local extends object> {
  /** Methods that the thread may call. */
  readonly methods?: Local;
  /**
   * Classes to preserve when the thread sends an error. An error of another class becomes a plain
   * `Error` that keeps its name.
   */
  readonly errors?: ErrorClasses;
  /** Converts errors from the thread if their class is not in `errors`. */
  readonly otherwise?: ((error: Error) => Error) | undefined;
  /**
   * Called once, when the thread dies. Returns the error with which pending and later calls fail.
   */
  readonly onDeath: (death: Death) => Error;
  /** If true, the thread keeps the process running only while a call is waiting for its answer. */
  readonly unref?: boolean;
}

/** The side that started the worker thread. The thread's module must call `serveWorker`. */
export class WorkerRpc<
  Methods extends object,
  Ready = undefined,
  Local extends object = object,
> extends Endpoint<Methods> {
  /**
   * Resolves to the result of the thread's start-up (`ready` in `serveWorker`). Rejects if the
   * start-up fails or the thread dies first.
   */
  readonly ready: Promise<Ready>;
  private closing: Promise<void> | undefined;
  /** Whether the thread has died without a call of `close` or `terminate`. */
  lost = false;

  constructor(
    private readonly worker: Worker,
    private readonly options: WorkerRpcOptions<Local>,
  ) {
    super(worker);
    this.methods = options.methods ?? {};
    const died = ({ message }: Error): void => this.die({ cause: 'threw', why: message });
    worker.on('error', died);
    worker.on('messageerror', died);
    worker.on('exit', (code) => this.die({ cause: 'ended', why: `ended with code ${code}` }));
    this.ready = this.wait(START).then(
      (ready) => ready as Ready,
      async (error: Error) => {
        await this.terminate(error);
        throw error;
      },
    );
  }

  /**
   * Waits until all pending calls have been answered, then terminates the thread. Calls made from
   * now on fail with `error`.
   */
  close(error: Error): Promise<void> {
    this.closing ??= this.drain(error).then(() => this.terminate(error));
    return this.closing;
  }

  /** Terminates the thread immediately. Pending and later calls fail with `error`. */
  async terminate(error: Error): Promise<void> {
    this.end(() => error);
    await this.worker.terminate();
  }

  protected override handleMalformed(): void {
    this.die({ cause: 'malformed', why: 'sent a malformed message' });
    void this.worker.terminate();
  }

  protected override setBusy(isBusy: boolean): void {
    if (!this.options.unref) return;
    if (isBusy) this.worker.ref();
    else this.worker.unref();
  }

  protected override decode(error: RemoteError): Error {
    const { errors = {}, otherwise } = this.options;
    return decodeError(error, errors, otherwise);
  }

  private die(death: Death): void {
    this.end(() => {
      this.lost = true;
      return this.options.onDeath(death);
    });
  }
}

/** The side of a connection that runs in the worker thread. */
class ServingEndpoint<Methods extends object> extends Endpoint<Methods> {
  /**
   * Runs `open` to get this side's methods. Then sends the other side the property `ready` of the
   * result or, if `open` failed, the error.
   */
  start(open: Parameters<typeof serveWorker<object, Methods, unknown>>[0]): Promise<void> {
    return this.answer(START, async () => {
      const { methods = {}, ready } = await open(this);
      this.methods = methods;
      return ready;
    });
  }

  protected override handleMalformed(): void {
    throw new Error('received a malformed message');
  }
}

/**
 * Makes this worker thread answer calls. Calls start in order of arrival, and may overlap.
 *
 * @param open prepares the thread. `WorkerRpc.ready` resolves to the result's property `ready`, or
 *   rejects if `open` throws
 */
export function serveWorker<
  Methods extends object,
  Caller extends object = object,
  Ready = undefined,
>(
  open: (caller: Remote<Caller>) => Promise<{ readonly methods?: Methods; readonly ready?: Ready }>,
): Promise<void> {
  return new ServingEndpoint<Caller>(parentPort!).start(open);
}

function encodeError(error: unknown): RemoteError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), fields: {} };
  const { name, message, stack } = error;
  try {
    return { name, message, stack, fields: structuredClone({ ...error }) };
  } catch {
    return { name, message, stack, fields: {} };
  }
}

function decodeError(
  remote: RemoteError,
  errors: ErrorClasses,
  otherwise = (error: Error): Error => error,
): Error {
  const { name, message, stack, fields } = Object(remote) as Partial<RemoteError>;
  const error = new Error(String(message));
  const define = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  // Keep the stack trace of the thread in which the error happened.
  define('stack', String(stack ?? message), false);
  define('name', String(name), false);
  for (const [key, value] of Object.entries(fields ?? {})) define(key, value, true);
  if (!Object.hasOwn(errors, error.name)) return otherwise(error);
  return Object.setPrototypeOf(error, errors[error.name].prototype) as Error;
}

/**
 * Frees the memory of all buffers in plain data immediately. The buffers cannot be used afterwards.
 */
export function freeBuffers(part: unknown): void {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [...buffersOf(part)]);
  port1.close();
}

/**
 * Collects the buffers of all typed arrays and other views in nested objects and arrays. Omits
 * shared buffers.
 */
function buffersOf(part: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(part)) {
    if (part.buffer instanceof ArrayBuffer) found.add(part.buffer);
  } else if (typeof part === 'object' && part !== null) {
    for (const inner of Object.values(part)) buffersOf(inner, found);
  }
  return found;
}

/**
 * Runs a module in a child process, waits for one message from the process, and then kills it.
 * Discards what the process prints.
 *
 * @param options.patience how long to wait for the message, in ms; if absent, there is no limit
 * @throws Error that says how the process failed, for example 'no answer in 3 s'
 */
export async function askChild<T>(
  module: URL,
  args: readonly string[],
  { patience, ...options }: ForkOptions & { readonly patience?: number } = {},
): Promise<T> {
  const child = fork(module, args, { ...options, silent: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const fail = (how: string): void => reject(new Error(how));
      if (patience) timer = setTimeout(fail, patience, `no answer in ${patience / 1000} s`);
      child.on('message', (answer) => resolve(answer as T));
      child.on('error', reject);
      child.on('exit', (code, signal) =>
        fail(`its process ended with ${signal ?? `code ${code}`}`),
      );
    });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
