/** Who is present in a room, and which organism departs (rules DEP-1 … DEP-6 and DEP-11). */

import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { countBy, defined } from '../platform/collections.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import type { CommandState } from './room-state.ts';

/** Numbers of the rules DEP-1 … DEP-11. */
export const DEPARTURE = {
  /** How long a departing organism dissolves; seconds. */
  dissolveSeconds: 8,
  /** How long its planter can plant it again after that; seconds. */
  renewSeconds: 60,
  /** Organisms younger than this depart only if all are; seconds. */
  protectedSeconds: 60,
  /** The gardener may remove resting organisms whose planter has been away this long; seconds. */
  unattendedSeconds: 600,
  /** Organisms that dissolve at once; for one more, the one nearest its end goes at once. */
  maxDissolving: 8,
  /** Departed organisms of a room that can still be planted again. */
  maxDeparted: 256,
  /** A room is busy, so that lifetimes end, with more than this share of its maximum, */
  busyShare: 0.5,
  /** and one organism departs this often; seconds. */
  outlivedSeconds: 3,
} as const;
const { protectedSeconds, unattendedSeconds } = DEPARTURE;

/** The properties of a living organism that decide. */
export interface Resident extends Pick<Organism, 'id' | 'phase' | 'born' | 'renewed'> {
  readonly planter: { readonly id: ParticipantId };
  /** While it expresses a relative, or is on its way home. */
  readonly expression?: unknown;
}

/** Whether it rests; one that expresses a relative does. */
const rests = ({ phase, expression }: Resident): boolean =>
  phase === 'asleep' || expression !== undefined;

/** The tick at which an organism's life began: its planting, or when its planter renewed it. */
const lifeBegan = ({ born, renewed = born }: Resident): number => renewed;

/** A tick, and the nominal ticks per second. */
export interface RoomTime {
  readonly tick: number;
  readonly tickRate: number;
}

/** A time, and who was present, as far as the choice depends on it. */
export interface Moment extends RoomTime {
  /**
   * The tick at which a planter left; undefined while they are present, −Infinity for planters who
   * are not known to have been present: the host, the gardener, forgotten visitors.
   */
  readonly absentSince: (planter: ParticipantId) => number | undefined;
  /**
   * The same number for planters of one network address; undefined for those whose is not known.
   * Absent until somebody has entered with a source: then no fresh organism departs.
   */
  readonly sourceOf?: ((planter: ParticipantId) => number | undefined) | undefined;
}

/** @param rankOf undefined excludes a resident @returns the others; ranks ascend number by number */
function byRank<R extends Resident>(
  residents: readonly R[],
  rankOf: (resident: R) => readonly number[] | undefined,
): R[] {
  return residents
    .flatMap((resident) => {
      const rank = rankOf(resident);
      return rank ? [{ resident, rank }] : [];
    })
    .sort((a, b) => {
      const i = a.rank.findIndex((value, k) => value !== b.rank[k]);
      return a.rank[i] < b.rank[i] ? -1 : 1;
    })
    .map(({ resident }) => resident);
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
  { tick, tickRate, absentSince }: Moment,
  isEligible: (resident: R) => boolean = () => true,
): R | undefined {
  const counts = countBy(residents, ({ planter }) => planter.id);
  const [chosen] = byRank(residents, (resident) => {
    const { id, planter } = resident;
    if (tick - lifeBegan(resident) < protectedSeconds * tickRate) return undefined;
    if (!isEligible(resident)) return undefined;
    const isResting = rests(resident);
    const since = absentSince(planter.id);
    // Keeping an organism awake does not protect it: resting matters only if the planter is absent.
    if (isResting && since !== undefined) return [0, since, id];
    return [1, -counts.get(planter.id)!, isResting ? 0 : 1, id];
  });
  return chosen;
}

/**
 * Chooses among organisms that were all planted less than a minute ago, so that nobody can keep
 * others out by planting fast: of the address with most, preferably the newcomer's own, the planter
 * with most, and of theirs the newest.
 */
function chooseFresh(
  residents: readonly Organism[],
  { sourceOf }: Moment,
  newcomer: ParticipantId,
): Organism | undefined {
  if (!sourceOf) return undefined;
  // Sources are positive, so a planter without one has a number of their own.
  const keyOf = (planter: ParticipantId): number => sourceOf(planter) ?? -planter;
  const bySource = countBy(residents, ({ planter }) => keyOf(planter.id));
  const byPlanter = countBy(residents, ({ planter }) => planter.id);
  const own = keyOf(newcomer);
  const [chosen] = byRank(residents, ({ id, planter }) => {
    const key = keyOf(planter.id);
    return [-bySource.get(key)!, key === own ? 0 : 1, -byPlanter.get(planter.id)!, -id];
  });
  return chosen;
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
  { tick, tickRate, absentSince }: Moment,
  seconds: number = unattendedSeconds,
): R[] {
  return byRank(residents, (resident) => {
    const { id, planter, born } = resident;
    const since = absentSince(planter.id);
    if (!rests(resident) || since === undefined) return undefined;
    return tick - Math.max(since, born) >= seconds * tickRate ? [since, id] : undefined;
  });
}

/** Ticks between two removals of absent participants without organisms. */
const PRUNE_EVERY = 64;

/** Tracks who is present, and chooses by it. */
export class Departures {
  readonly present = new Set<ParticipantId>();
  /** Absent participants who still have organisms, and the tick at which they left. */
  private absent = new Map<ParticipantId, number>();
  /** Where the present and the absent came from; undefined until somebody's source is known. */
  private sources: Map<ParticipantId, number> | undefined;

  /** @param maxOrganisms how many may live at once */
  constructor(
    private readonly lifecycle: OrganismLifecycle,
    public maxOrganisms: number,
  ) {}

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

  export(): Pick<CommandState, 'attendance'> {
    const absent = [...this.absent].map(([participant, since]) => ({ participant, since }));
    const sources =
      this.sources && [...this.sources].map(([participant, source]) => ({ participant, source }));
    return { attendance: defined({ present: [...this.present], absent, sources }) };
  }

  restore({ attendance: { present, absent, sources } }: Pick<CommandState, 'attendance'>): void {
    this.present.clear();
    for (const participant of present) this.present.add(participant);
    this.absent = new Map(absent.map(({ participant, since }) => [participant, since]));
    this.sources =
      sources && new Map(sources.map(({ participant, source }) => [participant, source]));
  }

  /** Call once a tick: forgets absent participants without organisms. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const planters = new Set([...this.lifecycle.all].map(({ planter }) => planter.id));
    for (const participant of this.absent.keys()) {
      if (planters.has(participant)) continue;
      this.absent.delete(participant);
      this.sources?.delete(participant);
    }
  }

  /** The unattended organisms, the longest first; see `unattendedOf`. */
  unattended(time: RoomTime, seconds?: number): Organism[] {
    return unattendedOf(this.staying, this.moment(time), seconds);
  }

  /** A resting organism that has outlived its lifetime, if any. @param lifetime seconds */
  outlived(lifetime: number, time: RoomTime): Organism | undefined {
    return chooseDeparting(
      this.staying,
      this.moment(time),
      (one) => rests(one) && time.tick - lifeBegan(one) >= lifetime * time.tickRate,
    );
  }

  /** Whether a planter is present, or has been. */
  knows(planter: ParticipantId): boolean {
    return this.present.has(planter) || this.absent.has(planter);
  }

  /**
   * Chooses who departs for one more organism.
   *
   * @param planter of the new one; undefined: nothing fresh departs for it
   * @returns undefined while there is room
   * @throws Refusal garden-full
   */
  departing(planter: ParticipantId | undefined, time: RoomTime): Organism | undefined {
    if (this.lifecycle.size < this.maxOrganisms) return undefined;
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

  private moment(time: RoomTime): Moment {
    const { present, absent, sources } = this;
    return {
      ...time,
      absentSince: (planter) =>
        present.has(planter) ? undefined : (absent.get(planter) ?? Number.NEGATIVE_INFINITY),
      sourceOf: sources && ((planter) => sources.get(planter)),
    };
  }
}
