/**
 * Slows down those who try wrong host tokens. After some of them, an address waits increasingly
 * long; if many addresses fail too often together, each address that has failed waits. The right
 * token is taken at any time.
 */
import { DEFAULTS } from '../../shared/defaults.ts';

interface Wrong {
  count: number;
  /** ms */
  until: number;
  last: number;
}

type Limits = { readonly [K in keyof (typeof DEFAULTS)['login']]: number };

/** Counts wrong tokens by address. */
export class LoginThrottle {
  private readonly wrong = new Map<string, Wrong>();
  /** Times of recent wrong tokens from all addresses, ms. */
  private recent: number[] = [];
  /** Called when a token has been tried here. */
  onTry: (address: string, isRight: boolean) => void = () => {};

  constructor(private readonly limits: Limits = DEFAULTS.login) {}

  /** Time that an address has to wait before its next attempt, ms; 0: none. */
  wait(address: string, now: number): number {
    const wrong = this.wrong.get(address);
    return wrong ? Math.max(0, wrong.until - now) : 0;
  }

  /** Counts a wrong token. @returns time to wait before the next attempt, ms */
  fail(address: string, now: number): number {
    this.onTry(address, false);
    return this.count(address, now);
  }

  /** Clears an address after a correct token. */
  succeed(address: string): void {
    this.onTry(address, true);
    this.wrong.delete(address);
  }

  /** Counts what has been tried at another server. */
  hear(address: string, isRight: boolean, now: number): void {
    if (isRight) this.wrong.delete(address);
    else this.count(address, now);
  }

  private count(address: string, now: number): number {
    const { free, firstDelay, maxDelay, forget, maxAddresses, window, allFree } = this.limits;
    const known = this.wrong.get(address);
    const count = known && now - known.last < forget ? known.count + 1 : 1;
    this.recent = [...this.recent.filter((at) => at > now - window), now].slice(-(allFree + 1));
    // Many addresses that each fail a few times count as one attacker.
    const crowd = this.recent.length > allFree;
    const steps = crowd ? Math.max(count, free) : count - free;
    const delay = steps < 0 ? 0 : Math.min(maxDelay, firstDelay * 2 ** steps);
    // Reinsert at the end of the map, so that the oldest address is removed first.
    this.wrong.delete(address);
    this.wrong.set(address, { count, until: now + delay, last: now });
    if (this.wrong.size > maxAddresses) this.wrong.delete(this.wrong.keys().next().value!);
    return delay;
  }
}
