/**
 * Typed calls between this process and a worker thread, in both directions: one message for each call, one for each answer.
 *
 * Ours, because libraries were tried and fall short. comlink 4.4: a call whose thread has ended never settles; errors arrive
 * without their class and reason; there is no start-up result; and the other side may reach any property of what is exposed.
 * tinypool 2.2: the same for process.exit() and for errors, and it chooses the thread itself, whereas a patch lives in one.
 */
import { parentPort, type Worker } from 'node:worker_threads';

/** The arguments of a method; plain data, since they are cloned. */
type ArgumentsOf<M> = M extends (...args: infer A) => unknown ? A : never;
type ResultOf<M> = M extends (...args: never) => infer R ? Awaited<R> : never;

/** The other side's methods, as this side calls them. */
export interface Remote<Methods extends object> {
  /**
   * Calls a method and waits for its result. Buffers of a result move here; those of arguments are copied.
   *
   * @throws what the method throws; the end of the connection
   */
  call<M extends keyof Methods & string>(
    method: M,
    ...args: ArgumentsOf<Methods[M]>
  ): Promise<ResultOf<Methods[M]>>;
  /** Calls a method whose result nobody waits for. */
  notify<M extends keyof Methods & string>(method: M, ...args: ArgumentsOf<Methods[M]>): void;
}

/** Errors that keep their class between threads, by the `name` of their instances. */
export type ErrorClasses = Readonly<Record<string, { readonly prototype: Error }>>;

/** How a thread was lost. */
export interface Death {
  /** An uncaught error; an end, by itself or by others; a message that is none of ours. */
  readonly cause: 'threw' | 'ended' | 'malformed';
  /** The error's message, or as in 'ended with code 3'. */
  readonly why: string;
}

export interface WorkerRpcOptions<Local extends object> {
  /** What the thread may call. */
  readonly methods?: Local;
  /** Errors of other classes arrive as plain `Error`, with their name. */
  readonly errors?: ErrorClasses;
  /** Turns errors of other classes into one of the caller's own. */
  readonly otherwise?: ((error: Error) => Error) | undefined;
  /** What waiting and later calls fail with when the thread is lost. Called once. */
  readonly onDeath: (death: Death) => Error;
  /** Lets the process end while no call waits for an answer. */
  readonly unref?: boolean;
}

/** What is started in a thread by `serveWorker`, from outside. */
export class WorkerRpc<Methods extends object, Ready = undefined, Local extends object = object>
  implements Remote<Methods>
{
  /** What the thread's `open` has returned. @throws what it throws, or the thread's death; the thread is ended then */
  readonly ready: Promise<Ready>;
  private readonly endpoint: Endpoint;
  private isLost = false;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly worker: Worker,
    private readonly options: WorkerRpcOptions<Local>,
  ) {
    const { methods = {}, errors = {}, otherwise } = options;
    this.endpoint = new Endpoint(worker, {
      errors,
      otherwise,
      onMalformed: () => this.die({ cause: 'malformed', why: 'sent a malformed message' }),
      onIdle: () => {
        if (options.unref) worker.unref();
      },
    });
    this.endpoint.methods = methods;
    const died = ({ message }: Error): void => this.die({ cause: 'threw', why: message });
    worker.on('error', died);
    worker.on('messageerror', died);
    worker.on('exit', (code) => this.die({ cause: 'ended', why: `ended with code ${code}` }));
    this.ready = this.endpoint.wait(START).then(
      (ready) => ready as Ready,
      async (error: Error) => {
        await this.terminate(error);
        throw error;
      },
    );
  }

  /** Whether the thread has died, other than by `close` and `terminate`. */
  get lost(): boolean {
    return this.isLost;
  }

  call<M extends keyof Methods & string>(
    method: M,
    ...args: ArgumentsOf<Methods[M]>
  ): Promise<ResultOf<Methods[M]>> {
    const answer = this.endpoint.call(method, args);
    if (this.options.unref) this.worker.ref();
    return answer as Promise<ResultOf<Methods[M]>>;
  }

  notify<M extends keyof Methods & string>(method: M, ...args: ArgumentsOf<Methods[M]>): void {
    this.endpoint.notify(method, args);
  }

  /** Calls made before are answered, later ones fail with `error`; then the thread is ended. */
  close(error: Error): Promise<void> {
    this.closing ??= (async () => {
      await this.endpoint.drain(error);
      await this.terminate(error);
    })();
    return this.closing;
  }

  /** Ends the thread at once; waiting and later calls fail with `error`. */
  async terminate(error: Error): Promise<void> {
    this.endpoint.end(() => error);
    await this.worker.terminate();
  }

  private die(death: Death): void {
    this.endpoint.end(() => {
      this.isLost = true;
      return this.options.onDeath(death);
    });
    if (death.cause === 'malformed') void this.worker.terminate();
  }
}

/** What a thread is once it has been started. */
export interface Served<Methods extends object, Ready = undefined> {
  /** Absent: it answers nothing. */
  readonly methods?: Methods;
  /** The start-up result, for `WorkerRpc.ready`. */
  readonly ready?: Ready;
}

/**
 * Makes this worker thread answer calls. They begin in the order they come, without waiting for each other.
 *
 * @param open prepares the thread; may call the other side. What it throws is thrown by `WorkerRpc.ready`
 */
export async function serveWorker<
  Methods extends object,
  Caller extends object = object,
  Ready = undefined,
>(open: (caller: Remote<Caller>) => Promise<Served<Methods, Ready>>): Promise<void> {
  const endpoint = new Endpoint(parentPort!, {
    errors: {},
    onMalformed: () => {
      throw new Error('a malformed message has come');
    },
  });
  const caller: Remote<Caller> = {
    call: (method, ...args) => endpoint.call(method, args) as never,
    notify: (method, ...args) => endpoint.notify(method, args),
  };
  await endpoint.answer(START, async () => {
    const { methods, ready } = await open(caller);
    endpoint.methods = methods ?? {};
    return ready;
  });
}

/** The start is a call that nobody has to send. */
const START = 0;

interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Absent: no answer is wanted. */
  readonly call?: number;
}

interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Further properties, such as a reason. */
  readonly fields: object;
}

type Answer = { readonly answer: number } & (
  | { readonly result: unknown }
  | { readonly error: RemoteError }
);

type Method = (...args: readonly unknown[]) => unknown;

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Port {
  postMessage(message: Call | Answer, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

interface EndpointOptions extends Pick<WorkerRpcOptions<object>, 'otherwise'> {
  readonly errors: ErrorClasses;
  readonly onMalformed: () => void;
  /** No call waits any more. */
  readonly onIdle?: () => void;
}

/** One side of the connection. */
class Endpoint {
  /** What the other side may call. */
  methods: object = {};
  private readonly pending = new Map<number, Pending>();
  private calls = START;
  /** What later calls fail with. */
  private refusal: Error | undefined;
  private hasEnded = false;
  private onDrained: (() => void) | undefined;

  constructor(
    private readonly port: Port,
    private readonly options: EndpointOptions,
  ) {
    port.on('message', (message) => this.receive(message));
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.refusal) return Promise.reject(this.refusal);
    const call = ++this.calls;
    try {
      this.port.postMessage({ call, method, args });
    } catch (error) {
      return Promise.reject(error);
    }
    return this.wait(call);
  }

  wait(call: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.set(call, { resolve, reject });
    });
  }

  notify(method: string, args: readonly unknown[]): void {
    if (!this.refusal) this.port.postMessage({ method, args });
  }

  /** Posts what some work comes to. Never rejects. */
  async answer(call: number, work: () => unknown): Promise<void> {
    try {
      const result = await work();
      // Results are made for one reader, so their buffers move to it.
      if (!this.hasEnded) this.port.postMessage({ answer: call, result }, [...buffersOf(result)]);
    } catch (error) {
      if (!this.hasEnded) this.port.postMessage({ answer: call, error: encodeError(error) });
    }
  }

  /** Later calls fail. @returns when those made before are answered */
  async drain(error: Error): Promise<void> {
    this.refusal ??= error;
    if (this.pending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.onDrained = resolve;
    });
  }

  /** Waiting and later calls fail, and messages count no more. */
  end(reason: () => Error): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.refusal ??= reason();
    for (const { reject } of this.pending.values()) reject(this.refusal);
    this.pending.clear();
    this.onDrained?.();
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
    } else this.options.onMalformed();
  }

  private settle(message: Answer): void {
    const waiting = this.pending.get(message.answer);
    if (!waiting) return;
    this.pending.delete(message.answer);
    if ('error' in message) waiting.reject(decodeError(message.error, this.options));
    else waiting.resolve(message.result);
    if (this.pending.size > 0) return;
    this.options.onIdle?.();
    this.onDrained?.();
  }
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
  { errors, otherwise }: Pick<EndpointOptions, 'errors' | 'otherwise'>,
): Error {
  const { name, message, stack, fields } = Object(remote) as Partial<RemoteError>;
  const error = new Error(String(message));
  const define = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  };
  // Where it went wrong is in the other thread.
  define('stack', String(stack ?? message), false);
  define('name', String(name), false);
  for (const [key, value] of Object.entries(fields ?? {})) define(key, value, true);
  if (!Object.hasOwn(errors, error.name)) return otherwise ? otherwise(error) : error;
  return Object.setPrototypeOf(error, errors[error.name].prototype) as Error;
}

/** The buffers behind all views in plain data, but for shared ones. */
function buffersOf(part: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(part)) {
    if (part.buffer instanceof ArrayBuffer) found.add(part.buffer);
  } else if (typeof part === 'object' && part !== null) {
    for (const inner of Object.values(part)) buffersOf(inner, found);
  }
  return found;
}
