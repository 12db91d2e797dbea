/** How long an extension waits before it is started again. */
import { DEFAULTS } from '../../shared/defaults.ts';

const { firstPause, maxPause } = DEFAULTS.hooks;

/** Pauses that double, until the extension has run for as long as the longest one. */
export class RestartPause {
  private following: number = firstPause;
  /** ms; Infinity while it does not run. */
  private runsSince = Infinity;

  /** The extension runs. @param now ms */
  runs(now: number): void {
    this.runsSince = now;
  }

  /** It has ended, or could not be started. @returns the pause, ms */
  next(now: number): number {
    const pause = now - this.runsSince >= maxPause ? firstPause : this.following;
    this.runsSince = Infinity;
    this.following = Math.min(2 * pause, maxPause);
    return pause;
  }
}
