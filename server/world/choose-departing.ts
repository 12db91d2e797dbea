/**
 * Chooses the organism that departs from a full room for a new one (rules DEP-1, DEP-2 and DEP-6),
 * one that has outlived its lifetime (DEP-11), and the unattended ones that the gardener may have
 * depart (DEP-4).
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { OrganismId, ParticipantId, Phase } from '../../shared/vocabulary.ts';
import { countBy } from '../platform/count-by.ts';

const { protectedSeconds, unattendedSeconds } = DEFAULTS.departure;

/** The properties of a living organism that decide. */
export interface Resident {
  readonly id: OrganismId;
  readonly phase: Phase;
  readonly planter: { readonly id: ParticipantId };
  /** Tick of planting. */
  readonly born: number;
  /** Tick at which its planter last renewed it. */
  readonly renewed?: number | undefined;
  /** While it expresses a relative, or is on its way home. */
  readonly expression?: unknown;
}

/** Whether it rests; one that expresses a relative does. */
const rests = ({ phase, expression }: Resident): boolean =>
  phase === 'asleep' || expression !== undefined;

/** The tick at which an organism's life began: its planting, or when its planter renewed it. */
const lifeBegan = ({ born, renewed = born }: Resident): number => renewed;

/** When, and who was present, as far as the choice depends on it. */
export interface Moment {
  readonly tick: number;
  /** Nominal ticks per second. */
  readonly tickRate: number;
  /**
   * The tick at which a planter left; undefined while they are present, −Infinity for planters who
   * are not known to have been present: the house, the gardener, forgotten visitors.
   */
  readonly absentSince: (planter: ParticipantId) => number | undefined;
  /**
   * The same number for planters of one network address; undefined for those whose is not known.
   * Absent until somebody has entered with a source: then no fresh organism departs.
   */
  readonly sourceOf?: ((planter: ParticipantId) => number | undefined) | undefined;
}

/** Compared number by number; the lower rank is chosen. */
type Rank = readonly number[];

function isBefore(a: Rank, b: Rank): boolean {
  const i = a.findIndex((value, k) => value !== b[k]);
  return i >= 0 && a[i] < b[i];
}

/** @param rankOf undefined excludes an organism @returns the organism of lowest rank */
function lowest<R extends Resident>(
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
 * Chooses the organism to remove for a new one: a resting one of an absent planter, the longest
 * absent first; otherwise one of the planter with the most, resting ones first, then the oldest.
 *
 * @param residents all living organisms that do not depart yet
 * @param isEligible which of them may be chosen; absent: all
 * @returns undefined when all were planted less than a minute ago
 */
export function chooseDeparting<R extends Resident>(
  residents: readonly R[],
  moment: Moment,
  isEligible: (resident: R) => boolean = () => true,
): R | undefined {
  const { tick, tickRate, absentSince } = moment;
  const counts = countBy(residents, ({ planter }) => planter.id);
  return lowest(residents, (resident) => {
    const { id, planter } = resident;
    if (tick - lifeBegan(resident) < protectedSeconds * tickRate) return undefined;
    if (!isEligible(resident)) return undefined;
    const isResting = rests(resident);
    const since = absentSince(planter.id);
    // Keeping an organism awake does not protect it: resting matters only if the planter is absent.
    if (isResting && since !== undefined) return [0, since, id];
    return [1, -counts.get(planter.id)!, isResting ? 0 : 1, id];
  });
}

/**
 * Chooses among organisms that were all planted less than a minute ago, so that nobody can keep
 * others out by planting fast: of the address with most, preferably the newcomer's own, the planter
 * with most, and of theirs the newest.
 *
 * @param residents all living organisms
 * @param newcomer who plants
 */
export function chooseFresh<R extends Resident>(
  residents: readonly R[],
  { sourceOf }: Moment,
  newcomer: ParticipantId,
): R | undefined {
  if (!sourceOf) return undefined;
  // Sources are positive, so a planter without one has a number of their own.
  const keyOf = (planter: ParticipantId): number => sourceOf(planter) ?? -planter;
  const bySource = countBy(residents, ({ planter }) => keyOf(planter.id));
  const byPlanter = countBy(residents, ({ planter }) => planter.id);
  const own = keyOf(newcomer);
  return lowest(residents, ({ id, planter }) => {
    const key = keyOf(planter.id);
    return [-bySource.get(key)!, key === own ? 0 : 1, -byPlanter.get(planter.id)!, -id];
  });
}

/**
 * Chooses a resting organism that has outlived its lifetime, in the order of `chooseDeparting`.
 *
 * @param residents all living organisms that do not depart yet
 * @param lifetime seconds, above 0
 * @returns undefined when there is none
 */
export function chooseOutlived<R extends Resident>(
  residents: readonly R[],
  moment: Moment,
  lifetime: number,
): R | undefined {
  const { tick, tickRate } = moment;
  return chooseDeparting(
    residents,
    moment,
    (one) => rests(one) && tick - lifeBegan(one) >= lifetime * tickRate,
  );
}

/**
 * The organisms that have been unattended: they rest, and their planter has been absent for this
 * long of their life.
 *
 * @param residents all living organisms that do not depart yet
 * @param seconds default: ten minutes (rule DEP-4)
 * @returns the longest unattended first
 */
export function unattendedOf<R extends Resident>(
  residents: readonly R[],
  moment: Moment,
  seconds: number = unattendedSeconds,
): R[] {
  const { tick, tickRate, absentSince } = moment;
  return residents
    .flatMap((resident) => {
      const { id, planter, born } = resident;
      const since = absentSince(planter.id);
      if (!rests(resident) || since === undefined) return [];
      const isLong = tick - Math.max(since, born) >= seconds * tickRate;
      return isLong ? [{ resident, rank: [since, id] }] : [];
    })
    .sort((a, b) => (isBefore(a.rank, b.rank) ? -1 : 1))
    .map(({ resident }) => resident);
}
