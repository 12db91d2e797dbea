/** What messages cost, and how much one connection may send of each kind. */
import type { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import { TokenBucket } from '../../platform/token-bucket.ts';

/** Values for all limits of DEFAULTS.limits. */
export type Limits = { readonly [K in keyof (typeof DEFAULTS)['limits']]: number };

/** The rates that are limited per connection. */
type Rate =
  | 'bytesPerSecond'
  | 'messagesPerSecond'
  | 'framesPerSecond'
  | 'cursorsPerSecond'
  | 'strokePointsPerSecond'
  | 'commandsPerSecond'
  | 'previewsPerSecond'
  | 'drawingsPerSecond'
  | 'beaconsPerSecond'
  | 'namesPerSecond'
  | 'resyncsPerSecond';

/** What a message costs, in addition to `messagesPerSecond`. */
export function costsOf(name: CommandName, message: unknown): readonly (readonly [Rate, number])[] {
  switch (name) {
    case 'damage': {
      const { points } = message as Command<'damage'>;
      return [
        ['commandsPerSecond', 1],
        ['strokePointsPerSecond', points.length / 2],
      ];
    }
    case 'plant':
    case 'cross':
    case 'keep':
      return [['commandsPerSecond', 1]];
    case 'preview':
      return [['previewsPerSecond', 1]];
    case 'draw':
      return [['drawingsPerSecond', 1]];
    case 'cursor':
    case 'look':
      return [['cursorsPerSecond', 1]];
    case 'name':
      return [['namesPerSecond', 1]];
    case 'beacon':
      return [['beaconsPerSecond', 1]];
    case 'resync':
      return [['resyncsPerSecond', 1]];
    default:
      return [];
  }
}

/** The token buckets of one connection. */
export class Allowance {
  private readonly buckets = new Map<Rate, TokenBucket>();
  /** Empty after too many rejections. */
  private readonly rejectionBudget: TokenBucket;

  /** @param now ms */
  constructor(
    private readonly limits: Limits,
    now: number,
  ) {
    const { refusals, burstSeconds } = limits;
    this.rejectionBudget = new TokenBucket(refusals / burstSeconds, refusals, now);
  }

  /** Takes an amount from a rate's bucket. @returns whether it was available */
  take(rate: Rate, amount: number, now: number): boolean {
    let bucket = this.buckets.get(rate);
    if (!bucket) {
      bucket = new TokenBucket(
        this.limits[rate],
        this.limits[rate] * this.limits.burstSeconds,
        now,
      );
      this.buckets.set(rate, bucket);
    }
    return bucket.take(amount, now);
  }

  /** Counts a rejection. @returns whether the connection may stay */
  rejected(now: number): boolean {
    return this.rejectionBudget.take(1, now);
  }
}
