/**
 * Who departs when a full room has to make room for a newcomer (rules DEP-1 and DEP-2), and what
 * nobody has attended for so long that the gardener may thin it (rule DEP-4).
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { OrganismId, ParticipantId, Phase } from '../../shared/vocabulary.ts';

const { protectedSeconds, unattendedSeconds } = DEFAULTS.departure;

/** What matters of a living organism. */
export interface Resident {
  readonly id: OrganismId;
  readonly phase: Phase;
  readonly planter: { readonly id: ParticipantId };
  /** Tick of planting. */
  readonly born: number;
}

export interface Moment {
  readonly tick: number;
  /** Nominal ticks per second. */
  readonly tickRate: number;
  /**
   * The tick since which a planter has been away; undefined while they are here, −Infinity for
   * those who were never here, as far as is known: the house, the gardener, visitors of long ago.
   */
  readonly absentSince: (planter: ParticipantId) => number | undefined;
}

/** Sorts before another when its first number that differs is less. */
type Rank = readonly number[];

function isBefore(a: Rank, b: Rank): boolean {
  const i = a.findIndex((value, k) => value !== b[k]);
  return i >= 0 && a[i] < b[i];
}

/** @param rankOf undefined for what cannot be chosen @returns the first by its rank */
function first<R extends Resident>(
  residents: readonly R[],
  rankOf: (resident: R) => Rank | undefined,
): R | undefined {
  let best: { readonly resident: R; readonly rank: Rank } | undefined;
  for (const resident of residents) {
    const rank = rankOf(resident);
    if (rank && (!best || isBefore(rank, best.rank))) best = { resident, rank };
  }
  return best?.resident;
}

/**
 * The one that departs for a newcomer. Resting organisms of absent planters go first, the longest
 * absent first; then one of whoever has most, with what rests first; then the oldest.
 *
 * @param residents all that live
 * @returns undefined when all were planted less than a minute ago
 */
export function chooseDeparting<R extends Resident>(
  residents: readonly R[],
  { tick, tickRate, absentSince }: Moment,
): R | undefined {
  const counts = new Map<ParticipantId, number>();
  for (const { planter } of residents) counts.set(planter.id, (counts.get(planter.id) ?? 0) + 1);
  return first(residents, ({ id, phase, planter, born }) => {
    if (tick - born < protectedSeconds * tickRate) return undefined;
    const rests = phase === 'asleep';
    const since = absentSince(planter.id);
    // Who keeps theirs awake does not thereby keep them: only of the absent must they rest.
    if (rests && since !== undefined) return [0, since, id];
    return [1, -counts.get(planter.id)!, rests ? 0 : 1, id];
  });
}

/**
 * The one that has been unattended longest: it rests, and its planter has been away for at least ten
 * minutes of its life.
 *
 * @param residents all that live
 * @returns undefined when there is none
 */
export function chooseUnattended<R extends Resident>(
  residents: readonly R[],
  { tick, tickRate, absentSince }: Moment,
): R | undefined {
  return first(residents, ({ id, phase, planter, born }) => {
    const since = absentSince(planter.id);
    if (phase !== 'asleep' || since === undefined) return undefined;
    if (tick - Math.max(since, born) < unattendedSeconds * tickRate) return undefined;
    return [since, id];
  });
}
