/** A hint for newcomers. */
import { BrowserStore } from './browser-store.ts';

/** How often a hint is shown to somebody who does not follow it. */
const SHOWINGS = 3;

/** Counts in this browser how often a hint was shown. One that was followed is not shown again. */
export class Hint {
  private readonly showings: BrowserStore;
  private occasion = '';

  constructor(name: string) {
    this.showings = new BrowserStore('localStorage', `vivarium ${name}`);
  }

  /** Whether to show the hint. @param occasion a showing lasts until another occasion */
  isShown(occasion: string): boolean {
    const count = Number(this.showings.read());
    if (occasion === this.occasion) return count <= SHOWINGS;
    if (count >= SHOWINGS) return false;
    this.occasion = occasion;
    this.showings.write(`${count + 1}`);
    return true;
  }

  get isFollowed(): boolean {
    return Number(this.showings.read()) > SHOWINGS;
  }

  follow(): void {
    this.showings.write(`${SHOWINGS + 1}`);
  }
}
