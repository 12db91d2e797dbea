/**
 * Which tier a viewer can take, by what her line does: down when frames have to be skipped, up again when it has been quiet for
 * long enough. A step up that did not hold makes the next one wait longer.
 */
import type { TierName } from '../../../shared/codec/tiers.ts';
import { TIER_NAMES } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';

const { window, skippedShare, slowAck, patience, maxPatience } = DEFAULTS.stream.ladder;

export class AdaptiveQuality {
  private tierIndex: number;
  private since: number;
  private due = 0;
  private skipped = 0;
  private slow = 0;
  private quietSince: number;
  private wait: number = patience;
  private climbedAt = -Infinity;

  /**
   * @param first where she begins
   * @param best the best that she asks for
   */
  constructor(
    first: TierName,
    private best: TierName,
    now: number,
  ) {
    this.tierIndex = Math.max(TIER_NAMES.indexOf(first), TIER_NAMES.indexOf(best));
    this.since = now;
    this.quietSince = now;
  }

  get tier(): TierName {
    return TIER_NAMES[this.tierIndex];
  }

  setBest(best: TierName): void {
    this.best = best;
    this.tierIndex = Math.max(this.tierIndex, TIER_NAMES.indexOf(best));
  }

  /** A frame was due, and was sent or had to be skipped. */
  frame(skipped: boolean): void {
    this.due++;
    if (skipped) this.skipped++;
  }

  /** @param took ms from sending a frame to hearing of it */
  acknowledged(took: number): void {
    if (took > slowAck) this.slow++;
  }

  /** Looks back on a window, once it is over. @returns whether the tier is another now */
  evaluate(now: number): boolean {
    if (now - this.since < window) return false;
    const { due, skipped, slow } = this;
    this.since = now;
    this.due = 0;
    this.skipped = 0;
    this.slow = 0;
    if (skipped > 0 || slow > 0) this.quietSince = now;
    if (due > 0 && skipped > due * skippedShare) return this.descend(now);
    return this.climb(now);
  }

  private descend(now: number): boolean {
    if (now - this.climbedAt < 2 * this.wait) this.wait = Math.min(maxPatience, 2 * this.wait);
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
