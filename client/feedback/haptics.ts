/** What the hand feels, on devices that can shake; silent on all others. */

/** The least time between two shakes, ms: a motor needs that long. */
const REST = 45;

export class Haptics {
  private shakenAt = Number.NEGATIVE_INFINITY;

  /** @param shake shakes for so many ms, or in a pattern of shakes and rests */
  constructor(private readonly shake: (pattern: number | number[]) => void) {}

  /**
   * The blade goes through flesh.
   *
   * @param strength 0…1
   */
  cut(strength: number, now: number): void {
    if (now - this.shakenAt < REST) return;
    this.shakenAt = now;
    this.shake(Math.round(6 + 16 * strength));
  }

  refused(): void {
    this.shake([18, 50, 18]);
  }

  planted(): void {
    this.shake(12);
  }

  healed(): void {
    this.shake([8, 60, 8]);
  }
}

/** The device's motor, where there is one that pages may use. */
export function deviceHaptics(): Haptics | undefined {
  // Not every browser has it, whatever the types say.
  const { vibrate } = navigator as { vibrate?: Navigator['vibrate'] };
  return (
    vibrate &&
    new Haptics((pattern) => {
      vibrate.call(navigator, pattern as number[]);
    })
  );
}
