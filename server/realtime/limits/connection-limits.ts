/**
 * Decides from the HTTP request whether a connection may be opened, and limits how much may be sent
 * over the connection. Start reading at `ConnectionLimits.admit`.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyaddr from 'proxy-addr';
import { REASONS, type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Bus } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd, type NumberTable, numbersOf } from '../../platform/collections.ts';
import { TokenBucket } from '../../platform/queues.ts';
import { ADDRESS_LIMITS, AddressLimits, addressKey, SharedLimits } from './address-limits.ts';

/**
 * Default limits per connection, each with its help text. A single message may be long, so bytes
 * and points of strokes have limits of their own.
 */
const CONNECTION_LIMITS = {
  bytesPerSecond: [
    65_536,
    'maximum number of bytes that the server receives per second on a connection',
    1,
  ],
  messagesPerSecond: [200, 'maximum number of messages per second on a connection', 1],
  framesPerSecond: [
    20,
    'maximum number of WebSocket pings, pongs and fragments of messages per second on a connection',
    1,
  ],
  outstandingResponses: [
    8,
    'maximum number of unfinished HTTP responses per connection; a connection that exceeds this number is closed',
    1,
  ],
  unreadBytes: [
    1_048_576,
    'maximum number of bytes that may wait for a client to read them; if more bytes wait, the client is disconnected',
    1,
  ],
  cursorsPerSecond: [
    30,
    'maximum number of status messages per second on a connection; a status message reports where the visitor points, which part of the room the visitor sees, or that the visitor is busy',
  ],
  strokePointsPerSecond: [1_000, 'maximum number of stroke points per second on a connection'],
  commandsPerSecond: [
    40,
    'maximum number of commands per second on a connection: plant, damage, graft, remove grafts, cross, transform (turn an organism into another creature), make a keepsake, renew (save a dissolving organism), follow a visitor',
  ],
  previewsPerSecond: [
    4,
    'maximum number of seed previews per second on a connection; the same limit applies to OSC messages that pause or resume a room',
  ],
  drawingsPerSecond: [
    0.5,
    'maximum number of drawings per second that a visitor may turn into seeds over one connection',
  ],
  beaconsPerSecond: [
    0.5,
    'maximum number of organisms per second that a visitor may highlight for everybody over one connection',
  ],
  reportsPerSecond: [
    0.5,
    'maximum number of organisms per second that a visitor may report to the host over one connection',
  ],
  namesPerSecond: [
    0.5,
    'maximum number of name changes per second on a connection; the same limit applies to rings (circles of tools) that people open at a touch table',
  ],
  resyncsPerSecond: [
    1,
    'maximum number of requests for a complete picture of the room per second on a connection',
  ],
  burstSeconds: [
    10,
    'length of a burst in seconds: after a pause (for example a network stall), a connection may immediately send as much as each rate allows in this number of seconds',
    1,
  ],
  refusals: [
    400,
    'a connection is closed after this number of rejected messages within `burstSeconds`',
  ],
  handshakeSeconds: [
    10,
    'maximum time for each step of connecting (HTTP request, WebSocket upgrade, greeting), in seconds',
    1,
  ],
} as const satisfies NumberTable;

/** Maximum size of an inbound message, in bytes. */
export const MAX_MESSAGE_BYTES = 16_384;

export const LIMITS = { ...ADDRESS_LIMITS, ...CONNECTION_LIMITS };
export const DEFAULT_LIMITS = numbersOf(LIMITS);
export type Limits = typeof DEFAULT_LIMITS;

/** Name of a rate that is limited for each sender. */
export type Rate = keyof typeof CONNECTION_LIMITS & `${string}PerSecond`;

/**
 * Limits the rates of one sender: a connection, a ring (person at a touch table), an extension or
 * OSC.
 */
export class Allowance {
  private readonly buckets = new Map<Rate, TokenBucket>();

  constructor(
    protected readonly limits: Limits,
    protected readonly clock: Clock,
  ) {}

  /** Takes an amount from the token bucket of a rate. @returns false if the bucket holds less */
  take(rate: Rate, amount: number): boolean {
    const now = this.clock.now();
    const bucket = getOrAdd(this.buckets, rate, () => {
      const perSecond = this.limits[rate];
      return new TokenBucket(perSecond, perSecond * this.limits.burstSeconds, now);
    });
    return bucket.take(amount, now);
  }

  /**
   * Takes an amount from the token bucket of a rate.
   *
   * @throws Refusal `too-fast` if the bucket holds less
   */
  charge(rate: Rate, amount = 1): void {
    if (!this.take(rate, amount)) throw new Refusal('too-fast', rate);
  }
}

/** Reasons for rejections that are counted, but not sent to the client. */
const SILENT = [
  /** Received data was not a valid packet, so the connection was closed. */
  'malformed',
  /** A message was longer than `MAX_MESSAGE_BYTES`, so its connection was closed. */
  'too-large',
  /** A client sent more bytes per second than allowed, so its connection was closed. */
  'too-much-data',
  /** A client did not read messages or responses sent to it, so its connection was closed. */
  'does-not-read',
  /** An HTTP connection without a request in progress was closed in favour of a new connection. */
  'idle-connection',
  /** One HTTP connection had too many unfinished responses, so it was closed. */
  'too-many-requests',
  /** A client sent too many pings, pongs and fragments per second, so its connection was closed. */
  'too-many-frames',
  /** A message or a frame arrived in too many pieces, so the connection was closed. */
  'too-many-fragments',
  /**
   * Too many HTTP requests came from one network address. Excess requests are answered with status
   * 429.
   */
  'too-many-fetches',
  /** A request was not valid HTTP, or asked for an invalid upgrade. */
  'bad-handshake',
  /** The Host header of a request named a host that is not allowed. The answer has status 421. */
  'wrong-host',
  'slow-handshake',
  /** An OSC datagram came from a network address that is not allowed. */
  'wrong-sender',
] as const;

/** Reason for a rejection, whether or not the client is informed. */
export type RejectionReason = Reason | (typeof SILENT)[number];

/** Counts the rejections for each reason since the server started. */
export class RejectionCounts {
  private readonly counts = Object.fromEntries(
    [...REASONS, ...SILENT].map((reason) => [reason, 0]),
  ) as Record<RejectionReason, number>;

  count(reason: RejectionReason): void {
    this.counts[reason]++;
  }

  totals(): Readonly<Record<RejectionReason, number>> {
    return { ...this.counts };
  }
}

/** Limits the rates of one connection, and the number of its messages that are rejected. */
export class ConnectionRateLimiter extends Allowance {
  /**
   * Token bucket of rejected messages. If the bucket is empty, the next rejection closes the
   * connection.
   */
  private readonly rejectionBudget = new TokenBucket(
    this.limits.refusals / this.limits.burstSeconds,
    this.limits.refusals,
    this.clock.now(),
  );

  /** @param address the connection's address key (see `addressKey`) */
  constructor(
    readonly address: string,
    private readonly options: {
      readonly limits: Limits;
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      readonly addresses: AddressLimits;
    },
    /**
     * Whether the page may only watch. True for pages of other sites in which the room is embedded.
     */
    readonly onlyWatches = false,
  ) {
    super(options.limits, options.clock);
  }

  /** Creates a separate allowance with the same limits, for a ring (person at a touch table). */
  another(): Allowance {
    return new Allowance(this.limits, this.clock);
  }

  /**
   * Counts a valid request to join against the limit that all clients with the same network address
   * share.
   *
   * @throws Refusal `too-many-joins`
   */
  join(): void {
    const joins = this.options.addresses.join(this.address, this.clock.now());
    if (!joins) throw new Refusal('too-many-joins');
  }

  /**
   * Counts a rejected message. If the connection has caused too many rejections, bans its network
   * address.
   *
   * @returns whether the connection must be closed because of too many rejections
   */
  rejected(reason: Reason): boolean {
    const { addresses, rejections } = this.options;
    const now = this.clock.now();
    rejections.count(reason);
    if (this.rejectionBudget.take(1, now)) return false;
    rejections.count('abuse');
    addresses.ban(this.address, now);
    return true;
  }
}

/**
 * Returns whether a page of a given origin may open a WebSocket. The page must come from this
 * server or from a listed origin. A request without an origin is allowed, because it does not come
 * from a browser.
 *
 * @param others the listed origins
 */
export function isAllowedOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  others: readonly string[],
): boolean {
  if (origin === undefined || others.includes(origin)) return true;
  if (!host || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // Reject non-canonical forms: browsers always send an origin in its canonical form.
  return /^https?:$/.test(url.protocol) && url.origin === origin && url.host === host.toLowerCase();
}

/**
 * Admits or rejects connections and HTTP requests, according to the limits of their network
 * addresses.
 */
export class ConnectionLimits {
  private readonly addresses = new AddressLimits(this.options.limits, !!this.options.shared);
  private readonly sharing =
    this.options.shared &&
    new SharedLimits({ ...this.options, ...this.options.shared, addresses: this.addresses });

  constructor(
    private readonly options: {
      readonly limits: Limits;
      /** Other origins whose pages may connect, exactly as browsers send them. */
      readonly origins: readonly string[];
      /** Other origins whose pages may connect but only watch. */
      readonly embed?: readonly string[];
      /** Number of trusted proxies in front of the server. */
      readonly trustProxy: number;
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      /**
       * Bus for sharing counts per network address with the other servers of a cluster, and this
       * server's name in the cluster. If absent, counts are not shared.
       */
      readonly shared?: { readonly bus: Bus; readonly node: string } | undefined;
      /**
       * Returns whether the Host header of a request is allowed. If absent, all Host headers are
       * allowed.
       */
      readonly isForUs?: ((request: IncomingMessage) => boolean) | undefined;
    },
  ) {}

  close(): void {
    this.sharing?.close();
  }

  /** Total number of open connections to this server. */
  get open(): number {
    return this.addresses.open;
  }

  /**
   * Decides whether to admit a new connection. An admitted connection counts as open until its TCP
   * connection is closed.
   *
   * @returns why the connection is rejected; undefined if it is admitted
   */
  admit(request: IncomingMessage): Reason | undefined {
    const { clock, origins, embed = [], rejections } = this.options;
    const key = this.addressKeyOf(request);
    const reason = isAllowedOrigin(request.headers, [...origins, ...embed])
      ? this.addresses.connect(key, clock.now())
      : 'wrong-origin';
    if (reason) rejections.count(reason);
    else request.socket.once('close', () => this.addresses.close(key));
    return reason;
  }

  /** Returns whether the Host header of a request is allowed. If not, counts a rejection. */
  readonly admitHost = (request: IncomingMessage): boolean => {
    const { isForUs, rejections } = this.options;
    const admitted = isForUs?.(request) ?? true;
    if (!admitted) rejections.count('wrong-host');
    return admitted;
  };

  /**
   * Counts an HTTP request.
   *
   * @returns how long to wait before the request is allowed, in ms; 0 if it is allowed now
   */
  admitRequest(request: IncomingMessage): number {
    const { clock, rejections } = this.options;
    const wait = this.addresses.request(this.addressKeyOf(request), clock.now());
    if (wait > 0) rejections.count('too-many-fetches');
    return wait;
  }

  createRateLimiter(request: IncomingMessage): ConnectionRateLimiter {
    const { options, addresses } = this;
    const onlyWatches = !isAllowedOrigin(request.headers, options.origins);
    const address = this.addressKeyOf(request);
    return new ConnectionRateLimiter(address, { ...options, addresses }, onlyWatches);
  }

  /**
   * Returns the key (see `addressKey`) of the address that sent a request. Behind trusted proxies,
   * reads the address from the header X-Forwarded-For.
   */
  addressKeyOf(request: IncomingMessage): string {
    const { trustProxy } = this.options;
    const address = proxyaddr(request, (_address, hop) => hop < trustProxy);
    const direct = request.socket.remoteAddress ?? '';
    return addressKey(address && isIP(address) ? address : direct);
  }
}

/** Response to a request whose Host header is not allowed. */
export const WRONG_HOST = {
  status: 421,
  text: 'This server does not accept this host name. The person who runs the server can allow the name with --hosts.',
} as const;

/** `WRONG_HOST` as a raw HTTP response, sent instead of a WebSocket upgrade. */
export const WRONG_HOST_RESPONSE = [
  `HTTP/1.1 ${WRONG_HOST.status} Misdirected Request`,
  'Connection: close',
  'Content-Type: text/plain',
  `Content-Length: ${WRONG_HOST.text.length}`,
  '',
  WRONG_HOST.text,
].join('\r\n');

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Returns the host name in a Host header, without the port, in the form in which browsers write
 * host names.
 *
 * @returns undefined if the header is invalid
 */
function nameIn(header = ''): string | undefined {
  const url = `http://${header}`;
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/**
 * Creates a function that returns whether the host name in a request's Host header is allowed. The
 * port does not matter.
 *
 * @param names host names that are allowed in addition to localhost
 * @param origins returns this server's current origins, whose hosts are also allowed
 */
export function hostCheck(
  names: readonly string[],
  origins: () => readonly string[],
): (request: IncomingMessage) => boolean {
  const allowed = new Set([...LOCAL, ...names.map(nameIn)]);
  return ({ headers }) => {
    const name = nameIn(headers.host);
    if (name === undefined) return false;
    return allowed.has(name) || origins().some((origin) => new URL(origin).hostname === name);
  };
}
