/** Vibration patterns for devices that have a vibration motor. */

/** Least time between two vibrations, ms; motors cannot follow faster ones. */
const MIN_INTERVAL = 45;

/** Durations, or alternating durations and pauses, ms. */
const PATTERNS = {
  ...{ planted: 12, healed: [8, 60, 8], refused: [18, 50, 18], affected: [14, 80, 14] },
  /** That it departs, the page says with `affected`. */
  ...{ departing: 0, departed: 8 },
};

/** Vibrates for cuts, refusals, planting and healing, and when others affect one's organisms. */
export class Haptics {
  private lastVibration = Number.NEGATIVE_INFINITY;

  /** @param vibrate takes a duration, or alternating durations and pauses, ms */
  constructor(private readonly vibrate: (pattern: number | number[]) => void) {}

  /**
   * Vibrates for a segment of a damage stroke.
   *
   * @param strength 0…1
   * @param now ms
   */
  cut(strength: number, now: number): void {
    if (now - this.lastVibration < MIN_INTERVAL) return;
    this.lastVibration = now;
    this.vibrate(Math.round(6 + 16 * strength));
  }

  play(name: keyof typeof PATTERNS): void {
    // 0 would end another vibration.
    if (PATTERNS[name] !== 0) this.vibrate(PATTERNS[name]);
  }
}

/** Haptics of this device, or undefined when the browser has no vibration API. */
export function deviceHaptics(): Haptics | undefined {
  // Safari has no vibrate(), although the DOM types always declare it.
  const { vibrate } = navigator as { vibrate?: Navigator['vibrate'] };
  return (
    vibrate &&
    new Haptics((pattern) => {
      vibrate.call(navigator, pattern as number[]);
    })
  );
}
