/** Of which ticks a film's pictures are, and when those were. */
import type { FilmTimes } from '../../shared/film-moment.ts';
import type { JournalRange } from '../replay/journal-range.ts';
import { TickTimes } from '../world/tick-times.ts';

/**
 * The ticks of the pictures, as `runReplay` makes them: none of the snapshot itself.
 *
 * @param every ticks between two pictures
 */
export function pictureTicks(
  {
    from,
    to,
    snapshot,
  }: Pick<JournalRange, 'from' | 'to'> & {
    readonly snapshot: Pick<JournalRange['snapshot'], 'tick'>;
  },
  every: number,
): number[] {
  const ticks: number[] = [];
  for (let tick = from; tick < to; tick += every) if (tick > snapshot.tick) ticks.push(tick);
  if (to > snapshot.tick) ticks.push(to);
  return ticks;
}

/** When the pictures were, in few points. @param dates of all pictures, ms; they never decrease */
export function filmTimes(dates: readonly number[]): FilmTimes {
  const times = new TickTimes();
  for (const [tick, at] of dates.entries()) times.add({ tick, at });
  return times.known.map(({ tick: frame, at }) => ({ frame, at }));
}
