/**
 * Forwards a page's request to another server, because a room's data are on the server that runs
 * the room. The request and its answer travel as HTTP through a tunnel over the bus. The other
 * server handles the request as if it had come from a page. Start at `RequestRelay.pass`.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as openRequest,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { Duplex } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { count } from '../../../shared/common-schemas.ts';
import { ANSWER_PATIENCE } from '../../../shared/host/api.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from './bus.ts';

/** Times and limits for HTTP requests that one server forwards to another. */
export const REQUESTS = {
  /** Interval of messages with which each end of a tunnel reports that it is open, in ms. */
  beat: 2_500,
  /** Maximum number of bytes in one message. */
  part: 262_144,
  /** Maximum number of unconfirmed messages per direction of a tunnel. */
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
/** Header with the visitor's address; only trusted in requests from a tunnel. */
const ADDRESS = 'x-vivarium-address';
const ASKED_HEADERS = ['accept', 'accept-encoding', 'if-none-match'] as const;
/** Headers that belong to one connection, not to an answer. */
const OWN_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'date'];
/** What the id of the answering end of a tunnel ends with. */
const ANSWER = '/answer';
const BUSY = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n';

const id = v.pipe(v.string(), v.maxLength(64));
const target = v.union([v.strictObject({ room: id }), v.strictObject({ server: id })]);
const opening = v.strictObject({ id, from: id, to: target, isLimited: v.boolean() });
/** A message to one end of a tunnel. A message without further fields is a heartbeat. */
const message = v.strictObject({
  /** The end that the message is for, and the server of the other end. */
  ...{ id, from: id },
  /** Sequence number of a message with `bytes` or with the end of the stream. */
  number: v.optional(count),
  bytes: v.optional(v.custom<Uint8Array>(ArrayBuffer.isView)),
  end: v.optional(v.picklist(['whole', 'broken'])),
  /** Number of messages that have been read. */
  confirmed: v.optional(count),
});
type Message = v.InferOutput<typeof message>;

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
 * One end of a stream of bytes between two servers. It breaks off if a message is lost, or if
 * nothing has been heard from the other end for `ANSWER_PATIENCE`.
 */
class Tunnel extends Duplex {
  private sent = 0;
  private received = 0;
  private toldReceived = 0;
  /** Sends the rest of a write, once the other end has confirmed more messages. */
  private goOn = (): void => {};
  private cancelPatience = (): void => {};
  private readonly cancelBeats = repeat(this.clock, REQUESTS.beat, () => this.send({}));

  /**
   * @param confirmed number of messages that the other end has read; negative if it may not be
   *   there yet
   */
  constructor(
    private readonly clock: Clock,
    private confirmed: number,
    private readonly send: (message: Omit<Message, 'id' | 'from'>) => void,
  ) {
    super();
    this.waitForOther();
  }

  /** Handles a message from the other end. */
  receive({ number, bytes, end, confirmed }: Message): void {
    this.waitForOther();
    if (end === 'broken' || (number !== undefined && number !== this.received)) {
      this.destroy(new Error('The connection to the other server broke off.'));
      return;
    }
    if (number !== undefined) this.received++;
    if (bytes) this.push(bytes);
    if (end) this.push(null);
    if (confirmed === undefined) return;
    this.confirmed = Math.max(this.confirmed, confirmed);
    const { goOn } = this;
    this.goOn = () => {};
    goOn();
  }

  override _read(): void {
    if (this.received === this.toldReceived) return;
    this.toldReceived = this.received;
    this.send({ confirmed: this.received });
  }

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    const rest = chunk.subarray(REQUESTS.part);
    if (this.sent - this.confirmed >= REQUESTS.window) {
      this.goOn = () => this._write(chunk, _, done);
      return;
    }
    this.send({ number: this.sent++, bytes: new Uint8Array(chunk.subarray(0, REQUESTS.part)) });
    if (rest.length > 0) this._write(rest, _, done);
    else done();
  }

  override _final(done: () => void): void {
    this.send({ number: this.sent++, end: 'whole' });
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.cancelBeats();
    this.cancelPatience();
    if (!this.writableFinished) this.send({ end: 'broken' });
    done(error);
  }

  private waitForOther(): void {
    this.cancelPatience();
    this.cancelPatience = this.clock.after(ANSWER_PATIENCE, () =>
      this.destroy(new Error('The other server does not answer.')),
    );
  }
}

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
  private readonly server = createServer({ requestTimeout: 0 }, this.options.serve);
  /** For each tunnel's id at this server: the tunnel, and the server of its other end. */
  private readonly tunnels = new Map<string, { readonly tunnel: Tunnel; other?: string }>();
  /** The tunnels through which this server answers requests. */
  private readonly answering = new Set<Duplex>();
  /** For each visitor's address, the number of forwarded requests in progress. */
  private readonly passing = new Map<string, number>();
  private subscriptions: readonly Subscription[] = [];

  private constructor(private readonly options: RequestRelayOptions) {}

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
    return this.answering.has(socket) ? `${headers[ADDRESS]}` : undefined;
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.close();
    for (const { tunnel } of [...this.tunnels.values()]) tunnel.destroy();
    this.server.close();
  }

  /**
   * Answers a request with another server's answer. Resolves when the answer has ended. If the
   * answer breaks off, the visitor's connection is closed.
   *
   * @param address the visitor's address
   * @throws RelayError before anything has been answered
   */
  async pass(
    to: RelayTarget,
    request: IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown },
    response: ServerResponse,
    address: string,
  ): Promise<void> {
    const { method, originalUrl, url = '', body } = request;
    const path = originalUrl ?? url;
    // Only the host's requests use other methods, and visitors must not block the host.
    const isLimited = method === 'GET' || method === 'HEAD';
    const ofAddress = this.passing.get(address) ?? 0;
    const all = [...this.passing.values()].reduce((sum, one) => sum + one, 0);
    if (isLimited && (all >= REQUESTS.most || ofAddress >= REQUESTS.mostEach)) {
      throw new RelayError('too-many');
    }
    // A request may name a whole URL as its path.
    if (!this.options.bus.isUp || !path.startsWith('/')) throw new RelayError('no-answer');
    this.passing.set(address, ofAddress + 1);
    const tunnel = this.connect(to, isLimited);
    response.once('close', () => tunnel.destroy());
    const headers = ASKED_HEADERS.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, value]];
    });
    try {
      const asked = {
        method,
        path,
        headers: { ...Object.fromEntries(headers), [ADDRESS]: address },
      };
      const answer = await ask(
        tunnel,
        asked,
        body === undefined ? undefined : JSON.stringify(body),
      );
      const told = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.includes(name));
      response.writeHead(answer.statusCode!, Object.fromEntries(told));
      await pipeline(answer, response);
    } catch {
      if (!response.headersSent && !response.destroyed) throw new RelayError('no-answer');
      response.destroy();
    } finally {
      tunnel.destroy();
      const left = this.passing.get(address)! - 1;
      if (left > 0) this.passing.set(address, left);
      else this.passing.delete(address);
    }
  }

  /**
   * Sends a GET request to another server and reads the JSON of its answer.
   *
   * @param time how long to wait for the answer, in ms
   * @throws Error if no server answers
   */
  async get(to: RelayTarget, path: string, time: number): Promise<unknown> {
    const tunnel = this.connect(to, true);
    const cancel = this.options.clock.after(time, () =>
      tunnel.destroy(new Error('The other server did not answer.')),
    );
    try {
      return JSON.parse(
        await textOf(await ask(tunnel, { path, headers: { [ADDRESS]: `get ${path}` } })),
      );
    } finally {
      cancel();
      tunnel.destroy();
    }
  }

  /** Opens a tunnel to another server. */
  private connect(to: RelayTarget, isLimited: boolean): Tunnel {
    const call = randomUUID();
    const tunnel = this.open(call, call + ANSWER, -REQUESTS.window);
    this.options.bus.publish(CHANNEL, encodeMessage({ id: call, from: this.node, to, isLimited }));
    return tunnel;
  }

  /** Creates an end of a tunnel. @param otherId id of the tunnel at the other server */
  private open(ownId: string, otherId: string, confirmed: number, other?: string): Tunnel {
    const tunnel = new Tunnel(this.options.clock, confirmed, (sent) => {
      const to = this.tunnels.get(ownId)?.other;
      if (to !== undefined) this.send(to, { id: otherId, ...sent });
    });
    this.tunnels.set(ownId, { tunnel, ...(other !== undefined && { other }) });
    // Whoever reads or writes the tunnel notices an error.
    return tunnel.on('error', () => {}).once('close', () => this.tunnels.delete(ownId));
  }

  private send(node: string, sent: Omit<Message, 'from'>): void {
    this.options.bus.publish(channelOf(node), encodeMessage({ from: this.node, ...sent }));
  }

  private hear(bytes: Uint8Array): void {
    const heard = decodeMessage(message, bytes);
    if (!heard) return;
    const found = this.tunnels.get(heard.id);
    if (found && (found.other ??= heard.from) === heard.from) found.tunnel.receive(heard);
    // If a second server answers, or if the answer is no longer wanted here, close the other end.
    else if (!heard.end && !heard.id.endsWith(ANSWER)) {
      this.send(heard.from, { id: heard.id + ANSWER, end: 'broken' });
    }
  }

  private answer(bytes: Uint8Array): void {
    const asked = decodeMessage(opening, bytes);
    if (!asked || !this.options.isFor(asked.to)) return;
    const tunnel = this.open(asked.id + ANSWER, asked.id, 0, asked.from);
    this.send(asked.from, { id: asked.id, confirmed: 0 });
    if (asked.isLimited && this.answering.size >= REQUESTS.most) {
      tunnel.end(BUSY);
      return;
    }
    this.answering.add(tunnel);
    tunnel.once('close', () => this.answering.delete(tunnel));
    this.server.emit('connection', tunnel);
  }
}

/** Sends a request through a tunnel. @throws Error if the tunnel breaks off before the answer */
async function ask(
  tunnel: Duplex,
  asked: {
    readonly path: string;
    readonly method?: string | undefined;
    readonly headers: OutgoingHttpHeaders;
  },
  body?: string,
): Promise<IncomingMessage> {
  // Node sets no content-length for a DELETE request, so set it here.
  const type = body !== undefined && {
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
  };
  const request = openRequest({
    createConnection: () => tunnel as never,
    ...asked,
    headers: { ...asked.headers, ...type, host: 'vivarium' },
  }).end(body);
  const answered = once(request, 'response');
  // The request may also fail after the response has begun. Ignore that here, because reading the
  // response reports it.
  request.on('error', () => {});
  const [answer] = (await answered) as [IncomingMessage];
  return answer;
}
