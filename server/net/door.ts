/** The door: who may open a connection, before anything of it is read beyond its request. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyaddr from 'proxy-addr';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { Clock } from '../platform/clock.ts';
import { AddressBook, addressKey } from './addresses.ts';
import { Guard } from './guard.ts';
import type { Limits } from './limits.ts';
import type { Refusals } from './refusals.ts';

export interface DoorOptions {
  readonly limits: Limits;
  /** Origins of other pages that may come in, exactly as browsers write them. */
  readonly origins: readonly string[];
  /** How many proxies stand in front; their word for an address is taken. */
  readonly trustProxy: number;
  readonly clock: Clock;
  readonly refusals: Refusals;
}

/** A browser names the page that opens a socket: ours, or one of the list, to the letter. Programs name none. */
export function isWelcomeOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  others: readonly string[],
): boolean {
  if (origin === undefined || others.includes(origin)) return true;
  if (!host || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // An origin is written in one way only; what is written otherwise comes from no browser.
  return /^https?:$/.test(url.protocol) && url.origin === origin && url.host === host.toLowerCase();
}

export class Door {
  private readonly book: AddressBook;

  constructor(private readonly options: DoorOptions) {
    this.book = new AddressBook(options.limits);
  }

  /** Connections that are open. */
  get open(): number {
    return this.book.open;
  }

  /**
   * A request to open a connection.
   *
   * @returns why not, or undefined: then it counts as open until its TCP connection closes
   */
  admit(request: IncomingMessage): Reason | undefined {
    const { clock, origins, refusals } = this.options;
    const key = this.keyOf(request);
    const reason = isWelcomeOrigin(request.headers, origins)
      ? this.book.connect(key, clock.now())
      : 'wrong-origin';
    if (reason) refusals.count(reason);
    else request.socket.once('close', () => this.book.close(key));
    return reason;
  }

  /** A request for a page or a picture. @returns 0, or how long its address should wait, ms */
  fetch(request: IncomingMessage): number {
    const { clock, refusals } = this.options;
    const wait = this.book.fetch(this.keyOf(request), clock.now());
    if (wait > 0) refusals.count('too-many-fetches');
    return wait;
  }

  /** What watches over a connection that was let in. */
  guard(request: IncomingMessage): Guard {
    const { limits, clock, refusals } = this.options;
    return new Guard({ key: this.keyOf(request), limits, clock, refusals, book: this.book });
  }

  /** What the address of a request is called: its visitor's, where proxies are trusted. */
  keyOf(request: IncomingMessage): string {
    const { trustProxy } = this.options;
    const address = proxyaddr(request, (_address, hop) => hop < trustProxy);
    const direct = request.socket.remoteAddress ?? '';
    return addressKey(address && isIP(address) ? address : direct);
  }
}
