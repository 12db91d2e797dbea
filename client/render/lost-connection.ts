/** Fades the room to weaker colours while the connection is lost. */

/**
 * While the connection is lost, the room loses the share `FADED` of its colour. The fade takes
 * `FADE` ms.
 */
const FADE = 600;
const FADED = 0.45;

/** Fades the room to weaker colours while the connection is lost, and back afterwards. */
export class LostConnectionFade {
  /** Share of the room's colour that is lost. */
  faded = 0;
  private fadedAt = 0;

  /** @returns whether the fade must continue */
  step(isLost: boolean, now: number): boolean {
    const goal = isLost ? FADED : 0;
    const step = (Math.min(64, now - this.fadedAt) / FADE) * FADED;
    this.fadedAt = now;
    const way = goal - this.faded;
    this.faded += Math.sign(way) * Math.min(Math.abs(way), step);
    return this.faded !== goal;
  }
}
