/** What messages cost, and how much one sender may send of each kind. */
import type { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { TokenBucket } from '../../platform/queues.ts';

/** Values for all limits of DEFAULTS.limits. */
export type Limits = { readonly [K in keyof (typeof DEFAULTS)['limits']]: number };

/** What is limited per address: each has a rate, `…PerSecond`, and a burst, `…AtOnce`. */
export const ADDRESS_LIMITS = ['connects', 'joins', 'fetches'] as const;
export type AddressLimit = (typeof ADDRESS_LIMITS)[number];

/** The rates that are limited per connection. */
type Rate = Exclude<keyof Limits & `${string}PerSecond`, `${AddressLimit}PerSecond`>;

/** The rate that each command takes one of; a stroke also takes its points. */
const RATES: Readonly<Partial<Record<CommandName, Rate>>> = {
  plant: 'commandsPerSecond',
  damage: 'commandsPerSecond',
  cross: 'commandsPerSecond',
  keep: 'commandsPerSecond',
  renew: 'commandsPerSecond',
  transform: 'commandsPerSecond',
  preview: 'previewsPerSecond',
  draw: 'drawingsPerSecond',
  cursor: 'cursorsPerSecond',
  look: 'cursorsPerSecond',
  busy: 'cursorsPerSecond',
  name: 'namesPerSecond',
  beacon: 'beaconsPerSecond',
  report: 'reportsPerSecond',
  follow: 'commandsPerSecond',
  resync: 'resyncsPerSecond',
};

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

  /**
   * Charges a valid command by its kind, in addition to `messagesPerSecond`.
   *
   * @throws Refusal too-fast
   */
  chargeCommand(name: CommandName, message: unknown): void {
    const rate = RATES[name];
    if (rate) this.charge(rate);
    if (name === 'damage') {
      this.charge('strokePointsPerSecond', (message as Command<'damage'>).points.length / 2);
    }
  }
}
