/**
 * A quality tier of the stream. A tier determines the frame rate, and how precisely cells are sent
 * while they change. On every tier, a cell is sent exactly within a second after it has stopped
 * changing.
 */
export interface Tier {
  /** Number of ticks from one frame to the next. */
  readonly every: number;
  /**
   * Offset of this tier's frames, in ticks: a frame is sent if `tick % every` equals `after`. Tiers
   * have different offsets, so that not all of them are encoded in the same tick.
   */
  readonly after: number;
  /**
   * While a cell changes, its new colour is sent only if it differs enough from the colour that
   * viewers have: a channel (0…255) differs by more than `hold`, or the sum of squares exceeds
   * `squares`.
   */
  readonly hold: number;
  /** Limit for (Δr)² + (Δg)² + (Δb)²; see `hold`. */
  readonly squares: number;
  /** Quantization step of the colour differences that are sent while a cell changes. */
  readonly step: number;
  /** Number of ticks without a change after which a cell is at rest and is sent exactly. */
  readonly rest: number;
}

/**
 * The tiers, best first. If a viewer's connection is too slow for its tier, the viewer gets the
 * next tier in this list. In a crowded room, phones get `half` or a tier after it.
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
