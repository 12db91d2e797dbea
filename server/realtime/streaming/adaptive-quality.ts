/**
 * Chooses a viewer's tier by its connection: down when too many frames are skipped, up after a
 * quiet period. A step up that does not last makes the next one wait longer, until one lasts.
 */
import type { TierName } from '../../../shared/codec/tiers.ts';
import { TIER_NAMES } from '../../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';

const { window, skippedShare, slowAck, patience, maxPatience } = DEFAULTS.stream.quality;

/** The adaptive tier of one viewer. */
export class AdaptiveQuality {
  private tierIndex: number;
  private windowStart: number;
  /** Frames of this window. */
  private frames = { due: 0, skipped: 0, slow: 0 };
  private quietSince: number;
  private wait: number = patience;
  /** When the last step was one up; else -Infinity. */
  private climbedAt = -Infinity;

  /**
   * @param first the first tier
   * @param best the best tier that the viewer asks for
   * @param now ms
   */
  constructor(
    first: TierName,
    private best: TierName,
    now: number,
  ) {
    this.tierIndex = Math.max(TIER_NAMES.indexOf(first), TIER_NAMES.indexOf(best));
    this.windowStart = now;
    this.quietSince = now;
  }

  /** The current tier. */
  get tier(): TierName {
    return TIER_NAMES[this.tierIndex];
  }

  /** Changes the best tier that the viewer asks for. */
  setBest(best: TierName): void {
    this.best = best;
    this.tierIndex = Math.max(this.tierIndex, TIER_NAMES.indexOf(best));
  }

  /** Records a frame that was due, and sent or skipped. */
  frame(skipped: boolean): void {
    this.frames.due++;
    if (skipped) this.frames.skipped++;
  }

  /** Records an acknowledgement. @param delay from sending the frame to its acknowledgement, ms */
  acknowledged(delay: number): void {
    if (delay > slowAck) this.frames.slow++;
  }

  /** Evaluates a window once it is over. @param now ms @returns whether the tier has changed */
  evaluate(now: number): boolean {
    if (now - this.windowStart < window) return false;
    const { due, skipped, slow } = this.frames;
    this.windowStart = now;
    this.frames = { due: 0, skipped: 0, slow: 0 };
    if (skipped > 0 || slow > 0) this.quietSince = now;
    if (due > 0 && skipped > due * skippedShare) return this.descend(now);
    return this.climb(now);
  }

  private descend(now: number): boolean {
    if (this.climbedAt > -Infinity) {
      const hasFailed = now - this.climbedAt < 2 * this.wait;
      this.wait = hasFailed ? Math.min(maxPatience, 2 * this.wait) : patience;
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
