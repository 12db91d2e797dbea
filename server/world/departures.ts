/**
 * The organisms that depart from a room: who goes, how they dissolve, and how long their planters
 * can still bring them back or plant them again (rules DEP-1 … DEP-12).
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import { chance } from './chance.ts';
import {
  chooseDeparting,
  chooseFresh,
  chooseOutlived,
  chooseUnattended,
  type Moment,
} from './departure.ts';
import { dissolvingPlaces } from './dissolving.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { CommandState, RoomState } from './room-state.ts';

/** An organism that has departed lately, so that its planter can plant it again. */
export type Departed = NonNullable<RoomState['departed']>[number];

const { dissolveSeconds, maxDissolving, renewSeconds, maxDeparted, busyShare, outlivedSeconds } =
  DEFAULTS.departure;

/** What departing depends on, besides the organisms. */
export interface DepartureContext {
  readonly tickRate: number;
  /** Of the room's rules: under 1, organisms depart at once. */
  readonly rules: number;
  /** Of the room's chances. */
  readonly chanceSeed: number;
  readonly maxOrganisms: number;
  /** Seconds after which organisms depart from a busy room; 0: never. */
  readonly lifetime: number;
  /** Undefined in a room of an earlier release, from which nothing departs. */
  readonly momentAt: (tick: number) => Moment | undefined;
}

/** Has organisms of a room depart. */
export class Departures {
  /** Oldest first. */
  private departed: Departed[] = [];

  constructor(
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly context: DepartureContext,
  ) {}

  export(): Pick<CommandState, 'departed'> {
    return this.departed.length > 0 ? { departed: [...this.departed] } : {};
  }

  restore({ departed = [] }: Pick<CommandState, 'departed'>): void {
    this.departed = [...departed];
  }

  /** The organism that has been unattended longest, if any. */
  unattended(tick: number): Organism | undefined {
    const moment = this.context.momentAt(tick);
    return moment && chooseUnattended(this.staying, moment);
  }

  /**
   * Chooses who departs for one more organism.
   *
   * @param planter of the new one; absent: nothing fresh departs
   * @returns undefined while there is room
   * @throws Refusal garden-full
   */
  choose(tick: number, planter?: ParticipantId): Organism | undefined {
    const { maxOrganisms, momentAt } = this.context;
    if (this.lifecycle.size < maxOrganisms) return undefined;
    const moment = momentAt(tick);
    const { staying } = this;
    const chosen =
      moment &&
      (chooseDeparting(staying, moment) ??
        (planter === undefined ? undefined : chooseFresh(staying, moment, planter)));
    if (!chosen) throw new Refusal('garden-full');
    return chosen;
  }

  /** Has an organism depart. So that few need memory, at most `maxDissolving` dissolve at once. */
  depart(organism: Organism, tick: number): void {
    const { rules, tickRate } = this.context;
    if (rules < 2) {
      this.lifecycle.die(organism, 'departed');
      return;
    }
    const { departing } = this.lifecycle;
    if (departing.length >= maxDissolving) {
      this.end(
        departing.reduce((next, one) => (one.dissolving! < next.dissolving! ? one : next)),
        tick,
      );
    }
    organism.dissolving = Math.max(1, Math.round(dissolveSeconds * tickRate));
    this.lifecycle.depart(organism);
  }

  /** An organism of `departed` that its planter may still plant again. */
  find(id: OrganismId, tick: number): Departed | undefined {
    return this.departed.find((one) => one.id === id && !this.isOver(one, tick));
  }

  /** Organisms of a planter that depart, or can still be planted again; oldest first. */
  renewable(planter: ParticipantId, tick: number): Pick<Departed, 'id' | 'kind'>[] {
    const all = [...this.departed.filter((one) => !this.isOver(one, tick)), ...this.lifecycle.departing];
    return all.filter((one) => one.planter.id === planter);
  }

  /** Forgets a departed organism, as it was planted again. */
  forget(departed: Departed): void {
    this.departed = this.departed.filter((one) => one !== departed);
  }

  /** Remembers a departed organism, as its seed could not be planted. */
  remember(departed: Departed): void {
    this.departed = [...this.departed, departed].sort((a, b) => a.at - b.at || a.id - b.id);
    this.departed.splice(0, this.departed.length - maxDeparted);
  }

  /** Once a tick, after its commands: lets organisms dissolve further, and has outlived ones depart. */
  step(tick: number): void {
    if (this.context.rules < 2) return;
    this.departed = this.departed.filter((one) => !this.isOver(one, tick));
    this.outlive(tick);
    for (const organism of this.lifecycle.departing) this.dissolve(organism, tick);
  }

  private get staying(): Organism[] {
    return [...this.lifecycle.all].filter(({ phase }) => phase !== 'departing');
  }

  private isOver({ at }: Departed, tick: number): boolean {
    return tick - at >= renewSeconds * this.context.tickRate;
  }

  /** Has one organism depart that has outlived its lifetime, every few seconds in a busy room. */
  private outlive(tick: number): void {
    const { lifetime, tickRate, maxOrganisms, momentAt } = this.context;
    if (lifetime === 0 || this.lifecycle.size <= busyShare * maxOrganisms) return;
    if (tick % Math.max(1, Math.round(outlivedSeconds * tickRate)) !== 0) return;
    const moment = momentAt(tick);
    // None goes in a blink for another one that has time.
    if (!moment || this.lifecycle.departing.length >= maxDissolving) return;
    const organism = chooseOutlived(this.staying, moment, lifetime);
    if (organism) this.depart(organism, tick);
  }

  private dissolve(organism: Organism, tick: number): void {
    const left = organism.dissolving!;
    // By place and time of birth, as ids differ after an undo.
    const places = dissolvingPlaces(organism, this.grid, left, (place) =>
      chance(this.context.chanceSeed, place, organism.born),
    );
    this.lifecycle.lose(places);
    organism.dissolving = left - 1;
    if (left === 1 || places.length === 0) this.end(organism, tick);
  }

  private end(organism: Organism, tick: number): void {
    const { id, window, latent, origin, kind, parents, planter } = organism;
    this.lifecycle.die(organism, 'departed');
    // The house, the gardener and forgotten visitors do not come back.
    const since = this.context.momentAt(tick)?.absentSince(planter.id) ?? tick;
    if (!Number.isFinite(since)) return;
    const { x, y } = window;
    this.remember({ id, x, y, latent, origin, kind, parents: [...parents], planter, at: tick });
  }
}
