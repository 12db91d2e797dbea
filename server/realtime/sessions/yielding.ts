/**
 * Who gives up a place in a full room for somebody who waits: those who have been idle, and those
 * of an address that has more places than the one that waits.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { countBy } from '../../platform/count-by.ts';

/** An occupied place. */
interface Seat {
  /** Address key of the connection; '' if unknown. */
  readonly address: string;
  /** When the participant last did something, ms. */
  readonly activeAt: number;
}

/** Counts the places of each address. */
export function countSeats(seats: Iterable<Seat>): ReadonlyMap<string, number> {
  return countBy(seats, ({ address }) => address);
}

/**
 * Chooses the place that is given up. A place moves to another address only if that address then
 * still has no more than the other, so a museum behind one address keeps all places until others
 * wait, and places never move to and fro.
 *
 * @param seats all places of a full room
 * @param waiting the address that gets the place
 * @returns the longest idle place, if it has been idle for long; otherwise the longest idle one of
 *   the address with most places; undefined if nobody has to give way
 */
export function chooseYielding<S extends Seat>(
  seats: readonly S[],
  waiting: string,
  now: number,
): S | undefined {
  const longestIdle = (some: readonly S[]): S | undefined =>
    some.reduce<S | undefined>((a, b) => (a && a.activeAt <= b.activeAt ? a : b), undefined);
  const idle = longestIdle(seats);
  if (idle && now - idle.activeAt >= DEFAULTS.stream.idleYields) return idle;
  const counts = countSeats(seats);
  const most = Math.max(0, ...counts.values());
  if (most < 2 + (counts.get(waiting) ?? 0)) return undefined;
  return longestIdle(seats.filter(({ address }) => counts.get(address) === most));
}
