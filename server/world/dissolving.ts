/**
 * The organisms of a room that dissolve as they depart, and those that have departed lately: their
 * planters can bring them back or plant them again (rules DEP-7 … DEP-11).
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import { chance } from './chance.ts';
import type { RoomCommand } from './commands.ts';
import type { Departures, DepartureTime } from './departures.ts';
import { dissolvingPlaces } from './dissolving-places.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { Planting } from './planting.ts';
import { nearestWindow } from './planting-site.ts';
import type { CommandState, Departed } from './room-state.ts';

const { dissolveSeconds, maxDissolving, renewSeconds, maxDeparted, busyShare, outlivedSeconds } =
  DEFAULTS.departure;

/** When an organism is renewed, and what that depends on. */
export interface RenewalContext extends DepartureTime {
  readonly maxOrganisms: number;
  /** Index of the answer to the command. */
  readonly answer: number;
}

/** An organism that its planter can renew. */
export interface Renewable extends Pick<Departed, 'id' | 'kind'> {
  /** For how long. */
  readonly secondsLeft: number;
}

/** Has organisms depart, and remembers those that have. */
export class Dissolving {
  /** Oldest first. */
  private departed: Departed[] = [];

  constructor(
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly departures: Departures,
  ) {}

  export(): Pick<CommandState, 'departed'> {
    return this.departed.length > 0 ? { departed: [...this.departed] } : {};
  }

  restore({ departed = [] }: Pick<CommandState, 'departed'>): void {
    this.departed = [...departed];
  }

  /**
   * Has an organism depart. At most `maxDissolving` dissolve at once, as the engine still has their
   * cells; for one more, the one nearest its end goes at once.
   *
   * @param seconds until it is gone
   */
  begin(
    organism: Organism,
    { tick, tickRate }: DepartureTime,
    seconds: number = dissolveSeconds,
  ): void {
    const { lifecycle } = this;
    const { departing } = lifecycle;
    if (departing.length >= maxDissolving) {
      const nearest = departing.reduce((a, b) => (b.dissolving! < a.dissolving! ? b : a));
      this.end(nearest, tick);
    }
    organism.dissolving = Math.max(1, Math.round(seconds * tickRate));
    lifecycle.depart(organism);
  }

  /** Has an organism depart for good. @throws Refusal no-such-organism */
  dismiss({ organism: id, seconds }: RoomCommand & { what: 'depart' }, time: DepartureTime): void {
    const organism = this.lifecycle.require(id);
    organism.isFinal = true;
    if (organism.phase !== 'departing') this.begin(organism, time, seconds);
  }

  /**
   * Has one of the sender's own organisms depart, or the one that has been unattended longest
   * (rule DEP-4).
   *
   * @throws Refusal no-such-organism, not-yours
   */
  thin({ by, organism: id }: RoomCommand & { what: 'thin' }, time: DepartureTime) {
    const { lifecycle, departures } = this;
    const organism = id === undefined ? departures.unattended(time)[0] : lifecycle.find(id);
    if (!organism || organism.phase === 'departing') {
      const detail = id === undefined ? 'none is long unattended' : `organism ${id}`;
      throw new Refusal('no-such-organism', detail);
    }
    // By name, as the gardener's number changes when the server restarts.
    if (id !== undefined && organism.planter.name !== by.name) throw new Refusal('not-yours');
    this.begin(organism, time);
    return { removed: 1 };
  }

  /** Once a tick, after its commands. */
  step(maxOrganisms: number, time: DepartureTime): void {
    this.departed = this.departed.filter((one) => !isOver(one, time));
    this.outlive(maxOrganisms, time);
    for (const organism of this.lifecycle.departing) this.dissolve(organism, time.tick);
  }

  /** Ends what dissolves, because the engine is out of memory. */
  endAll(tick: number): void {
    for (const organism of this.lifecycle.departing) this.end(organism, tick);
  }

  /** The organisms of a planter that depart or have departed lately. */
  renewable(planter: ParticipantId, time: DepartureTime): Renewable[] {
    const isTheirs = ({ planter: by, isFinal }: Pick<Organism, 'planter'> & Partial<Organism>) =>
      by.id === planter && !isFinal;
    const gone = this.departed.filter((one) => isTheirs(one) && !isOver(one, time));
    return [
      ...gone.map(({ id, kind, at }) => ({ id, kind, ticks: at - time.tick })),
      ...this.lifecycle.departing.filter(isTheirs).map((organism) => {
        const { id, kind, dissolving } = organism;
        return { id, kind, ticks: dissolving! };
      }),
    ].map(({ ticks, ...one }) => ({ ...one, secondsLeft: renewSeconds + ticks / time.tickRate }));
  }

  /**
   * Brings a departing organism back, or plants one again that has departed (rule DEP-10). Both use
   * up an id, because after an undo one of them may become the other.
   *
   * @throws Refusal no-such-organism, not-yours, garden-full, occupied
   */
  renew(
    { by, organism: id }: RoomCommand & { what: 'renew' },
    planting: Planting,
    { maxOrganisms, answer, ...time }: RenewalContext,
  ): void {
    const { lifecycle, departures } = this;
    const living = lifecycle.find(id);
    const departed = living ? undefined : this.find(id, time);
    const mine = living ?? departed;
    if (!mine) throw new Refusal('no-such-organism', `organism ${id}`);
    if (mine.planter.id !== by.id) throw new Refusal('not-yours', `organism ${id}`);
    // Otherwise planters could keep all of theirs from ever departing.
    if (living && (living.phase !== 'departing' || living.isFinal)) {
      throw new Refusal('no-such-organism', `organism ${id} does not depart`);
    }
    const other = departures.departing(undefined, maxOrganisms, time);
    if (living) {
      lifecycle.bringBack(living);
      planting.nextOrganism++;
      living.renewed = time.tick;
    } else {
      const { x, y, latent, origin, kind, parents } = departed!;
      const window = nearestWindow({ x, y }, planting.side, this.grid);
      this.departed = this.departed.filter((one) => one !== departed);
      const seed = { window, latent, origin, kind, parents };
      planting.plant({ ...seed, by, answer, departed: departed! }, time.tick);
    }
    if (other) this.begin(other, time);
  }

  private find(id: OrganismId, time: DepartureTime): Departed | undefined {
    return this.departed.find((one) => one.id === id && !isOver(one, time));
  }

  /** Also for one whose seed could not be planted after all. */
  remember(departed: Departed): void {
    this.departed = [...this.departed, departed].sort((a, b) => a.at - b.at || a.id - b.id);
    if (this.departed.length > maxDeparted) this.departed.shift();
  }

  /** Every few seconds in a busy room, one organism departs that has outlived its lifetime. */
  private outlive(maxOrganisms: number, time: DepartureTime): void {
    const { lifecycle } = this;
    const { lifetime = 0 } = lifecycle.rules.life;
    if (lifetime === 0 || lifecycle.size <= busyShare * maxOrganisms) return;
    if (time.tick % Math.max(1, Math.round(outlivedSeconds * time.tickRate)) !== 0) return;
    // It can wait, and none that dissolves has to go at once for it.
    if (lifecycle.departing.length >= maxDissolving) return;
    const organism = this.departures.outlived(lifetime, time);
    if (organism) this.begin(organism, time);
  }

  private dissolve(organism: Organism, tick: number): void {
    const { rules } = this.lifecycle;
    const left = organism.dissolving!;
    // Not by its id: an undo must not change how others dissolve.
    const chanceOf = (place: number): number => chance(rules.seed, place, organism.born);
    const places = dissolvingPlaces(organism, this.grid, left, chanceOf);
    this.lifecycle.lose(places);
    organism.dissolving = left - 1;
    if (left === 1 || places.length === 0) this.end(organism, tick);
  }

  private end(organism: Organism, tick: number): void {
    const { id, latent, origin, kind, parents, planter, isFinal } = organism;
    const { x, y } = organism.window;
    this.lifecycle.die(organism, 'departed');
    // The house, the gardener and forgotten visitors do not come back for it.
    if (isFinal || !this.departures.knows(planter.id)) return;
    this.remember({ id, x, y, latent, origin, kind, parents: [...parents], planter, at: tick });
  }
}

/** Whether a departed organism can no longer be planted again. */
const isOver = ({ at }: Departed, { tick, tickRate }: DepartureTime): boolean =>
  tick - at >= renewSeconds * tickRate;
