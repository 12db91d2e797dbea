/** Watches over one connection: what it may still send, what was refused, and when it has to go. */
import type { CommandName } from '../../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import type { AddressLimits } from './address-limits.ts';
import { Allowance, costsOf, type Limits } from './command-costs.ts';
import type { RejectionCounts } from './rejection-counts.ts';

export interface ConnectionRateLimiterOptions {
  /** What its address is called in the book. */
  readonly key: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly rejections: RejectionCounts;
  readonly addresses: AddressLimits;
}

export class ConnectionRateLimiter {
  readonly rejections: RejectionCounts;
  private readonly allowance: Allowance;

  constructor(private readonly options: ConnectionRateLimiterOptions) {
    this.rejections = options.rejections;
    this.allowance = new Allowance(options.limits, options.clock.now());
  }

  /** What the address that it comes from is called. */
  get address(): string {
    return this.options.key;
  }

  /** Bytes have come in. @returns whether the connection may go on */
  bytes(count: number): boolean {
    return this.allowance.take('bytesPerSecond', count, this.options.clock.now());
  }

  /** WebSocket frames have come in that are no message of their own. @returns whether the connection may go on */
  frames(count: number): boolean {
    return this.allowance.take('framesPerSecond', count, this.options.clock.now());
  }

  /**
   * A message has come in, whatever it is.
   *
   * @throws Refusal too-fast
   */
  message(): void {
    this.take('messagesPerSecond', 1);
  }

  /**
   * A message has been read.
   *
   * @throws Refusal too-fast
   */
  command(name: CommandName, message: unknown): void {
    for (const [rate, amount] of costsOf(name, message)) this.take(rate, amount);
  }

  /**
   * It comes into a room, where it is in none yet: what its address may do is not used up by less.
   *
   * @throws Refusal too-many-joins
   */
  join(): void {
    const { addresses: book, key, clock } = this.options;
    if (!book.join(key, clock.now())) throw new Refusal('too-many-joins');
  }

  /**
   * Something was refused.
   *
   * @returns whether that was too much: the connection must be ended
   */
  rejected(reason: Reason): boolean {
    const { clock, addresses: book, key } = this.options;
    this.rejections.count(reason);
    if (this.allowance.rejected(clock.now())) return false;
    this.rejections.count('abuse');
    book.ban(key, clock.now());
    return true;
  }

  private take(rate: Parameters<Allowance['take']>[0], amount: number): void {
    if (!this.allowance.take(rate, amount, this.options.clock.now())) {
      throw new Refusal('too-fast', rate);
    }
  }
}
