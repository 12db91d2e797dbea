/** The limits of a server, and the rates at which one sender may send each type of message. */
import type { DEFAULTS } from '../../../shared/defaults.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { TokenBucket } from '../../platform/queues.ts';

/** Values for all limits of DEFAULTS.limits. */
export type Limits = { readonly [K in keyof (typeof DEFAULTS)['limits']]: number };

/** Names of the limits per address. Each has a rate, `…PerSecond`, and a burst size, `…AtOnce`. */
export const ADDRESS_LIMITS = ['connects', 'joins', 'fetches'] as const;
export type AddressLimit = (typeof ADDRESS_LIMITS)[number];

/** The rates that are limited per sender. */
export type Rate = Exclude<keyof Limits & `${string}PerSecond`, `${AddressLimit}PerSecond`>;

/** The token buckets of one sender: a connection, an extension, or OSC. */
export class Allowance {
  private readonly buckets = new Map<Rate, TokenBucket>();

  constructor(
    protected readonly limits: Limits,
    protected readonly clock: Clock,
  ) {}

  /** Takes an amount from a rate's bucket. @returns whether it was available */
  take(rate: Rate, amount: number): boolean {
    const now = this.clock.now();
    const bucket = getOrAdd(this.buckets, rate, () => {
      const perSecond = this.limits[rate];
      return new TokenBucket(perSecond, perSecond * this.limits.burstSeconds, now);
    });
    return bucket.take(amount, now);
  }

  /** Takes an amount from a rate's bucket. @throws Refusal too-fast if it is not available */
  charge(rate: Rate, amount = 1): void {
    if (!this.take(rate, amount)) throw new Refusal('too-fast', rate);
  }
}
