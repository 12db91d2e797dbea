/** Indexes a room's organisms, so that the cost of a tick depends only on the awake ones. */
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { GridPlanes } from '../grid-planes.ts';
import type { Organism } from './organism.ts';

/**
 * All living organisms, those among them that are awake or departing, and the cells on which
 * sleepers are blocked.
 */
export class Population {
  /**
   * Living organisms, oldest first, because ids only increase and a Map keeps its insertion order.
   */
  private readonly living = new Map<OrganismId, Organism>();
  private readonly awakeOrganisms = new Set<Organism>();
  /**
   * The organisms in `awakeOrganisms`, sorted from oldest to youngest; undefined after a change.
   */
  private sortedAwake: readonly Organism[] | undefined;
  private readonly departingOrganisms = new Set<Organism>();
  /** For each grid cell, the sleeping organisms that are blocked on it. */
  private readonly sleepersByPlace = new Map<number, Set<Organism>>();

  constructor(private readonly grid: GridPlanes) {}

  /** Number of organisms, not counting departing ones. */
  get size(): number {
    return this.living.size - this.departingOrganisms.size;
  }

  /** All organisms, oldest first. */
  get all(): IterableIterator<Organism> {
    return this.living.values();
  }

  /** Growing or awake organisms, oldest first. */
  get awake(): readonly Organism[] {
    return (this.sortedAwake ??= byAge(this.awakeOrganisms));
  }

  /** Departing organisms, oldest first. */
  get departing(): Organism[] {
    return byAge(this.departingOrganisms);
  }

  find(id: OrganismId): Organism | undefined {
    return this.living.get(id);
  }

  /** Adds an organism in its current phase. It must be younger than all other organisms. */
  add(organism: Organism): void {
    this.living.set(organism.id, organism);
    if (organism.phase === 'asleep') this.sleep(organism);
    else if (organism.phase === 'departing') this.departingOrganisms.add(organism);
    else this.addAwake(organism);
  }

  /** Counts an organism among the departing ones, until it dies or is brought back. */
  depart(organism: Organism): void {
    if (organism.phase === 'asleep') this.forgetSleeper(organism);
    organism.phase = 'departing';
    this.removeAwake(organism);
    this.departingOrganisms.add(organism);
  }

  /** Counts a departing organism among the growing or awake ones again. */
  bringBack(organism: Organism, phase: 'growing' | 'awake'): void {
    this.departingOrganisms.delete(organism);
    organism.phase = phase;
    this.addAwake(organism);
  }

  /** Puts an organism to sleep. The cells on which it is blocked stay the same until it wakes. */
  sleep(organism: Organism): void {
    organism.phase = 'asleep';
    this.removeAwake(organism);
    this.eachPressed(organism, (place) => {
      const sleepers = this.sleepersByPlace.get(place);
      if (sleepers) sleepers.add(organism);
      else this.sleepersByPlace.set(place, new Set([organism]));
    });
  }

  wake(organism: Organism): void {
    this.forgetSleeper(organism);
    organism.phase = 'awake';
    this.addAwake(organism);
  }

  /** Removes an organism and marks it as dead. */
  remove(organism: Organism): void {
    if (organism.phase === 'asleep') this.forgetSleeper(organism);
    organism.phase = 'dead';
    this.living.delete(organism.id);
    this.departingOrganisms.delete(organism);
    this.removeAwake(organism);
  }

  /** Returns the sleeping organisms that are blocked on any of these cells, oldest first. */
  pressingOn(places: readonly number[]): Organism[] {
    const found = new Set<Organism>();
    for (const place of places) {
      for (const organism of this.sleepersByPlace.get(place) ?? []) found.add(organism);
    }
    return byAge(found);
  }

  private addAwake(organism: Organism): void {
    this.awakeOrganisms.add(organism);
    this.sortedAwake = undefined;
  }

  private removeAwake(organism: Organism): void {
    this.awakeOrganisms.delete(organism);
    this.sortedAwake = undefined;
  }

  private forgetSleeper(organism: Organism): void {
    this.eachPressed(organism, (place) => {
      const sleepers = this.sleepersByPlace.get(place);
      sleepers?.delete(organism);
      if (sleepers?.size === 0) this.sleepersByPlace.delete(place);
    });
  }

  private eachPressed({ window, pressing }: Organism, visit: (place: number) => void): void {
    this.grid.each(window, (place, cell) => {
      if (pressing[cell] === 1) visit(place);
    });
  }
}

const byAge = (organisms: Iterable<Organism>): Organism[] =>
  [...organisms].sort((a, b) => a.id - b.id);
