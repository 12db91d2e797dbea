/** Who is present in a room, and which organism departs (rules DEP-1 … DEP-6 and DEP-11). */

import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantId, Phase } from '../../shared/vocabulary.ts';
import { countBy } from '../platform/collections.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import type { CommandState, RoomState } from './room-state.ts';

type AttendanceState = RoomState['attendance'];

/** Ticks between two removals of absent participants without organisms. */
const PRUNE_EVERY = 64;

/** The present participants of a room, and the absent ones who still have organisms. */
export class Attendance {
  private readonly present: Set<ParticipantId>;
  private readonly absent: Map<ParticipantId, number>;
  /** Where the present and the absent came from; undefined until somebody's source is known. */
  private sources: Map<ParticipantId, number> | undefined;

  /** @param from restored state; default: nobody */
  constructor(from: AttendanceState = { present: [], absent: [] }) {
    this.present = new Set(from.present);
    this.absent = new Map(from.absent.map(({ participant, since }) => [participant, since]));
    this.sources =
      from.sources && new Map(from.sources.map(({ participant, source }) => [participant, source]));
  }

  /** Participants who are present. */
  get participants(): Iterable<ParticipantId> {
    return this.present;
  }

  isPresent(participant: ParticipantId): boolean {
    return this.present.has(participant);
  }

  /** @param source the same for all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.present.add(participant);
    this.absent.delete(participant);
    if (source === undefined) return;
    this.sources ??= new Map();
    this.sources.set(participant, source);
  }

  /** Records that a participant left. Ignores actors that never entered, such as the gardener. */
  leave(participant: ParticipantId, tick: number): void {
    if (this.present.delete(participant)) this.absent.set(participant, tick);
  }

  /** What the choice of a departing organism depends on; see `Moment`. */
  get facts() {
    const { present, absent, sources } = this;
    return {
      absentSince: (participant: ParticipantId): number | undefined =>
        present.has(participant)
          ? undefined
          : (absent.get(participant) ?? Number.NEGATIVE_INFINITY),
      ...(sources && { sourceOf: (participant: ParticipantId) => sources.get(participant) }),
    };
  }

  /** Call once a tick: forgets absent participants. @param planters of all living organisms */
  prune(tick: number, planters: () => ReadonlySet<ParticipantId>): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const known = planters();
    for (const participant of this.absent.keys()) {
      if (known.has(participant)) continue;
      this.absent.delete(participant);
      this.sources?.delete(participant);
    }
  }

  export(): AttendanceState {
    const absent = [...this.absent].map(([participant, since]) => ({ participant, since }));
    const sources =
      this.sources && [...this.sources].map(([participant, source]) => ({ participant, source }));
    return { present: [...this.present], absent, ...(sources && { sources }) };
  }
}

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

/** A tick, and the nominal ticks per second. */
export type DepartureTime = Pick<Moment, 'tick' | 'tickRate'>;

/** Tracks attendance, and chooses by it. */
export class Departures {
  private attendance = new Attendance();

  constructor(private readonly lifecycle: OrganismLifecycle) {}

  get present(): Iterable<ParticipantId> {
    return this.attendance.participants;
  }

  isPresent(participant: ParticipantId): boolean {
    return this.attendance.isPresent(participant);
  }

  /** @param source the same for all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.attendance.enter(participant, source);
  }

  leave(participant: ParticipantId, tick: number): void {
    this.attendance.leave(participant, tick);
  }

  export(): Pick<CommandState, 'attendance'> {
    return { attendance: this.attendance.export() };
  }

  restore({ attendance }: Pick<CommandState, 'attendance'>): void {
    this.attendance = new Attendance(attendance);
  }

  /** Call once a tick: forgets absent participants without organisms. */
  prune(tick: number): void {
    this.attendance.prune(
      tick,
      () => new Set([...this.lifecycle.all].map(({ planter }) => planter.id)),
    );
  }

  /** The unattended organisms, the longest first; see `unattendedOf`. */
  unattended(time: DepartureTime, seconds?: number): Organism[] {
    return unattendedOf(this.staying, this.moment(time), seconds);
  }

  /** A resting organism that has outlived its lifetime, if any. @param lifetime seconds */
  outlived(lifetime: number, time: DepartureTime): Organism | undefined {
    return chooseOutlived(this.staying, this.moment(time), lifetime);
  }

  /** Whether a planter is present, or has been. */
  knows(planter: ParticipantId): boolean {
    const since = this.attendance.facts.absentSince(planter) ?? 0;
    return Number.isFinite(since);
  }

  /**
   * Chooses who departs for one more organism.
   *
   * @param planter of the new one; undefined: nothing fresh departs for it
   * @returns undefined while there is room
   * @throws Refusal garden-full
   */
  departing(
    planter: ParticipantId | undefined,
    maxOrganisms: number,
    time: DepartureTime,
  ): Organism | undefined {
    if (this.lifecycle.size < maxOrganisms) return undefined;
    const moment = this.moment(time);
    const { staying } = this;
    let departing = chooseDeparting(staying, moment);
    if (planter !== undefined) departing ??= chooseFresh(staying, moment, planter);
    if (!departing) throw new Refusal('garden-full');
    return departing;
  }

  private get staying(): Organism[] {
    return [...this.lifecycle.all].filter(({ phase }) => phase !== 'departing');
  }

  private moment(time: DepartureTime): Moment {
    return { ...this.attendance.facts, ...time };
  }
}
