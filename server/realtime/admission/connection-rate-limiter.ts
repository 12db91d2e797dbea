/** Limits what one connection may send, and decides when too many rejections end it. */
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { TokenBucket } from '../../platform/token-bucket.ts';
import type { AddressLimits } from './address-limits.ts';
import { Allowance, type Limits } from './command-costs.ts';
import type { RejectionCounts } from './rejection-counts.ts';

export interface ConnectionRateLimiterOptions {
  /** The connection's address key. */
  readonly key: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
  readonly addresses: AddressLimits;
}

/** The rate limiter of one connection. */
export class ConnectionRateLimiter extends Allowance {
  /** The connection's address key. */
  readonly address: string;
  /** Empty after too many rejections. */
  private readonly rejectionBudget: TokenBucket;

  constructor(private readonly options: ConnectionRateLimiterOptions) {
    const { key, limits, clock } = options;
    super(limits, clock);
    this.address = key;
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
   * Counts a rejection.
   *
   * @returns whether there were too many, so that the connection must be closed
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
