/**
 * Who gives up a place in a full room for somebody who waits: those who have been idle, and those
 * of an address that has more places than the one that waits.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { countBy } from '../../platform/collections.ts';

/** An occupied slot. */
interface Slot {
  /** Address key of the connection; '' if unknown. */
  readonly address: string;
  /** When the participant last did something, ms. */
  readonly activeAt: number;
}

/** Counts the places of each address. */
export function countSlots(slots: Iterable<Slot>): ReadonlyMap<string, number> {
  return countBy(slots, ({ address }) => address);
}

/**
 * Chooses the place that is given up. A place moves to another address only if that address then
 * still has no more than the other, so a museum behind one address keeps all places until others
 * wait, and places never move to and fro.
 *
 * @param slots all places of a full room
 * @param waiting the address that gets the place
 * @returns the longest idle place, if it has been idle for long; otherwise the longest idle one of
 *   the address with most places; undefined if nobody has to give way
 */
export function chooseYielding<S extends Slot>(
  slots: readonly S[],
  waiting: string,
  now: number,
): S | undefined {
  const longestIdle = (some: readonly S[]): S | undefined =>
    some.reduce<S | undefined>((a, b) => (a && a.activeAt <= b.activeAt ? a : b), undefined);
  const idle = longestIdle(slots);
  if (idle && now - idle.activeAt >= DEFAULTS.stream.idleYields) return idle;
  const counts = countSlots(slots);
  const most = Math.max(0, ...counts.values());
  if (most < 2 + (counts.get(waiting) ?? 0)) return undefined;
  return longestIdle(slots.filter(({ address }) => counts.get(address) === most));
}
