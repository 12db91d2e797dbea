/** Vibration patterns for devices that have a vibration motor. */

/** Least time between two vibrations, ms; motors cannot follow faster ones. */
const MIN_INTERVAL = 45;

/** Vibrates for cuts, refusals, planting and healing. */
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

  refused(): void {
    this.vibrate([18, 50, 18]);
  }

  planted(): void {
    this.vibrate(12);
  }

  healed(): void {
    this.vibrate([8, 60, 8]);
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
