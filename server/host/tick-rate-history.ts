/** How many ticks some seconds were, of a room whose pace may have been changed in them. */

/** Ticks a second, after a tick. */
export interface RateChange {
  readonly tick: number;
  readonly rate: number;
}

/** What no room exceeds. */
export const MAX_TICK_RATE = 60;

/**
 * @param now the tick that it is, and the rate now
 * @param changes of the rate until now, the first first; before the first of them it may have been any
 * @returns ticks that there have been at most in the last seconds
 */
export function maxTicksIn(
  seconds: number,
  now: RateChange,
  changes: readonly RateChange[],
): number {
  let left = seconds;
  let end = now.tick;
  // The last change may be so new that no tick knows of it.
  let rate = Math.max(now.rate, changes.at(-1)?.rate ?? 0);
  for (let i = changes.length - 1; i >= 0; i--) {
    const { tick } = changes[i];
    const took = (end - tick) / rate;
    if (took >= left) break;
    left -= took;
    end = tick;
    rate = changes[i - 1]?.rate ?? MAX_TICK_RATE;
  }
  return now.tick - end + Math.ceil(left * rate);
}
