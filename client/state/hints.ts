/** How often hints are shown. */
import { BrowserStore } from './browser-store.ts';

/** Maximum number of times that a hint is shown to a visitor who does not follow it. */
const SHOWINGS = 3;

/**
 * Decides whether to show a hint. Counts how often this browser has shown it. A hint that the
 * visitor has followed is not shown again.
 */
export class Hint {
  private readonly showings: BrowserStore;
  private occasion = '';

  constructor(name: string) {
    this.showings = new BrowserStore('localStorage', `vivarium ${name}`);
  }

  /**
   * Returns whether to show the hint.
   *
   * @param occasion identifies an occasion for the hint. Repeated calls for one occasion count once
   */
  isShown(occasion: string): boolean {
    const count = Number(this.showings.read());
    if (occasion === this.occasion) return count <= SHOWINGS;
    // A value from another release of the program may not be a number. If so, do not show the hint.
    if (!(count < SHOWINGS)) return false;
    this.occasion = occasion;
    this.showings.write(`${count + 1}`);
    return true;
  }

  get isFollowed(): boolean {
    return !(Number(this.showings.read()) <= SHOWINGS);
  }

  follow(): void {
    this.showings.write(`${SHOWINGS + 1}`);
  }
}
