/**
 * Forwards a page's request to another server, because a room's data are on the server that runs
 * the room. The other server handles the request as if it had come from a page, over an in-process
 * connection. It sends the answer in parts, and stays only a few parts ahead of what this side has
 * passed on.
 */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import * as v from 'valibot';
import { ANSWER_PATIENCE } from '../../../shared/host/api.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from './bus.ts';

/** Times and limits for HTTP requests that one server forwards to another. */
export const REQUESTS = {
  /** Interval of messages that report that a request is still being answered, in ms. */
  beat: 2_500,
  /** If the other side takes no data for this long, a server stops answering; in ms. */
  stall: 60_000,
  /** Maximum number of an answer's bytes in one message. */
  part: 262_144,
  /** Maximum number of unconfirmed messages per answer. */
  window: 4,
  /**
   * If a server has forwarded this many requests that are still in progress, it forwards no further
   * GET or HEAD requests. The same limit applies to requests that it is answering for other servers.
   */
  most: 64,
  /** The same limit, for the requests of one visitor's address that a server has forwarded. */
  mostEach: 16,
} as const;

const CHANNEL = 'requests';
const channelOf = (node: string): string => `requests:${node}`;
/** Header with the visitor's address; only trusted on connections within the process. */
const ADDRESS = 'x-vivarium-address';
const ASKED_HEADERS = ['accept', 'accept-encoding', 'if-none-match'] as const;
/** Headers that belong to one connection, not to an answer. */
const OWN_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'date'];

const text = (length: number) => v.pipe(v.string(), v.maxLength(length));
const id = text(64);
const target = v.union([v.strictObject({ room: id }), v.strictObject({ server: id })]);
const asking = v.strictObject({
  ...{ id, from: id, to: target },
  method: v.picklist(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE']),
  path: v.pipe(text(8_192), v.startsWith('/')),
  headers: v.record(text(64), text(8_192)),
  body: v.optional(text(65_536)),
  address: text(256),
});
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A header's value, limited to characters that `writeHead` accepts. */
const headerValue = v.pipe(text(8_192), v.regex(/^[\t\x20-\x7e\x80-\xff]*$/));
const message = v.union([
  v.strictObject({
    /**
     * A part of an answer. The first part is empty, a later part has the status and headers, and
     * the last one has `end`. While there is nothing to send, further empty parts say that the
     * answer is still to come.
     */
    ...{ id, from: id, number: whole },
    status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
    headers: v.optional(
      v.pipe(
        v.record(
          v.pipe(text(64), v.regex(/^[\w!#$%&'*+.^`|~-]+$/)),
          v.union([headerValue, v.pipe(v.array(headerValue), v.maxLength(64))]),
        ),
        v.maxEntries(64),
      ),
    ),
    bytes: v.optional(v.custom<Uint8Array>(ArrayBuffer.isView)),
    end: v.optional(v.picklist(['whole', 'broken'])),
  }),
  /** Number of parts that have been passed on; null if the answer is no longer wanted. */
  v.strictObject({ id, confirmed: v.nullable(whole) }),
]);
type Message = v.InferOutput<typeof message>;
type Part = Extract<Message, { number: number }>;

/** The server that should answer: the server that runs a room, or a server by name. */
export type RelayTarget = v.InferOutput<typeof target>;

/** Thrown if no other server answered a request, or if too many requests are in progress. */
export class RelayError extends Error {
  override readonly name = 'RelayError';

  constructor(readonly reason: 'no-answer' | 'too-many') {
    super(`The request was not passed on: ${reason}.`);
  }
}

/**
 * Whether the limits apply to requests with a method. Only the host's requests use methods other
 * than GET and HEAD, and visitors must not block the host.
 */
const isLimited = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

export interface RequestRelayOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Whether this server answers requests for a target. */
  readonly isFor: (to: RelayTarget) => boolean;
  /** Answers requests that other servers have already authorised. */
  readonly serve: RequestListener;
}

/**
 * One server's end of the relay. Forwards requests of this server over the bus, and answers
 * requests of other servers.
 */
export class RequestRelay {
  private readonly node = randomUUID();
  private readonly server: Server;
  private readonly inner = new WeakSet<Duplex>();
  /** For each forwarded request's id, the function that receives the parts of its answer. */
  private readonly passed = new Map<string, (heard: Part) => void>();
  /** For each visitor's address, the number of forwarded requests in progress. */
  private readonly waiting = new Map<string, number>();
  private readonly answered = new Map<string, (confirmed: number | null) => void>();
  private subscriptions: readonly Subscription[] = [];

  private constructor(private readonly options: RequestRelayOptions) {
    this.server = createServer({ requestTimeout: 0 }, options.serve);
  }

  /** Connects the relay to the bus. @throws Error if the bus has been closed */
  static async open(options: RequestRelayOptions): Promise<RequestRelay> {
    const relay = new RequestRelay(options);
    const { bus } = options;
    relay.subscriptions = [
      await bus.subscribe(CHANNEL, (bytes) => relay.answer(bytes)),
      await bus.subscribe(channelOf(relay.node), (bytes) => relay.hear(bytes)),
    ];
    return relay;
  }

  /**
   * Returns the visitor's address of a request that another server has forwarded; undefined for all
   * other requests.
   */
  addressOf({ socket, headers }: IncomingMessage): string | undefined {
    return this.inner.has(socket) ? `${headers[ADDRESS]}` : undefined;
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.close();
    for (const stop of [...this.answered.values()]) stop(null);
    this.server.close();
  }

  /**
   * Answers a request with another server's answer. Resolves when the answer has ended. If the
   * answer breaks off, the visitor's connection is closed.
   *
   * @param url path and query, as the other server knows them
   * @param address the visitor's address
   * @throws RelayError before anything has been answered
   */
  pass(
    to: RelayTarget,
    request: IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown },
    response: ServerResponse,
    address: string,
  ): Promise<void> {
    const { bus, clock } = this.options;
    const ofAddress = this.waiting.get(address) ?? 0;
    if (
      isLimited(request.method) &&
      (this.passed.size >= REQUESTS.most || ofAddress >= REQUESTS.mostEach)
    ) {
      return Promise.reject(new RelayError('too-many'));
    }
    const call = randomUUID();
    const { method, url, originalUrl, body } = request;
    const headers = ASKED_HEADERS.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, value]];
    });
    const asked = {
      ...{ id: call, from: this.node, to, address },
      ...{ method, path: originalUrl ?? url, headers: Object.fromEntries(headers) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    // Other servers ignore a request that does not fit the schema, e.g. with a whole URL as its
    // path, so reject it here.
    if (!bus.isUp || !v.is(asking, asked)) return Promise.reject(new RelayError('no-answer'));
    this.waiting.set(address, ofAddress + 1);
    return new Promise((resolve, reject) => {
      let expected = 0;
      let other: string | undefined;
      let cancel = (): void => {};
      const tell = (confirmed: number | null): void => {
        if (other !== undefined) this.send(other, { id: call, confirmed });
      };
      const end = (): void => {
        cancel();
        if (this.passed.delete(call)) this.endOf(address);
        response.off('close', leave);
      };
      const leave = (): void => {
        tell(null);
        end();
        resolve();
      };
      const fail = (): void => {
        if (response.headersSent) response.destroy();
        else reject(new RelayError('no-answer'));
        leave();
      };
      const wait = (time: number): void => {
        cancel();
        cancel = clock.after(time, fail);
      };
      let isDraining = false;
      const goOn = (): void => {
        isDraining = false;
        tell(expected);
        wait(ANSWER_PATIENCE);
      };
      this.passed.set(call, ({ from, number, status, headers, bytes, end: isEnd }) => {
        // Ignore parts from a second server that answers the same request.
        if (other !== undefined && other !== from) return;
        other = from;
        // If a part was lost, the answer is incomplete.
        if (number !== expected) return fail();
        expected++;
        if (isEnd === 'broken') return fail();
        try {
          if (status !== undefined) response.writeHead(status, headers);
        } catch {
          return fail();
        }
        if ((bytes || isEnd) && !response.headersSent) return fail();
        const isTaken = !bytes || response.write(bytes);
        if (isDraining && !isEnd) return;
        if (isEnd) {
          response.end();
          end();
          return resolve();
        }
        if (isTaken) return goOn();
        // The visitor reads slowly. Wait without a time limit, because the connection of a visitor
        // who stops reading times out eventually.
        isDraining = true;
        cancel();
        response.once('drain', goOn);
      });
      response.once('close', leave);
      wait(ANSWER_PATIENCE);
      bus.publish(CHANNEL, encodeMessage(asked));
    });
  }

  /**
   * Sends a GET request to another server and reads the JSON of its answer.
   *
   * @param time how long to wait for the answer, in ms
   * @throws Error if no server answers
   */
  async get(to: RelayTarget, path: string, time: number): Promise<unknown> {
    const [near, far] = connection();
    const cancel = this.options.clock.after(time, () =>
      near.destroy(new Error('The other server did not answer.')),
    );
    const passing = createServer((request, response) => {
      // Use a separate address, so that this request does not count towards a visitor's limit.
      this.pass(to, request, response, `get ${path}`).catch(() => response.destroy());
    });
    passing.emit('connection', far);
    try {
      const request = openRequest({ createConnection: () => near as never, path }).end();
      // The request may also fail after the response has begun. Ignore that here, because reading
      // the response reports it.
      request.on('error', () => {});
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return JSON.parse(await textOf(response));
    } finally {
      cancel();
      near.destroy();
      far.destroy();
    }
  }

  /** Records that a request from an address has ended. */
  private endOf(address: string): void {
    const left = this.waiting.get(address)! - 1;
    if (left > 0) this.waiting.set(address, left);
    else this.waiting.delete(address);
  }

  private send(node: string, sent: Message): void {
    this.options.bus.publish(channelOf(node), encodeMessage(sent));
  }

  private hear(bytes: Uint8Array): void {
    const heard = decodeMessage(message, bytes);
    if (!heard) return;
    if ('confirmed' in heard) this.answered.get(heard.id)?.(heard.confirmed);
    else if (this.passed.has(heard.id)) this.passed.get(heard.id)?.(heard);
    // The answer is no longer wanted here, so tell the other server to stop.
    else if (!heard.end) this.send(heard.from, { id: heard.id, confirmed: null });
  }

  private answer(bytes: Uint8Array): void {
    const asked = decodeMessage(asking, bytes);
    if (!asked || !this.options.isFor(asked.to)) return;
    const { id: call, from, method, path, body, address } = asked;
    // Node sets no content-length for a DELETE request, so set it here.
    const type = body !== undefined && {
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(body)}`,
    };
    const headers = { ...asked.headers, ...type, host: 'vivarium', [ADDRESS]: address };
    let number = 0;
    let confirmed = 0;
    let isOver = false;
    let wake = (): void => {};
    let cancelBeat = (): void => {};
    const [near, far] = connection();
    const send = (more: Omit<Part, 'id' | 'from' | 'number'>): void => {
      this.send(from, { id: call, from: this.node, number: number++, ...more });
    };
    const end = (how?: Part['end']): void => {
      if (isOver) return;
      isOver = true;
      this.answered.delete(call);
      cancelBeat();
      if (how) send({ end: how });
      near.destroy();
      far.destroy();
      wake();
    };
    if (isLimited(method) && this.answered.size >= REQUESTS.most) {
      send({ status: 503 });
      end('whole');
      return;
    }
    this.answered.set(call, (upTo) => {
      if (upTo === null) end();
      else confirmed = Math.max(confirmed, upTo);
      wake();
    });
    /** Waits until the other side has passed on enough parts for the next one to be sent. */
    const turn = async (): Promise<void> => {
      while (!isOver && number - confirmed >= REQUESTS.window) {
        const cancel = this.options.clock.after(REQUESTS.stall, end);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        cancel();
      }
    };
    const passOn = async (response: IncomingMessage): Promise<void> => {
      const told = Object.entries(response.headers).filter(([name]) => !OWN_HEADERS.includes(name));
      send({ status: response.statusCode, headers: Object.fromEntries(told) as Part['headers'] });
      for await (const chunk of response) {
        for (let at = 0; at < chunk.length; at += REQUESTS.part) {
          await turn();
          if (isOver) return;
          send({ bytes: new Uint8Array(chunk.subarray(at, at + REQUESTS.part)) });
        }
      }
      end('whole');
    };
    const sayThere = (): void => {
      cancelBeat = this.options.clock.after(REQUESTS.beat, sayThere);
      if (number - confirmed < REQUESTS.window) send({});
    };
    // Send a first part immediately, so that the other side knows where to cancel the request.
    sayThere();
    this.inner.add(far);
    this.server.emit('connection', far);
    openRequest({
      createConnection: () => near as never,
      ...{ method, path, headers },
    })
      .once('response', (response) => passOn(response).catch(() => end('broken')))
      .on('error', () => end('broken'))
      .end(body);
  }
}

/** Creates a connection within the process: the client's end and the server's end. */
function connection(): [near: Duplex, far: Duplex] {
  const [near, far] = duplexPair();
  far.once('close', () => {
    if (!far.writableFinished) near.destroy(new Error('The answer broke off.'));
  });
  return [near, far];
}
