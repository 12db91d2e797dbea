/**
 * Tracks who is present in a room, makes organisms depart, and lets their planters renew them
 * (rules DEP-1 … DEP-11).
 */
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { countBy, defined } from '../platform/collections.ts';
import type { CommandTurn, RoomCommand, RoomTime } from './commands.ts';
import { dissolvingPlaces } from './dissolving.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { nearestWindow, type Planting } from './planting.ts';
import { chance } from './room-rules.ts';
import type { CommandState, Departed } from './room-state.ts';

export const DEPARTURE = {
  /** How long an organism dissolves, in seconds. */
  dissolveSeconds: 8,
  /** How long a planter can replant an organism after it has dissolved, in seconds. */
  renewSeconds: 60,
  /** Age, in seconds, below which an organism departs only if the room has no older organisms. */
  protectedSeconds: 60,
  /**
   * Minimum absence of a planter before the gardener may remove their resting organisms, in
   * seconds.
   */
  unattendedSeconds: 600,
  /**
   * Maximum number of organisms that dissolve at the same time. If one more departs, the dissolving
   * organism with the least time left is removed immediately.
   */
  maxDissolving: 8,
  /** Maximum number of departed organisms per room that are remembered for replanting. */
  maxDeparted: 256,
  /**
   * Share of a room's maximum number of organisms above which the room counts as busy. Organisms
   * depart at the end of their lifetime only in a busy room.
   */
  busyShare: 0.5,
  /**
   * Interval between departures of organisms that have exceeded the room's setting `lifetime`, in
   * seconds.
   */
  outlivedSeconds: 3,
} as const;

/** Interval, in ticks, at which absent participants without organisms are forgotten. */
const PRUNE_EVERY = 64;

/**
 * Returns whether an organism is resting. An organism that temporarily looks like a relative (a
 * similar creature) counts as resting, although it is awake.
 */
const rests = ({ phase, expression }: Organism): boolean =>
  phase === 'asleep' || expression !== undefined;

/** Returns the tick at which an organism's lifetime began: when it was planted or last renewed. */
const lifeBegan = ({ born, renewed = born }: Organism): number => renewed;

/** Returns whether an organism departed so long ago that it can no longer be replanted. */
const isOver = ({ at }: Departed, { tick, tickRate }: RoomTime): boolean =>
  tick - at >= DEPARTURE.renewSeconds * tickRate;

/**
 * Sorts organisms by rank, lowest first. The first number in which two ranks differ decides.
 *
 * @param rankOf returns an organism's rank; undefined to omit the organism
 */
function byRank(
  organisms: readonly Organism[],
  rankOf: (organism: Organism) => readonly number[] | undefined,
): Organism[] {
  return organisms
    .flatMap((organism) => {
      const rank = rankOf(organism);
      return rank ? [{ organism, rank }] : [];
    })
    .sort((a, b) => {
      const i = a.rank.findIndex((value, k) => value !== b.rank[k]);
      return a.rank[i] < b.rank[i] ? -1 : 1;
    })
    .map(({ organism }) => organism);
}

export interface Renewable extends Pick<Departed, 'id' | 'kind'> {
  readonly secondsLeft: number;
}

export class Departures {
  readonly present = new Set<ParticipantId>();
  /** Absent participants who still have organisms, each with the tick at which they left. */
  private absent = new Map<ParticipantId, number>();
  /**
   * For each participant, a number that all participants with the same network address share. If
   * all organisms were planted or renewed less than a minute ago, these numbers decide which one
   * makes room for a new organism; without the map, none does. Undefined until a participant with
   * such a number enters.
   */
  private sources: Map<ParticipantId, number> | undefined;
  /** Departed organisms that can be replanted, earliest departure first. */
  private departed: Departed[] = [];

  constructor(
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly planting: Planting,
    public maxOrganisms: number,
  ) {}

  /**
   * Records that a participant has entered.
   *
   * @param source number that all participants of one network address share
   */
  enter(participant: ParticipantId, source?: number): void {
    this.present.add(participant);
    this.absent.delete(participant);
    if (source === undefined) return;
    this.sources ??= new Map();
    this.sources.set(participant, source);
  }

  /**
   * Records that a participant has left. Ignores senders that never entered, such as the gardener.
   */
  leave(participant: ParticipantId, tick: number): void {
    if (this.present.delete(participant)) this.absent.set(participant, tick);
  }

  export(): Pick<CommandState, 'attendance' | 'departed'> {
    const { sources, departed } = this;
    const attendance = defined({
      present: [...this.present],
      absent: [...this.absent].map(([participant, since]) => ({ participant, since })),
      sources: sources && [...sources].map(([participant, source]) => ({ participant, source })),
    });
    return { attendance, ...(departed.length > 0 && { departed: [...departed] }) };
  }

  restore({ attendance, departed = [] }: Pick<CommandState, 'attendance' | 'departed'>): void {
    const { present, absent, sources } = attendance;
    this.present.clear();
    for (const participant of present) this.present.add(participant);
    this.absent = new Map(absent.map(({ participant, since }) => [participant, since]));
    this.sources =
      sources && new Map(sources.map(({ participant, source }) => [participant, source]));
    this.departed = [...departed];
  }

  /** Forgets absent participants who have no organisms. Call once per tick. */
  prune(tick: number): void {
    if (tick % PRUNE_EVERY !== 0 || this.absent.size === 0) return;
    const planters = new Set([...this.lifecycle.population.all].map(({ planter }) => planter.id));
    for (const participant of this.absent.keys()) {
      if (planters.has(participant)) continue;
      this.absent.delete(participant);
      this.sources?.delete(participant);
    }
  }

  /**
   * Returns the resting organisms whose planter has been absent for at least `seconds`, longest
   * absence first. Absence before the organism was planted does not count.
   *
   * @param seconds minimum absence; if undefined, ten minutes (rule DEP-4)
   */
  unattended(
    { tick, tickRate }: RoomTime,
    seconds: number = DEPARTURE.unattendedSeconds,
  ): Organism[] {
    return byRank(this.lifecycle.population.staying, (organism) => {
      const { id, planter, born } = organism;
      const since = this.absentSince(planter.id);
      if (!rests(organism) || since === undefined) return undefined;
      return tick - Math.max(since, born) >= seconds * tickRate ? [since, id] : undefined;
    });
  }

  /**
   * Chooses the organism that departs to make room for a new one.
   *
   * @param planter planter of the new organism. If given, an organism younger than a minute may be
   *   chosen if there is no older one; if undefined, it may not
   * @returns undefined if the room is not full
   * @throws Refusal 'garden-full' if the room is full and no organism can be chosen
   */
  departing(planter: ParticipantId | undefined, time: RoomTime): Organism | undefined {
    if (this.lifecycle.population.staying.length < this.maxOrganisms) return undefined;
    const departing =
      this.choose(time) ?? (planter === undefined ? undefined : this.chooseFresh(planter));
    if (!departing) throw new Refusal('garden-full');
    return departing;
  }

  /**
   * Makes an organism depart. If `maxDissolving` organisms are already dissolving, the one with the
   * least time left is removed immediately, because dissolving organisms use memory of the engine.
   *
   * @param seconds how long the organism takes to dissolve
   */
  begin(
    organism: Organism,
    { tick, tickRate }: RoomTime,
    seconds: number = DEPARTURE.dissolveSeconds,
  ): void {
    const { departing } = this.lifecycle.population;
    if (departing.length >= DEPARTURE.maxDissolving) {
      const nearest = departing.reduce((a, b) => (b.dissolving! < a.dissolving! ? b : a));
      this.end(nearest, tick);
    }
    organism.dissolving = Math.max(1, Math.round(seconds * tickRate));
    this.lifecycle.depart(organism);
  }

  /** Makes an organism depart so that nobody can renew it. @throws Refusal 'no-such-organism' */
  dismiss({ organism: id, seconds }: RoomCommand<'depart'>, time: RoomTime): void {
    const organism = this.lifecycle.population.require(id);
    organism.isFinal = true;
    if (organism.phase !== 'departing') this.begin(organism, time, seconds);
  }

  /**
   * Makes an organism depart. The organism must be unattended or belong to the sender. If the
   * command names no organism, chooses the unattended organism whose planter has been absent
   * longest (rule DEP-4).
   *
   * @throws Refusal 'no-such-organism', 'not-yours'
   */
  thin({ by, organism: id }: RoomCommand<'thin'>, time: RoomTime) {
    const unattended = this.unattended(time);
    const organism = id === undefined ? unattended[0] : this.lifecycle.population.find(id);
    if (!organism || organism.phase === 'departing') throw new Refusal('no-such-organism');
    // Compare names, not ids: when the server restarts, the gardener (the automatic participant)
    // keeps its name but gets a new id.
    if (organism.planter.name !== by.name && !unattended.includes(organism)) {
      throw new Refusal('not-yours');
    }
    this.begin(organism, time);
    return { removed: 1 };
  }

  /**
   * Advances all departures by one tick: dissolves departing organisms further, and forgets
   * organisms that can no longer be replanted. In a busy room, every few seconds, chooses an
   * organism whose lifetime is over, and makes it depart. Call once per tick, after the tick's
   * commands.
   */
  step(time: RoomTime): void {
    this.departed = this.departed.filter((one) => !isOver(one, time));
    this.outlive(time);
    for (const organism of this.lifecycle.population.departing) this.dissolve(organism, time.tick);
  }

  /** Removes all dissolving organisms immediately. Called if the engine is out of memory. */
  endAll(tick: number): void {
    for (const organism of this.lifecycle.population.departing) this.end(organism, tick);
  }

  /** Returns the organisms that a planter can renew: departing and recently departed organisms. */
  renewable(planter: ParticipantId, time: RoomTime): Renewable[] {
    const renewable = ({ id, kind }: Departed | Organism, ticks: number): Renewable => ({
      id,
      kind,
      secondsLeft: DEPARTURE.renewSeconds + ticks / time.tickRate,
    });
    const isTheirs = (one: Departed | Organism): boolean => one.planter.id === planter;
    const gone = this.departed.filter((one) => isTheirs(one) && !isOver(one, time));
    const going = this.lifecycle.population.departing.filter(isTheirs);
    return [
      ...gone.map((one) => renewable(one, one.at - time.tick)),
      ...going.flatMap((one) => (one.isFinal ? [] : [renewable(one, one.dissolving!)])),
    ];
  }

  /**
   * Brings back a departing organism, or replants a departed one (rule DEP-10). Both use up one
   * organism id, because a replay after an undo may replant an organism that was brought back
   * before, or vice versa. Later organisms must still get the same ids.
   *
   * @throws Refusal 'no-such-organism', 'not-yours', 'garden-full', 'occupied'
   */
  renew({ by, organism: id }: RoomCommand<'renew'>, { answer, ...time }: CommandTurn): void {
    const { lifecycle, planting } = this;
    const living = lifecycle.population.find(id);
    const departed = this.departed.find((one) => one.id === id && !isOver(one, time));
    const mine = living ?? departed;
    if (mine && mine.planter.id !== by.id) throw new Refusal('not-yours', `organism ${id}`);
    // Refuse living organisms that are not departing: otherwise, planters could keep them in the
    // room forever by renewing them again and again. Also refuse organisms that nobody may renew
    // (`isFinal`).
    const isStaying = living && (living.phase !== 'departing' || living.isFinal);
    if (!mine || isStaying) throw new Refusal('no-such-organism', `organism ${id}`);
    const other = this.departing(undefined, time);
    if (living) {
      lifecycle.bringBack(living);
      planting.nextOrganism++;
      living.renewed = time.tick;
    } else {
      const window = nearestWindow(departed!, planting.side, this.grid);
      this.departed = this.departed.filter((one) => one !== departed);
      planting.plant({ seed: departed!, window, by, answer, departed }, time.tick);
    }
    if (other) this.begin(other, time);
  }

  /**
   * Remembers a departed organism, so that it can be replanted. Call again if replanting has
   * failed.
   */
  remember(departed: Departed): void {
    this.departed = [...this.departed, departed].sort((a, b) => a.at - b.at || a.id - b.id);
    if (this.departed.length > DEPARTURE.maxDeparted) this.departed.shift();
  }

  /**
   * Returns the tick at which a planter left; undefined if the planter is present; −Infinity if the
   * planter is not known to have been present, such as the host, the gardener and forgotten
   * visitors.
   */
  private absentSince(planter: ParticipantId): number | undefined {
    if (this.present.has(planter)) return undefined;
    return this.absent.get(planter) ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Chooses an organism to remove for a new one: a resting organism of the planter who has been
   * absent longest. If no absent planter has a resting organism, chooses from the planter with the
   * most organisms: resting organisms first, then the oldest.
   *
   * @param isEligible returns whether an organism may be chosen; if absent, all may be chosen
   * @returns undefined if no eligible organism is older than a minute
   */
  private choose(
    { tick, tickRate }: RoomTime,
    isEligible: (organism: Organism) => boolean = () => true,
  ): Organism | undefined {
    const { staying } = this.lifecycle.population;
    const counts = countBy(staying, ({ planter }) => planter.id);
    const [chosen] = byRank(staying, (organism) => {
      const { id, planter } = organism;
      if (tick - lifeBegan(organism) < DEPARTURE.protectedSeconds * tickRate) return undefined;
      if (!isEligible(organism)) return undefined;
      const isResting = rests(organism);
      const since = this.absentSince(planter.id);
      // Resting organisms of absent planters rank first. If all resting organisms ranked first,
      // present planters could protect their organisms by keeping them awake.
      if (isResting && since !== undefined) return [0, since, id];
      return [1, -counts.get(planter.id)!, isResting ? 0 : 1, id];
    });
    return chosen;
  }

  /**
   * Chooses an organism to remove if all were planted or renewed less than a minute ago. First
   * chooses the network address with the most organisms (if tied, the newcomer's address), then the
   * planter with the most organisms at this address, and then this planter's newest organism.
   */
  private chooseFresh(newcomer: ParticipantId): Organism | undefined {
    const { sources } = this;
    if (!sources) return undefined;
    // A planter without a network address counts as a separate address with a negative key. The
    // numbers of real addresses are positive.
    const keyOf = (planter: ParticipantId): number => sources.get(planter) ?? -planter;
    const { staying } = this.lifecycle.population;
    const bySource = countBy(staying, ({ planter }) => keyOf(planter.id));
    const byPlanter = countBy(staying, ({ planter }) => planter.id);
    const [chosen] = byRank(staying, ({ id, planter }) => {
      const key = keyOf(planter.id);
      const isOwn = key === keyOf(newcomer);
      return [-bySource.get(key)!, isOwn ? 0 : 1, -byPlanter.get(planter.id)!, -id];
    });
    return chosen;
  }

  /**
   * In a busy room, every few seconds, chooses an organism whose lifetime is over, and makes it
   * depart.
   */
  private outlive(time: RoomTime): void {
    const { rules, population } = this.lifecycle;
    const { lifetime = 0 } = rules.life;
    const { busyShare, outlivedSeconds, maxDissolving } = DEPARTURE;
    if (lifetime === 0 || population.staying.length <= busyShare * this.maxOrganisms) return;
    if (time.tick % Math.max(1, Math.round(outlivedSeconds * time.tickRate)) !== 0) return;
    // Another departure would make a dissolving organism disappear early.
    if (population.departing.length >= maxDissolving) return;
    const organism = this.choose(
      time,
      (one) => rests(one) && time.tick - lifeBegan(one) >= lifetime * time.tickRate,
    );
    if (organism) this.begin(organism, time);
  }

  private dissolve(organism: Organism, tick: number): void {
    const { seed } = this.lifecycle.rules;
    const left = organism.dissolving!;
    // Derive the random numbers from the tick of birth, not from the id: undoing a command may
    // change the ids of other organisms, but must not change how these organisms dissolve.
    const chanceOf = (place: number): number => chance(seed, place, organism.born);
    const places = dissolvingPlaces(organism, this.grid, left, chanceOf);
    for (const place of places) this.grid.clear(place);
    organism.dissolving = left - 1;
    if (left === 1 || places.length === 0) this.end(organism, tick);
  }

  private end(organism: Organism, tick: number): void {
    const { id, latent, origin, kind, parents, planter, grafts, isFinal } = organism;
    const { x, y } = organism.window;
    this.lifecycle.die(organism, 'departed');
    // The host, the gardener and visitors who are no longer known will not come back to replant
    // their organisms.
    const isKnown = this.present.has(planter.id) || this.absent.has(planter.id);
    if (isFinal || !isKnown) return;
    const seed = { latent, origin, kind, parents: [...parents], ...(grafts && { grafts }) };
    this.remember({ ...seed, id, x, y, planter, at: tick });
  }
}
