/** What one connection may send: each kind of thing has its own bucket, counted in points and bytes, not in packets. */
import type { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import { TokenBucket } from '../../platform/token-bucket.ts';

export type Limits = { readonly [K in keyof (typeof DEFAULTS)['limits']]: number };

/** The limits that are counted for each connection. */
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

/** What a message takes, beside being a message. */
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

export class Allowance {
  private readonly buckets = new Map<Rate, TokenBucket>();
  /** Empty when too much had to be refused. */
  private readonly rejectionBudget: TokenBucket;

  /** @param now ms */
  constructor(
    private readonly limits: Limits,
    now: number,
  ) {
    const { refusals, burstSeconds } = limits;
    this.rejectionBudget = new TokenBucket(refusals / burstSeconds, refusals, now);
  }

  /** @returns whether it may be sent */
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

  /** Something was refused. @returns whether that is still to be borne */
  rejected(now: number): boolean {
    return this.rejectionBudget.take(1, now);
  }
}
