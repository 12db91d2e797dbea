/**
 * Organisms that dissolve because they are departing, and organisms that have departed recently.
 * Planters can bring back departing organisms and replant departed ones (rules DEP-7 … DEP-11).
 */

import { stageRect } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { RoomCommand } from './commands.ts';
import { DEPARTURE, type Departures, type RoomTime } from './departures.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { type CommandTurn, nearestWindow, type Planting } from './planting.ts';
import { chance } from './room-rules.ts';
import type { CommandState, Departed } from './room-state.ts';

/**
 * For each picture of an organism, the order in which its cells dissolve. Cached, because the
 * picture does not change while the organism dissolves.
 */
const known = new WeakMap<Uint8Array, Uint16Array>();
/** Maximum random delay of a cell in the order, in cells of depth. */
const ROUGHNESS = 3;
/** Number of steps per cell of depth that the order distinguishes. */
const STEPS = 65_536;
/** Minimum opacity at which a cell counts as inside the organism, 0…255. */
const OPAQUE = 26;

/**
 * Chooses the cells that a dissolving organism loses in a tick. These are the cells nearest to its
 * rim, in an order that is made irregular at random. Each tick takes an equal share of the cells,
 * so that none is left at the end.
 *
 * @param ticks number of remaining ticks including this one, at least 1
 * @param chanceOf returns a fixed random number for each cell, 0…1, which must not change as long
 *   as `seen` is the same
 * @returns grid indices; empty if the organism owns no cell
 */
export function dissolvingPlaces(
  { id, window, stage, seen }: Pick<Organism, 'id' | 'window' | 'stage' | 'seen'>,
  grid: GridPlanes,
  ticks: number,
  chanceOf: (place: number) => number,
): number[] {
  // Use the last picture, so that holes do not count as rim. If the organism is still a seed, it
  // has no picture yet.
  const side = seen ? Math.sqrt(seen.length / 4) : stage;
  const { x, y } = stageRect(window, side);
  const placeOf = (cell: number): number =>
    grid.place(x + (cell % side), y + Math.floor(cell / side));
  const chanceAt = (cell: number): number => chanceOf(placeOf(cell));
  const order = seen
    ? getOrAdd(known, seen, () => orderOf(depths(seen, side), chanceAt))
    : orderOf(new Uint16Array(side ** 2), chanceAt);
  const owned: number[] = [];
  for (const cell of order) {
    const place = placeOf(cell);
    if (grid.ownerAt(place) === id) owned.push(place);
  }
  return owned.slice(0, Math.ceil(owned.length / ticks));
}

/**
 * Returns the cells in the order in which they dissolve.
 *
 * @param depth [cells] depth of each cell
 */
function orderOf(depth: Uint16Array, chanceAt: (cell: number) => number): Uint16Array {
  // Combine order and cell into one number, because plain numbers can be sorted fastest.
  const keys = Float64Array.from(depth, (deep, cell) => {
    const order = Math.floor(STEPS * (deep + ROUGHNESS * chanceAt(cell)));
    return order * depth.length + cell;
  });
  return Uint16Array.from(keys.sort(), (key) => key % depth.length);
}

/**
 * Computes how deep inside the organism each cell lies: the number of steps along rows and columns
 * to the nearest position that is transparent or outside the square.
 *
 * @param rgba [side, side, 4]
 * @returns [side, side], 0 for transparent cells
 */
function depths(rgba: Uint8Array, side: number): Uint16Array {
  const depth = new Uint16Array(side * side);
  const at = (cell: number, isInside: boolean): number => (isInside ? depth[cell] : 0);
  for (let cell = 0; cell < depth.length; cell++) {
    if (rgba[4 * cell + 3] < OPAQUE) continue;
    const x = cell % side;
    depth[cell] = 1 + Math.min(at(cell - 1, x > 0), at(cell - side, cell >= side));
  }
  for (let cell = depth.length - 1; cell >= 0; cell--) {
    if (depth[cell] === 0) continue;
    const x = cell % side;
    const right = at(cell + 1, x < side - 1);
    const below = at(cell + side, cell + side < depth.length);
    depth[cell] = Math.min(depth[cell], 1 + right, 1 + below);
  }
  return depth;
}

const { dissolveSeconds, maxDissolving, renewSeconds, maxDeparted, busyShare, outlivedSeconds } =
  DEPARTURE;

/** An organism that its planter can renew now. */
export interface Renewable extends Pick<Departed, 'id' | 'kind'> {
  readonly secondsLeft: number;
}

/** Dissolves departing organisms, and remembers organisms that have departed. */
export class Dissolving {
  /** Departed organisms, earliest departure first. */
  private departed: Departed[] = [];

  constructor(
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly departures: Departures,
    private readonly planting: Planting,
  ) {}

  export(): Pick<CommandState, 'departed'> {
    return this.departed.length > 0 ? { departed: [...this.departed] } : {};
  }

  restore({ departed = [] }: Pick<CommandState, 'departed'>): void {
    this.departed = [...departed];
  }

  /**
   * Lets an organism depart. Because the engine still holds the cells of dissolving organisms, at
   * most `maxDissolving` organisms dissolve at a time. If there are more, the one nearest to its
   * end is removed immediately.
   *
   * @param seconds how long the organism takes to dissolve
   */
  begin(organism: Organism, { tick, tickRate }: RoomTime, seconds: number = dissolveSeconds): void {
    const { departing } = this.lifecycle;
    if (departing.length >= maxDissolving) {
      const nearest = departing.reduce((a, b) => (b.dissolving! < a.dissolving! ? b : a));
      this.end(nearest, tick);
    }
    organism.dissolving = Math.max(1, Math.round(seconds * tickRate));
    this.lifecycle.depart(organism);
  }

  /** Lets an organism depart for good: nobody can renew it. @throws Refusal no-such-organism */
  dismiss({ organism: id, seconds }: RoomCommand<'depart'>, time: RoomTime): void {
    const organism = this.lifecycle.require(id);
    organism.isFinal = true;
    if (organism.phase !== 'departing') this.begin(organism, time, seconds);
  }

  /**
   * Lets an organism depart that is the sender's own or unattended. If none is given, the one
   * departs that has been unattended longest (rule DEP-4).
   *
   * @throws Refusal no-such-organism, not-yours
   */
  thin({ by, organism: id }: RoomCommand<'thin'>, time: RoomTime) {
    const { lifecycle, departures } = this;
    const unattended = departures.unattended(time);
    const organism = id === undefined ? unattended[0] : lifecycle.find(id);
    if (!organism || organism.phase === 'departing') {
      const detail =
        id === undefined ? 'no organism has been unattended for long' : `organism ${id}`;
      throw new Refusal('no-such-organism', detail);
    }
    // Compare names instead of ids, because the gardener gets a new id when the server restarts.
    if (organism.planter.name !== by.name && !unattended.includes(organism)) {
      throw new Refusal('not-yours');
    }
    this.begin(organism, time);
    return { removed: 1 };
  }

  /** Advances all dissolving organisms. Call once per tick, after the tick's commands. */
  step(time: RoomTime): void {
    this.departed = this.departed.filter((one) => !isOver(one, time));
    this.outlive(time);
    for (const organism of this.lifecycle.departing) this.dissolve(organism, time.tick);
  }

  /** Ends all dissolving immediately, because the engine is out of memory. */
  endAll(tick: number): void {
    for (const organism of this.lifecycle.departing) this.end(organism, tick);
  }

  /** Returns the organisms that a planter can renew: departing and recently departed ones. */
  renewable(planter: ParticipantId, time: RoomTime): Renewable[] {
    const isTheirs = ({ planter: by, isFinal }: Pick<Organism, 'planter'> & Partial<Organism>) =>
      by.id === planter && !isFinal;
    const gone = this.departed.filter((one) => isTheirs(one) && !isOver(one, time));
    const renewable = ({ id, kind }: Departed | Organism, ticks: number): Renewable => ({
      id,
      kind,
      secondsLeft: renewSeconds + ticks / time.tickRate,
    });
    return [
      ...gone.map((one) => renewable(one, one.at - time.tick)),
      ...this.lifecycle.departing.filter(isTheirs).map((one) => renewable(one, one.dissolving!)),
    ];
  }

  /**
   * Brings back a departing organism, or replants a departed one (rule DEP-10). Both use up an id,
   * because an undo may turn one into the other.
   *
   * @throws Refusal no-such-organism, not-yours, garden-full, occupied
   */
  renew({ by, organism: id }: RoomCommand<'renew'>, { answer, ...time }: CommandTurn): void {
    const { lifecycle, departures, planting } = this;
    const living = lifecycle.find(id);
    const departed = this.departed.find((one) => one.id === id && !isOver(one, time));
    const mine = living ?? departed;
    if (!mine) throw new Refusal('no-such-organism', `organism ${id}`);
    if (mine.planter.id !== by.id) throw new Refusal('not-yours', `organism ${id}`);
    // Refuse other living organisms, because by renewing them, planters could keep them from ever
    // departing.
    if (living && (living.phase !== 'departing' || living.isFinal)) {
      throw new Refusal('no-such-organism', `organism ${id} does not depart`);
    }
    const other = departures.departing(undefined, time);
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
   * Remembers a departed organism, so that it can be replanted. Call this again if replanting has
   * failed.
   */
  remember(departed: Departed): void {
    this.departed = [...this.departed, departed].sort((a, b) => a.at - b.at || a.id - b.id);
    if (this.departed.length > maxDeparted) this.departed.shift();
  }

  /** In a busy room, lets an organism depart every few seconds if it has outlived its lifetime. */
  private outlive(time: RoomTime): void {
    const { lifecycle, departures } = this;
    const { lifetime = 0 } = lifecycle.rules.life;
    if (lifetime === 0 || lifecycle.size <= busyShare * departures.maxOrganisms) return;
    if (time.tick % Math.max(1, Math.round(outlivedSeconds * time.tickRate)) !== 0) return;
    // If the maximum number of organisms is dissolving, wait, because one more would make one of
    // them disappear early.
    if (lifecycle.departing.length >= maxDissolving) return;
    const organism = departures.outlived(lifetime, time);
    if (organism) this.begin(organism, time);
  }

  private dissolve(organism: Organism, tick: number): void {
    const { rules } = this.lifecycle;
    const left = organism.dissolving!;
    // Use the tick of birth instead of the id, because an undo may change ids but must not change
    // how other organisms dissolve.
    const chanceOf = (place: number): number => chance(rules.seed, place, organism.born);
    const places = dissolvingPlaces(organism, this.grid, left, chanceOf);
    for (const place of places) this.grid.clear(place);
    organism.dissolving = left - 1;
    if (left === 1 || places.length === 0) this.end(organism, tick);
  }

  private end(organism: Organism, tick: number): void {
    const { id, latent, origin, kind, parents, planter, grafts, isFinal } = organism;
    const { x, y } = organism.window;
    this.lifecycle.die(organism, 'departed');
    // Do not remember organisms of the host, the gardener and forgotten visitors, who will not come
    // back to replant them.
    if (isFinal || !this.departures.knows(planter.id)) return;
    const seed = { latent, origin, kind, parents: [...parents], ...(grafts && { grafts }) };
    this.remember({ ...seed, id, x, y, planter, at: tick });
  }
}

/**
 * Returns whether a departed organism can no longer be replanted, because too much time has passed.
 */
const isOver = ({ at }: Departed, { tick, tickRate }: RoomTime): boolean =>
  tick - at >= renewSeconds * tickRate;
