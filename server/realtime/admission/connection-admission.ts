/** The door: who may open a connection, before anything of it is read beyond its request. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyaddr from 'proxy-addr';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { AddressLimits, addressKey } from './address-limits.ts';
import type { Limits } from './command-costs.ts';
import { ConnectionRateLimiter } from './connection-rate-limiter.ts';
import type { RejectionCounts } from './rejection-counts.ts';

export interface ConnectionAdmissionOptions {
  readonly limits: Limits;
  /** Origins of other pages that may come in, exactly as browsers write them. */
  readonly origins: readonly string[];
  /** How many proxies stand in front; their word for an address is taken. */
  readonly trustProxy: number;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
}

/** A browser names the page that opens a socket: ours, or one of the list, to the letter. Programs name none. */
export function isAllowedOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  others: readonly string[],
): boolean {
  if (origin === undefined || others.includes(origin)) return true;
  if (!host || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // An origin is written in one way only; what is written otherwise comes from no browser.
  return /^https?:$/.test(url.protocol) && url.origin === origin && url.host === host.toLowerCase();
}

export class ConnectionAdmission {
  private readonly addresses: AddressLimits;

  constructor(private readonly options: ConnectionAdmissionOptions) {
    this.addresses = new AddressLimits(options.limits);
  }

  /** Connections that are open. */
  get open(): number {
    return this.addresses.open;
  }

  /**
   * A request to open a connection.
   *
   * @returns why not, or undefined: then it counts as open until its TCP connection closes
   */
  admit(request: IncomingMessage): Reason | undefined {
    const { clock, origins, rejections: refusals } = this.options;
    const key = this.addressKeyOf(request);
    const reason = isAllowedOrigin(request.headers, origins)
      ? this.addresses.connect(key, clock.now())
      : 'wrong-origin';
    if (reason) refusals.count(reason);
    else request.socket.once('close', () => this.addresses.close(key));
    return reason;
  }

  /** A request for a page or a picture. @returns 0, or how long its address should wait, ms */
  admitRequest(request: IncomingMessage): number {
    const { clock, rejections: refusals } = this.options;
    const wait = this.addresses.request(this.addressKeyOf(request), clock.now());
    if (wait > 0) refusals.count('too-many-fetches');
    return wait;
  }

  /** What watches over a connection that was let in. */
  createRateLimiter(request: IncomingMessage): ConnectionRateLimiter {
    const { limits, clock, rejections: refusals } = this.options;
    return new ConnectionRateLimiter({
      key: this.addressKeyOf(request),
      limits,
      clock,
      rejections: refusals,
      addresses: this.addresses,
    });
  }

  /** What the address of a request is called: its visitor's, where proxies are trusted. */
  addressKeyOf(request: IncomingMessage): string {
    const { trustProxy } = this.options;
    const address = proxyaddr(request, (_address, hop) => hop < trustProxy);
    const direct = request.socket.remoteAddress ?? '';
    return addressKey(address && isIP(address) ? address : direct);
  }
}
