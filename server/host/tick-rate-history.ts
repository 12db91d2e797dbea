/** Converts seconds to ticks for a room whose tick rate may have changed meanwhile. */

/** The rate in ticks per second from a tick on. */
export interface RateChange {
  readonly tick: number;
  readonly rate: number;
}

/** The highest tick rate of any room, per second. */
export const MAX_TICK_RATE = 60;

/**
 * The largest possible number of ticks in the last seconds.
 *
 * @param now the present tick and rate
 * @param changes of the rate, oldest first; the rate before the first is unknown
 */
export function maxTicksIn(
  seconds: number,
  now: RateChange,
  changes: readonly RateChange[],
): number {
  let left = seconds;
  let end = now.tick;
  // The last change may not be journalled yet.
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
