/**
 * Forwards a page's request to the server that runs the requested room. The request and its answer
 * are sent as HTTP through a tunnel over the bus. Start reading at `RequestRelay.pass`.
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
  /** Interval at which each end of a tunnel sends a heartbeat to the other end, in ms. */
  beat: 2_500,
  /** Maximum number of bytes in one message of a tunnel. */
  part: 262_144,
  /** Maximum number of unconfirmed messages per direction of a tunnel. */
  window: 4,
  /**
   * Limit on the number of requests being forwarded, and separately on the number of requests being
   * answered for other servers. At the limit, the server rejects further GET and HEAD requests.
   * Only the host uses other methods, which are always accepted.
   */
  most: 64,
  /**
   * Maximum number of forwarded requests in progress from one visitor's address. If this number is
   * reached, the server forwards no further GET or HEAD requests from the address.
   */
  mostEach: 16,
} as const;

const CHANNEL = 'requests';
const channelOf = (node: string): string => `requests:${node}`;
/**
 * Request header with the visitor's address. The header is trusted only in requests that arrive
 * through a tunnel.
 */
const ADDRESS = 'x-vivarium-address';
const ASKED_HEADERS = ['accept', 'accept-encoding', 'if-none-match'] as const;
/**
 * Response headers that are not forwarded, because they describe only the connection between the
 * two servers.
 */
const OWN_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'date'];
/** The answering server's end of a tunnel has the id of the other end, with this suffix. */
const ANSWER = '/answer';
const BUSY = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n';

const id = v.pipe(v.string(), v.maxLength(64));
const target = v.union([v.strictObject({ room: id }), v.strictObject({ server: id })]);
const opening = v.strictObject({ id, from: id, to: target, isLimited: v.boolean() });
/** A message to one end of a tunnel. A message with only `id` and `from` is a heartbeat. */
const message = v.strictObject({
  /** `id`: id of the tunnel at the receiving server. `from`: id of the sending server. */
  ...{ id, from: id },
  /** Sequence number; present if the message has `bytes` or ends the stream. */
  number: v.optional(count),
  bytes: v.optional(v.custom<Uint8Array>(ArrayBuffer.isView)),
  end: v.optional(v.picklist(['whole', 'broken'])),
  /** Number of messages that the sender of this message has read so far. */
  confirmed: v.optional(count),
});
type Message = v.InferOutput<typeof message>;

/**
 * The server that should answer a request: the server that runs `room`, or the server named
 * `server`.
 */
export type RelayTarget = v.InferOutput<typeof target>;

/** Thrown if the other server did not answer, or if too many requests are in progress. */
export class RelayError extends Error {
  override readonly name = 'RelayError';

  constructor(readonly reason: 'no-answer' | 'too-many') {
    super(`The request was not forwarded to another server: ${reason}.`);
  }
}

/**
 * One end of a byte stream between two servers. The tunnel breaks if a message is lost, or if the
 * other end sends nothing for `ANSWER_PATIENCE` ms.
 */
class Tunnel extends Duplex {
  private sent = 0;
  private received = 0;
  private toldReceived = 0;
  /** Resumes a write that waits for confirmations. */
  private goOn = (): void => {};
  private cancelPatience = (): void => {};
  private readonly cancelBeats = repeat(this.clock, REQUESTS.beat, () => this.send({}));

  /**
   * @param confirmed initial number of confirmed messages: 0 to send immediately, or
   *   `-REQUESTS.window` to send nothing before the other end's first message, because the window
   *   of unconfirmed messages then counts as full
   */
  constructor(
    private readonly clock: Clock,
    private confirmed: number,
    private readonly send: (message: Omit<Message, 'id' | 'from'>) => void,
  ) {
    super();
    this.waitForOther();
  }

  receive({ number, bytes, end, confirmed }: Message): void {
    this.waitForOther();
    if (end === 'broken' || (number !== undefined && number !== this.received)) {
      this.destroy(new Error('The connection to the server that should answer was lost.'));
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
      this.destroy(new Error('The server that should answer does not respond.')),
    );
  }
}

export interface RequestRelayOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Whether this server answers requests for a target. */
  readonly isFor: (to: RelayTarget) => boolean;
  /**
   * Handles requests that other servers forward. The forwarding server has already authorised them.
   */
  readonly serve: RequestListener;
}

/**
 * Forwards requests of this server's visitors over the bus, and answers requests of other servers.
 */
export class RequestRelay {
  private readonly node = randomUUID();
  private readonly server = createServer({ requestTimeout: 0 }, this.options.serve);
  /**
   * Open tunnels, by the id of the end at this server. `other` is the server at the other end;
   * absent until that server has sent a message.
   */
  private readonly tunnels = new Map<string, { readonly tunnel: Tunnel; other?: string }>();
  /** Tunnels through which this server answers requests of other servers. */
  private readonly answering = new Set<Duplex>();
  /** Number of forwarded requests in progress, by visitor's address. */
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
   * Returns the visitor's address for a request that another server has forwarded; undefined for
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
   * Forwards a request to another server, and sends the answer to the visitor. Resolves when the
   * answer has ended. If the answer breaks off, closes the visitor's connection.
   *
   * @param to the server that should answer
   * @param address the visitor's address
   * @throws RelayError if the other server does not answer, or if too many requests are in
   *   progress. In both cases, nothing has been sent to the visitor
   */
  async pass(
    to: RelayTarget,
    request: IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown },
    response: ServerResponse,
    address: string,
  ): Promise<void> {
    const { method, originalUrl, url = '', body } = request;
    const path = originalUrl ?? url;
    // Limit only GET and HEAD requests. Only the host uses other methods, and visitors must not be
    // able to block the host.
    const isLimited = method === 'GET' || method === 'HEAD';
    const ofAddress = this.passing.get(address) ?? 0;
    const all = [...this.passing.values()].reduce((sum, one) => sum + one, 0);
    if (isLimited && (all >= REQUESTS.most || ofAddress >= REQUESTS.mostEach)) {
      throw new RelayError('too-many');
    }
    // Do not forward proxy requests, whose target is a whole URL instead of a path.
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
      const text = body === undefined ? undefined : JSON.stringify(body);
      const answer = await ask(tunnel, asked, text);
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
   * Sends a GET request to another server and parses the answer as JSON.
   *
   * @param to the server that should answer
   * @param time how long to wait for the answer, in ms
   * @throws Error if the other server does not answer
   */
  async get(to: RelayTarget, path: string, time: number): Promise<unknown> {
    const tunnel = this.connect(to, true);
    const cancel = this.options.clock.after(time, () =>
      tunnel.destroy(new Error('The server that should answer did not respond.')),
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

  private connect(to: RelayTarget, isLimited: boolean): Tunnel {
    const call = randomUUID();
    const tunnel = this.open(call, call + ANSWER, -REQUESTS.window);
    this.options.bus.publish(CHANNEL, encodeMessage({ id: call, from: this.node, to, isLimited }));
    return tunnel;
  }

  /** Creates this server's end of a tunnel. @param otherId id of the tunnel at the other server */
  private open(ownId: string, otherId: string, confirmed: number, other?: string): Tunnel {
    const tunnel = new Tunnel(this.options.clock, confirmed, (sent) => {
      const to = this.tunnels.get(ownId)?.other;
      if (to !== undefined) this.send(to, { id: otherId, ...sent });
    });
    this.tunnels.set(ownId, { tunnel, ...(other !== undefined && { other }) });
    // Ignore errors here: the code that reads or writes the tunnel handles them.
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
    // No open tunnel leads to the sender: this server has closed the tunnel, or another server has
    // answered the request first. Tell the sender to close its end.
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

/**
 * Sends a request through a tunnel and waits for the response headers.
 *
 * @throws Error if the tunnel breaks before the response
 */
async function ask(
  tunnel: Duplex,
  asked: {
    readonly path: string;
    readonly method?: string | undefined;
    readonly headers: OutgoingHttpHeaders;
  },
  body?: string,
): Promise<IncomingMessage> {
  // Set content-length explicitly, because Node does not set it for a DELETE request.
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
  // Ignore errors after the response has begun. The code that reads the response handles them.
  request.on('error', () => {});
  const [answer] = (await answered) as [IncomingMessage];
  return answer;
}
