/**
 * Decides who may open a connection, from the HTTP request alone, and how much a connection may
 * send. Entry to rooms is decided in sessions/room-admission.ts. Start at `ConnectionLimits.admit`.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyaddr from 'proxy-addr';
import { REASONS, type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Bus } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/queues.ts';
import { AddressLimits, addressKey, SharedLimits } from './address-limits.ts';
import { Allowance, type Limits } from './allowance.ts';

/** Reasons that are not sent to the client, because it could not or would not read them. */
const SILENT = [
  /** Not a valid packet; the connection was closed. */
  'malformed',
  /** A message over `maxMessageBytes`; the connection was closed. */
  'too-large',
  /** More bytes a second than allowed; the connection was closed. */
  'too-much-data',
  /** The client did not read its messages or responses; the connection was closed. */
  'does-not-read',
  /** A silent or idle HTTP connection was closed to make room for another one. */
  'idle-connection',
  /** Too many unfinished responses on one HTTP connection; it was closed. */
  'too-many-requests',
  /** More pings, pongs and fragments a second than allowed; the connection was closed. */
  'too-many-frames',
  /**
   * A message with too many fragments, or a frame with too many pieces; the connection was closed.
   */
  'too-many-fragments',
  /** Too many HTTP requests from one address; answered with status 429. */
  'too-many-fetches',
  /** Invalid HTTP, or an invalid upgrade. */
  'bad-handshake',
  /** A request for a host that is not allowed; answered with status 421. */
  'wrong-host',
  /** The handshake took too long. */
  'slow-handshake',
  /** OSC from an address that is not allowed. */
  'wrong-sender',
] as const;

/** All reasons that are counted. */
export type RejectionReason = Reason | (typeof SILENT)[number];

/** Counts rejections since the start of the server. */
export class RejectionCounts {
  private readonly counts = Object.fromEntries(
    [...REASONS, ...SILENT].map((reason) => [reason, 0]),
  ) as Record<RejectionReason, number>;

  count(reason: RejectionReason): void {
    this.counts[reason]++;
  }

  /** Returns a copy of the counts, with an entry for every reason. */
  totals(): Readonly<Record<RejectionReason, number>> {
    return { ...this.counts };
  }
}

/** The rate limiter of one connection. */
export class ConnectionRateLimiter extends Allowance {
  /** Empty after too many rejections. */
  private readonly rejectionBudget: TokenBucket;

  /** @param address the connection's address key */
  constructor(
    readonly address: string,
    private readonly options: {
      readonly limits: Limits;
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      readonly addresses: AddressLimits;
    },
  ) {
    const { limits, clock } = options;
    super(limits, clock);
    const { refusals, burstSeconds } = limits;
    this.rejectionBudget = new TokenBucket(refusals / burstSeconds, refusals, clock.now());
  }

  /**
   * Counts a join. Call it for valid joins only, since all clients of an address share this limit.
   *
   * @throws Refusal too-many-joins
   */
  join(): void {
    const joins = this.options.addresses.join(this.address, this.clock.now());
    if (!joins) throw new Refusal('too-many-joins');
  }

  /**
   * Counts a rejection. After too many, bans the address.
   *
   * @returns whether the connection must be closed, because there were too many rejections
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
 * Returns whether a page may open a WebSocket: a page of this server, or of a listed origin.
 * Programs other than browsers send no origin and are allowed.
 */
export function isAllowedOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  others: readonly string[],
): boolean {
  if (origin === undefined || others.includes(origin)) return true;
  if (!host || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // Browsers send origins in their canonical form only.
  return /^https?:$/.test(url.protocol) && url.origin === origin && url.host === host.toLowerCase();
}

/** Admits connections and HTTP requests within the limits of their addresses. */
export class ConnectionLimits {
  private readonly addresses: AddressLimits;
  private readonly sharing: SharedLimits | undefined;

  constructor(
    private readonly options: {
      readonly limits: Limits;
      /** Origins of other pages that may connect, exactly as browsers send them. */
      readonly origins: readonly string[];
      /** Number of trusted proxies in front of the server. */
      readonly trustProxy: number;
      readonly clock: Clock;
      readonly rejections: RejectionCounts;
      /**
       * Bus to servers that share address counts, and this server's name. If absent, counts are not
       * shared.
       */
      readonly shared?: { readonly bus: Bus; readonly node: string } | undefined;
      /** Returns whether a request is for an allowed host. If absent, all hosts are allowed. */
      readonly isForUs?: ((request: IncomingMessage) => boolean) | undefined;
    },
  ) {
    const { limits, clock, shared } = options;
    this.addresses = new AddressLimits(limits, shared !== undefined);
    this.sharing = shared && new SharedLimits({ ...shared, clock, addresses: this.addresses });
  }

  /** Stops sharing counts with other servers. */
  close(): void {
    this.sharing?.close();
  }

  /** Number of open connections. */
  get open(): number {
    return this.addresses.open;
  }

  /**
   * Admits a connection, which counts as open until its TCP connection closes.
   *
   * @returns the reason for a rejection; undefined if admitted
   */
  admit(request: IncomingMessage): Reason | undefined {
    const { clock, origins, rejections } = this.options;
    const key = this.addressKeyOf(request);
    const reason = isAllowedOrigin(request.headers, origins)
      ? this.addresses.connect(key, clock.now())
      : 'wrong-origin';
    if (reason) rejections.count(reason);
    else request.socket.once('close', () => this.addresses.close(key));
    return reason;
  }

  /** Returns whether a request is for an allowed host, and counts a rejection if not. */
  readonly admitHost = (request: IncomingMessage): boolean => {
    const { isForUs, rejections } = this.options;
    const admitted = isForUs?.(request) ?? true;
    if (!admitted) rejections.count('wrong-host');
    return admitted;
  };

  /** Counts an HTTP request. @returns how long the address must wait, in ms; 0 if not at all */
  admitRequest(request: IncomingMessage): number {
    const { clock, rejections } = this.options;
    const wait = this.addresses.request(this.addressKeyOf(request), clock.now());
    if (wait > 0) rejections.count('too-many-fetches');
    return wait;
  }

  /** Creates the rate limiter of an admitted connection. */
  createRateLimiter(request: IncomingMessage): ConnectionRateLimiter {
    const { options, addresses } = this;
    return new ConnectionRateLimiter(this.addressKeyOf(request), { ...options, addresses });
  }

  /** Returns the address key of a request, from X-Forwarded-For if proxies are trusted. */
  addressKeyOf(request: IncomingMessage): string {
    const { trustProxy } = this.options;
    const address = proxyaddr(request, (_address, hop) => hop < trustProxy);
    const direct = request.socket.remoteAddress ?? '';
    return addressKey(address && isIP(address) ? address : direct);
  }
}

/** The answer to a request for a host that is not allowed. */
export const WRONG_HOST = {
  status: 421,
  text: 'This server is not known by this name. Whoever runs it can allow the name with --hosts.',
} as const;

/** `WRONG_HOST` as a raw HTTP response, for WebSockets. */
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
 * @returns the name in a Host header, as browsers write it and without port; undefined if invalid
 */
function nameIn(header = ''): string | undefined {
  const url = `http://${header}`;
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/**
 * Creates a check that a request is for an allowed host, on any port.
 *
 * @param names allowed host names, in addition to localhost
 * @param origins returns the origins of this server, which may change
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
