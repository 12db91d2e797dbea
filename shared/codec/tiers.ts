/**
 * Quality tiers of the stream. A tier limits the frame rate and the precision of moving cells;
 * cells at rest become exact within a second on every tier.
 */
export interface Tier {
  /** Ticks between two frames. */
  readonly every: number;
  /** Offset of the frames, ticks: keeps tiers from all being encoded in the same tick. */
  readonly after: number;
  /** Largest colour difference, of 255, that is not sent while a cell changes. */
  readonly hold: number;
  /** Largest sum of the squared differences of red, green and blue that is not sent then. */
  readonly squares: number;
  /** Quantization step of colour differences while a cell changes. */
  readonly step: number;
  /** Ticks without change after which a cell is at rest and sent exactly. */
  readonly rest: number;
}

/**
 * Best first: a viewer that cannot keep up with one gets the next. `half` is also the best that
 * phones get in a crowd. On phones, cells that do not change in four steps of idle life are at rest.
 */
export const TIERS = {
  full: { every: 1, after: 0, hold: 9, squares: 41, step: 8, rest: 4 },
  phone: { every: 1, after: 0, hold: 32, squares: 3072, step: 32, rest: 13 },
  half: { every: 2, after: 0, hold: 32, squares: 3072, step: 32, rest: 13 },
  thrifty: { every: 3, after: 1, hold: 32, squares: 3072, step: 32, rest: 12 },
} as const satisfies Record<string, Tier>;

/** Whether a tier sends a frame in a tick. */
export const isDue = ({ every, after }: Pick<Tier, 'every' | 'after'>, tick: number): boolean =>
  tick % every === after;

/** One of `TIER_NAMES`. */
export type TierName = keyof typeof TIERS;
/** Names of the tiers, best first; a frame stores the index. Pages need no more of them. */
export const TIER_NAMES: readonly TierName[] = ['full', 'phone', 'half', 'thrifty'];
