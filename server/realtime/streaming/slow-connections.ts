/** Lowers the tier of viewers with a slow connection, and later tries a higher tier again. */
import { TIER_NAMES, type TierName } from '../../../shared/codec/tiers.ts';

/** Thresholds for adapting a viewer's tier to the speed of the connection. */
export const QUALITY = {
  /** Interval at which the tier is adapted, in ms. */
  window: 2_000,
  /** Fraction of skipped frames above which the viewer's tier is lowered. */
  skippedShare: 0.2,
  /** Acknowledgement delay above which a connection counts as slow, in ms. */
  slowAck: 300,
  /**
   * How long a connection must be fast before a higher tier is tried, in ms. Doubled after each
   * failed attempt, up to `maxPatience`.
   */
  patience: 4_000,
  maxPatience: 120_000,
} as const;

/** Adapts a viewer's tier to the speed of the connection. */
export class AdaptiveQuality {
  private tierIndex = Math.max(TIER_NAMES.indexOf(this.first), TIER_NAMES.indexOf(this.best));
  private windowStart = this.start;
  /**
   * Numbers of frames since `windowStart` that were due, were skipped, or were acknowledged late.
   */
  private frames = { due: 0, skipped: 0, slow: 0 };
  private quietSince = this.start;
  private wait: number = QUALITY.patience;
  /**
   * When the tier was last raised, in ms; -Infinity if it never was, or if the connection has been
   * too slow since.
   */
  private climbedAt = -Infinity;

  /**
   * @param first tier at the start
   * @param best highest tier that the viewer wants
   * @param start current time, in ms
   */
  constructor(
    private readonly first: TierName,
    private best: TierName,
    private readonly start: number,
  ) {}

  get tier(): TierName {
    return TIER_NAMES[this.tierIndex];
  }

  setBest(best: TierName): void {
    this.best = best;
    this.tierIndex = Math.max(this.tierIndex, TIER_NAMES.indexOf(best));
  }

  /** Counts a due frame, which was either sent or skipped. */
  frame(skipped: boolean): void {
    this.frames.due++;
    if (skipped) this.frames.skipped++;
  }

  /**
   * Records that a frame has been acknowledged. @param delay time since the frame was sent, in ms
   */
  acknowledged(delay: number): void {
    if (delay > QUALITY.slowAck) this.frames.slow++;
  }

  /**
   * Adapts the tier, at most once per `QUALITY.window`.
   *
   * @param now current time, in ms
   * @returns whether the tier has changed
   */
  evaluate(now: number): boolean {
    if (now - this.windowStart < QUALITY.window) return false;
    const { due, skipped, slow } = this.frames;
    this.windowStart = now;
    this.frames = { due: 0, skipped: 0, slow: 0 };
    if (skipped > 0 || slow > 0) this.quietSince = now;
    if (due > 0 && skipped > due * QUALITY.skippedShare) return this.descend(now);
    return this.climb(now);
  }

  private descend(now: number): boolean {
    if (this.climbedAt > -Infinity) {
      const hasFailed = now - this.climbedAt < 2 * this.wait;
      this.wait = hasFailed ? Math.min(QUALITY.maxPatience, 2 * this.wait) : QUALITY.patience;
    }
    this.climbedAt = -Infinity;
    if (this.tierIndex === TIER_NAMES.length - 1) return false;
    this.tierIndex++;
    return true;
  }

  private climb(now: number): boolean {
    if (now - this.quietSince < this.wait || this.tierIndex <= TIER_NAMES.indexOf(this.best))
      return false;
    this.tierIndex--;
    this.climbedAt = now;
    this.quietSince = now;
    return true;
  }
}
