/** Limits what one connection may send, and decides when too many rejections end it. */
import type { CommandName } from '../../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import type { AddressLimits } from './address-limits.ts';
import { Allowance, costsOf, type Limits } from './command-costs.ts';
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
export class ConnectionRateLimiter {
  readonly rejections: RejectionCounts;
  private readonly allowance: Allowance;

  constructor(private readonly options: ConnectionRateLimiterOptions) {
    this.rejections = options.rejections;
    this.allowance = new Allowance(options.limits, options.clock.now());
  }

  /** The connection's address key. */
  get address(): string {
    return this.options.key;
  }

  /** Counts received bytes. @returns whether the connection may stay */
  bytes(count: number): boolean {
    return this.allowance.take('bytesPerSecond', count, this.options.clock.now());
  }

  /**
   * Counts WebSocket frames other than whole messages.
   *
   * @returns whether the connection may stay
   */
  frames(count: number): boolean {
    return this.allowance.take('framesPerSecond', count, this.options.clock.now());
  }

  /**
   * Counts a message before it is parsed.
   *
   * @throws Refusal too-fast
   */
  message(): void {
    this.take('messagesPerSecond', 1);
  }

  /**
   * Charges a parsed message by its kind.
   *
   * @throws Refusal too-fast
   */
  command(name: CommandName, message: unknown): void {
    for (const [rate, amount] of costsOf(name, message)) this.take(rate, amount);
  }

  /**
   * Counts a join. Call it for valid joins only, since all clients of an address share this limit.
   *
   * @throws Refusal too-many-joins
   */
  join(): void {
    const { addresses, key, clock } = this.options;
    if (!addresses.join(key, clock.now())) throw new Refusal('too-many-joins');
  }

  /**
   * Counts a rejection.
   *
   * @returns whether there were too many, so that the connection must be closed
   */
  rejected(reason: Reason): boolean {
    const { clock, addresses, key } = this.options;
    this.rejections.count(reason);
    if (this.allowance.rejected(clock.now())) return false;
    this.rejections.count('abuse');
    addresses.ban(key, clock.now());
    return true;
  }

  private take(rate: Parameters<Allowance['take']>[0], amount: number): void {
    if (!this.allowance.take(rate, amount, this.options.clock.now())) {
      throw new Refusal('too-fast', rate);
    }
  }
}
