/**
 * Tracks who is present in a room, and chooses the organisms that depart (rules DEP-1 … DEP-6,
 * DEP-11).
 */

import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { countBy, defined } from '../platform/collections.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import type { CommandState } from './room-state.ts';

/** Constants of the rules DEP-1 … DEP-11. */
export const DEPARTURE = {
  /** How long an organism dissolves before it is gone, in seconds. */
  dissolveSeconds: 8,
  /** How long the planter can replant an organism after it has dissolved, in seconds. */
  renewSeconds: 60,
  /** Organisms younger than this, in seconds, depart only if all others are as young. */
  protectedSeconds: 60,
  /**
   * How long a planter must be absent before the gardener may remove their resting organisms, in
   * seconds.
   */
  unattendedSeconds: 600,
  /**
   * Maximum number of dissolving organisms. If there are more, the one nearest to its end is
   * removed.
   */
  maxDissolving: 8,
  /** Maximum number of departed organisms per room that are remembered for replanting. */
  maxDeparted: 256,
  /**
   * If a room has more organisms than this share of its maximum, it counts as busy. Only in a busy
   * room do organisms depart at the end of their lifetime.
   */
  busyShare: 0.5,
  /** Interval between departures of organisms that have outlived their lifetime, in seconds. */
  outlivedSeconds: 3,
} as const;
const { protectedSeconds, unattendedSeconds } = DEPARTURE;

/** Those properties of a living organism that decide whether it departs. */
export interface Resident extends Pick<Organism, 'id' | 'phase' | 'born' | 'renewed'> {
  readonly planter: { readonly id: ParticipantId };
  /** Present while the organism expresses a relative or is returning to its own latent. */
  readonly expression?: unknown;
}

/**
 * Returns whether an organism is resting. An organism that is expressing a relative counts as
 * resting.
 */
const rests = ({ phase, expression }: Resident): boolean =>
  phase === 'asleep' || expression !== undefined;

/** Returns the tick at which an organism's life began: its planting, or its last renewal. */
const lifeBegan = ({ born, renewed = born }: Resident): number => renewed;

/** A tick, and the nominal number of ticks per second. */
export interface RoomTime {
  readonly tick: number;
  readonly tickRate: number;
}

/** A tick, with the presence and the network addresses of planters at that tick. */
export interface Moment extends RoomTime {
  /**
   * Returns the tick at which a planter left; undefined if the planter is present; −Infinity for
   * planters who are not known to have been present, such as the host, the gardener and forgotten
   * visitors.
   */
  readonly absentSince: (planter: ParticipantId) => number | undefined;
  /**
   * Returns a number shared by all planters of one network address; undefined if the address is
   * unknown. If the function is absent, no participant has entered with such a number yet, and no
   * organism younger than a minute departs.
   */
  readonly sourceOf?: ((planter: ParticipantId) => number | undefined) | undefined;
}

/**
 * Sorts residents by their rank numbers, ascending.
 *
 * @param rankOf returns undefined to leave out a resident
 */
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
 * Chooses the organism to remove for a new one: a resting organism whose planter is absent, the
 * longest absent planter first. If there is none, chooses from the planter with the most organisms:
 * resting organisms first, then the oldest.
 *
 * @param residents all living organisms that are not departing yet
 * @param isEligible returns whether an organism may be chosen. If absent, all may be chosen
 * @returns undefined if no eligible organism is older than a minute
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
    // Rank resting organisms first only if their planter is absent, so that nobody protects an
    // organism by keeping it awake.
    if (isResting && since !== undefined) return [0, since, id];
    return [1, -counts.get(planter.id)!, isResting ? 0 : 1, id];
  });
  return chosen;
}

/**
 * Chooses among organisms that were all planted less than a minute ago, so that nobody can keep
 * others out by planting fast. Takes the address with the most organisms (the newcomer's own
 * address if tied), then the planter with the most organisms at that address, and chooses this
 * planter's newest organism.
 */
function chooseFresh(
  residents: readonly Organism[],
  { sourceOf }: Moment,
  newcomer: ParticipantId,
): Organism | undefined {
  if (!sourceOf) return undefined;
  // For a planter without a source, use the negated id, which is unique because sources are
  // positive.
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
 * Returns the unattended organisms: resting organisms whose planter has been absent for at least
 * `seconds` of their life.
 *
 * @param residents all living organisms that are not departing yet
 * @param seconds if undefined, ten minutes (rule DEP-4)
 * @returns the organism that has been unattended longest comes first
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

/** Number of ticks between two removals of absent participants who have no organisms. */
const PRUNE_EVERY = 64;

/** Tracks who is present, and uses this to choose the organisms that depart. */
export class Departures {
  readonly present = new Set<ParticipantId>();
  /** Absent participants who still have organisms, with the tick at which they left. */
  private absent = new Map<ParticipantId, number>();
  /**
   * Sources of participants, whether present or absent; undefined until the first source is known.
   */
  private sources: Map<ParticipantId, number> | undefined;

  /** @param maxOrganisms maximum number of living organisms */
  constructor(
    private readonly lifecycle: OrganismLifecycle,
    public maxOrganisms: number,
  ) {}

  /** @param source number shared by all participants of one network address */
  enter(participant: ParticipantId, source?: number): void {
    this.present.add(participant);
    this.absent.delete(participant);
    if (source === undefined) return;
    this.sources ??= new Map();
    this.sources.set(participant, source);
  }

  /**
   * Records that a participant has left. Ignores actors that never entered, such as the gardener.
   */
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

  /** Forgets absent participants who have no organisms. Call once per tick. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const planters = new Set([...this.lifecycle.all].map(({ planter }) => planter.id));
    for (const participant of this.absent.keys()) {
      if (planters.has(participant)) continue;
      this.absent.delete(participant);
      this.sources?.delete(participant);
    }
  }

  /**
   * Returns the unattended organisms, starting with the longest unattended one: see `unattendedOf`.
   */
  unattended(time: RoomTime, seconds?: number): Organism[] {
    return unattendedOf(this.staying, this.moment(time), seconds);
  }

  /**
   * Returns a resting organism that has outlived its lifetime; undefined if there is none.
   *
   * @param lifetime seconds
   */
  outlived(lifetime: number, time: RoomTime): Organism | undefined {
    return chooseDeparting(
      this.staying,
      this.moment(time),
      (one) => rests(one) && time.tick - lifeBegan(one) >= lifetime * time.tickRate,
    );
  }

  /** Returns whether a planter is present, or is absent but not forgotten. */
  knows(planter: ParticipantId): boolean {
    return this.present.has(planter) || this.absent.has(planter);
  }

  /**
   * Chooses the organism that departs to make room for a new one.
   *
   * @param planter planter of the new organism. If undefined, no organism younger than a minute
   *   departs for it
   * @returns undefined if the room is not full
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
