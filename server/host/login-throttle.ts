/**
 * Slows down whoever tries tokens. After some wrong ones, an address waits ever longer; when many addresses together try too many,
 * every address that has been wrong waits. Who has never been wrong is let in at once: nobody can lock the host out. A browser that
 * is known (`known-devices.ts`) goes by a name of its own instead of its address.
 */
import { DEFAULTS } from '../../shared/defaults.ts';

interface Wrong {
  count: number;
  /** ms */
  until: number;
  last: number;
}

type Limits = { readonly [K in keyof (typeof DEFAULTS)['login']]: number };

export class LoginThrottle {
  private readonly wrong = new Map<string, Wrong>();
  /** When wrong tokens came of late, from anywhere. */
  private recent: number[] = [];

  constructor(private readonly limits: Limits = DEFAULTS.login) {}

  /** @returns ms that an address has to wait before its next try; 0: none */
  wait(address: string, now: number): number {
    const wrong = this.wrong.get(address);
    return wrong ? Math.max(0, wrong.until - now) : 0;
  }

  /** A wrong token came. @returns ms to wait before the next */
  fail(address: string, now: number): number {
    const { free, firstDelay, maxDelay, forget, maxAddresses, window, allFree } = this.limits;
    const known = this.wrong.get(address);
    const count = known && now - known.last < forget ? known.count + 1 : 1;
    this.recent = [...this.recent.filter((at) => at > now - window), now].slice(-(allFree + 1));
    // A crowd of addresses, each wrong a few times, is one attacker.
    const crowd = this.recent.length > allFree;
    const steps = crowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // The latest is last, so that the oldest are forgotten first.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }

  /** The right token came. */
  succeed(address: string): void {
    this.wrong.delete(address);
  }
}
