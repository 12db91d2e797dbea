/** How well a viewer is shown what moves. Whatever rests is exact within a second, whatever the tier. */
export interface Tier {
  /** A frame every so many ticks … */
  readonly every: number;
  /** … and so many after a multiple of them: tiers that are in use together are not all written in the same tick. */
  readonly after: number;
  /** Largest difference of a colour, of 255, that is held back while a place changes. */
  readonly hold: number;
  /** Differences of changing places are told in such steps. */
  readonly step: number;
  /** Ticks without change after which a place is at rest and made exact. */
  readonly rest: number;
}

/** Best first: who cannot take one is given the next. */
export const TIERS = {
  full: { every: 1, after: 0, hold: 5, step: 8, rest: 4 },
  phone: { every: 2, after: 0, hold: 8, step: 8, rest: 6 },
  thrifty: { every: 4, after: 1, hold: 16, step: 16, rest: 8 },
} as const satisfies Record<string, Tier>;

/** Whether a tier has a frame of a tick. */
export const isDue = ({ every, after }: Pick<Tier, 'every' | 'after'>, tick: number): boolean =>
  tick % every === after;

export type TierName = keyof typeof TIERS;
export const TIER_NAMES = Object.keys(TIERS) as TierName[];
