/** Decides from the HTTP request alone who may open a connection. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyaddr from 'proxy-addr';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { AddressLimits, addressKey } from './address-limits.ts';
import type { Limits } from './command-costs.ts';
import { ConnectionRateLimiter } from './connection-rate-limiter.ts';
import type { RejectionCounts } from './rejection-counts.ts';
import { SharedLimits } from './shared-limits.ts';

export interface ConnectionAdmissionOptions {
  readonly limits: Limits;
  /** Origins of other pages that may connect, exactly as browsers send them. */
  readonly origins: readonly string[];
  /** Number of trusted proxies in front of the server. */
  readonly trustProxy: number;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
  /** The bus to servers that count addresses together, and this one's name; absent: it counts alone. */
  readonly shared?: { readonly bus: Bus; readonly node: string } | undefined;
  /** Whether a request is for a host that is allowed; without it, all are. */
  readonly isForUs?: ((request: IncomingMessage) => boolean) | undefined;
}

/**
 * Whether a page may open a WebSocket: our own page, or one of a list. Programs other than
 * browsers send no origin and are allowed.
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
export class ConnectionAdmission {
  private readonly addresses: AddressLimits;
  private readonly sharing: SharedLimits | undefined;

  constructor(private readonly options: ConnectionAdmissionOptions) {
    const { limits, clock, shared } = options;
    this.addresses = new AddressLimits(limits, shared !== undefined);
    this.sharing = shared && new SharedLimits({ ...shared, clock, addresses: this.addresses });
  }

  /** Ends what is shared with other servers. */
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

  /** Whether a request is for a host that is allowed. */
  readonly admitHost = (request: IncomingMessage): boolean => {
    const { isForUs, rejections } = this.options;
    const admitted = isForUs?.(request) ?? true;
    if (!admitted) rejections.count('wrong-host');
    return admitted;
  };

  /** Counts an HTTP request. @returns how long the address must wait, ms; 0: not at all */
  admitRequest(request: IncomingMessage): number {
    const { clock, rejections } = this.options;
    const wait = this.addresses.request(this.addressKeyOf(request), clock.now());
    if (wait > 0) rejections.count('too-many-fetches');
    return wait;
  }

  /** Creates the rate limiter of an admitted connection. */
  createRateLimiter(request: IncomingMessage): ConnectionRateLimiter {
    const { limits, clock, rejections } = this.options;
    return new ConnectionRateLimiter({
      key: this.addressKeyOf(request),
      limits,
      clock,
      rejections,
      addresses: this.addresses,
    });
  }

  /** The address key of a request, taken from X-Forwarded-For as far as proxies are trusted. */
  addressKeyOf(request: IncomingMessage): string {
    const { trustProxy } = this.options;
    const address = proxyaddr(request, (_address, hop) => hop < trustProxy);
    const direct = request.socket.remoteAddress ?? '';
    return addressKey(address && isIP(address) ? address : direct);
  }
}
