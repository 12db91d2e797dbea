/**
 * Quality tiers of the stream. A tier limits the frame rate and the precision of moving cells. On
 * every tier, cells at rest become exact within a second.
 */
export interface Tier {
  /** Ticks between two frames. */
  readonly every: number;
  /**
   * Number of ticks by which this tier's frames are shifted, so that not all tiers are encoded in
   * the same tick.
   */
  readonly after: number;
  /** While a cell changes, differences of a channel (0…255) up to this limit are not sent. */
  readonly hold: number;
  /** While a cell changes, sums of squared differences (r, g, b) up to this limit are not sent. */
  readonly squares: number;
  /** Quantization step of colour differences while a cell changes. */
  readonly step: number;
  /** Number of ticks that a cell must not change before it is at rest and sent exactly. */
  readonly rest: number;
}

/**
 * The tiers, best first. A viewer that cannot keep up with its tier gets the next tier. In a crowd,
 * phones get `half` or worse.
 */
export const TIERS = {
  full: { every: 1, after: 0, hold: 9, squares: 41, step: 8, rest: 4 },
  phone: { every: 1, after: 0, hold: 32, squares: 3072, step: 32, rest: 13 },
  half: { every: 2, after: 0, hold: 32, squares: 3072, step: 32, rest: 13 },
  thrifty: { every: 3, after: 1, hold: 32, squares: 3072, step: 32, rest: 12 },
} as const satisfies Record<string, Tier>;

/** Returns whether a tier sends a frame in a tick. */
export const isDue = ({ every, after }: Pick<Tier, 'every' | 'after'>, tick: number): boolean =>
  tick % every === after;

export type TierName = keyof typeof TIERS;
/** Names of the tiers, best first; frames store the index. Pages need only the names. */
export const TIER_NAMES: readonly TierName[] = ['full', 'phone', 'half', 'thrifty'];
