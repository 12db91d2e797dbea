/**
 * A quality tier of the stream. A tier sets the frame rate and the precision of changing cells. On
 * every tier, cells that have stopped changing are sent exactly within a second.
 */
export interface Tier {
  /** Number of ticks from one frame to the next. */
  readonly every: number;
  /**
   * Offset of this tier's frames, in ticks: a frame is sent if `tick % every` equals `after`. Offsets
   * differ, so that not all tiers are encoded in the same tick.
   */
  readonly after: number;
  /** While a cell changes, a change is not sent if no channel (0…255) differs by more than this. */
  readonly hold: number;
  /** While a cell changes, a change is not sent if (Δr)² + (Δg)² + (Δb)² is at most this. */
  readonly squares: number;
  /** Quantization step of colour differences while a cell changes. */
  readonly step: number;
  /** Number of ticks without a change after which a cell is at rest and is sent exactly. */
  readonly rest: number;
}

/**
 * The tiers, best first. A viewer whose connection is too slow for its tier gets the next tier. In a
 * crowded room, phones get `half` or worse.
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
/** Names of the tiers, best first. Frames store an index into this list. */
export const TIER_NAMES: readonly TierName[] = ['full', 'phone', 'half', 'thrifty'];
