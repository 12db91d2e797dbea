/**
 * A quality tier of the stream: the frame rate, and how precisely cells are sent while they change.
 * On every tier, a cell is exact at most a second after it has stopped changing.
 */
export interface Tier {
  /** Number of ticks from one frame to the next. */
  readonly every: number;
  /**
   * Offset of this tier's frames: a frame is sent if `tick % every` equals `after`. Tiers have
   * different offsets, so that not all frames are encoded in the same tick.
   */
  readonly after: number;
  /**
   * The colour of a changing cell is sent if one of its channels (0…255) differs by more than this
   * limit from the colour that viewers have.
   */
  readonly hold: number;
  /**
   * Even if no channel differs by more than `hold`, the colour of a changing cell is sent if
   * (Δr)² + (Δg)² + (Δb)² exceeds this limit. Δr, Δg and Δb are the differences from the colour
   * that viewers have.
   */
  readonly squares: number;
  /** Quantization step of colour differences in cells that are changing. */
  readonly step: number;
  /** If a cell has not changed for this number of ticks, its exact colour is sent. */
  readonly rest: number;
}

/**
 * The tiers, best first. A viewer whose connection is too slow for a tier gets the next tier. In a
 * crowded room, phones get `half` or a later tier.
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
/**
 * Names of the tiers, best first. Keep the order, because frames contain indices into this list.
 */
export const TIER_NAMES: readonly TierName[] = ['full', 'phone', 'half', 'thrifty'];
