/** Watches over one connection: what it may still send, what was refused, and when it has to go. */
import type { CommandName } from '../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { Clock } from '../platform/clock.ts';
import type { AddressBook } from './addresses.ts';
import { Allowance, costsOf, type Limits } from './limits.ts';
import type { Refusals } from './refusals.ts';

export interface GuardOptions {
  /** What its address is called in the book. */
  readonly key: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly refusals: Refusals;
  readonly book: AddressBook;
}

export class Guard {
  readonly refusals: Refusals;
  private readonly allowance: Allowance;

  constructor(private readonly options: GuardOptions) {
    this.refusals = options.refusals;
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
    const { book, key, clock } = this.options;
    if (!book.join(key, clock.now())) throw new Refusal('too-many-joins');
  }

  /**
   * Something was refused.
   *
   * @returns whether that was too much: the connection must be ended
   */
  refused(reason: Reason): boolean {
    const { clock, book, key } = this.options;
    this.refusals.count(reason);
    if (this.allowance.refused(clock.now())) return false;
    this.refusals.count('abuse');
    book.ban(key, clock.now());
    return true;
  }

  private take(rate: Parameters<Allowance['take']>[0], amount: number): void {
    if (!this.allowance.take(rate, amount, this.options.clock.now())) {
      throw new Refusal('too-fast', rate);
    }
  }
}
