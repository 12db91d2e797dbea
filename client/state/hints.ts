/** Limits how often hints are shown. */
import { BrowserStore } from './browser-store.ts';

/** Maximum number of times that a hint is shown to a visitor who does not follow it. */
const SHOWINGS = 3;

/**
 * Decides whether to show a hint: on at most `SHOWINGS` occasions in this browser, and never again
 * once the visitor has followed it.
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
   * @param occasion name of the occasion. Consecutive calls with the same name count as one showing
   */
  isShown(occasion: string): boolean {
    const count = Number(this.showings.read());
    if (occasion === this.occasion) return count <= SHOWINGS;
    // Because of the `!`, a stored value that is not a number also prevents the hint.
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
