/** Indexes of a room's organisms, so that the cost of a tick depends only on those awake. */
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { GridPlanes } from '../grid-planes.ts';
import type { Organism } from './organism.ts';

/** The living organisms, those awake, those that depart, and the places that block sleepers. */
export class Population {
  /** Oldest first: ids only grow, and a Map keeps its insertion order. */
  private readonly living = new Map<OrganismId, Organism>();
  private readonly awakeOrganisms = new Set<Organism>();
  /** `awakeOrganisms`, oldest first; undefined after a change. */
  private sortedAwake: readonly Organism[] | undefined;
  private readonly departingOrganisms = new Set<Organism>();
  /** Sleepers by the places on which their cells are blocked. */
  private readonly sleepersByPlace = new Map<number, Set<Organism>>();

  constructor(private readonly grid: GridPlanes) {}

  /** Number of organisms without those that depart. */
  get size(): number {
    return this.living.size - this.departingOrganisms.size;
  }

  /** All organisms, oldest first. */
  get all(): IterableIterator<Organism> {
    return this.living.values();
  }

  /** Organisms that grow or are awake, oldest first. */
  get awake(): readonly Organism[] {
    return (this.sortedAwake ??= byAge(this.awakeOrganisms));
  }

  /** Organisms that depart, oldest first. */
  get departing(): Organism[] {
    return byAge(this.departingOrganisms);
  }

  find(id: OrganismId): Organism | undefined {
    return this.living.get(id);
  }

  /** Adds the youngest organism, in its present phase. */
  add(organism: Organism): void {
    this.living.set(organism.id, organism);
    if (organism.phase === 'asleep') this.sleep(organism);
    else if (organism.phase === 'departing') this.departingOrganisms.add(organism);
    else this.addAwake(organism);
  }

  /** Takes an organism out of the living, until it is dead or returns. */
  depart(organism: Organism): void {
    if (organism.phase === 'asleep') this.forgetSleeper(organism);
    organism.phase = 'departing';
    this.removeAwake(organism);
    this.departingOrganisms.add(organism);
  }

  /** Returns an organism that departs to the living. */
  bringBack(organism: Organism, phase: 'growing' | 'awake'): void {
    this.departingOrganisms.delete(organism);
    organism.phase = phase;
    this.addAwake(organism);
  }

  /** Puts an organism to sleep. Its blocked places stay fixed until it wakes. */
  sleep(organism: Organism): void {
    organism.phase = 'asleep';
    this.removeAwake(organism);
    this.eachPressed(organism, (place) => {
      const sleepers = this.sleepersByPlace.get(place);
      if (sleepers) sleepers.add(organism);
      else this.sleepersByPlace.set(place, new Set([organism]));
    });
  }

  /** Wakes a sleeper. */
  wake(organism: Organism): void {
    this.forgetSleeper(organism);
    organism.phase = 'awake';
    this.addAwake(organism);
  }

  /** Removes a dead organism. */
  remove(organism: Organism): void {
    if (organism.phase === 'asleep') this.forgetSleeper(organism);
    organism.phase = 'dead';
    this.living.delete(organism.id);
    this.departingOrganisms.delete(organism);
    this.removeAwake(organism);
  }

  /** Sleepers that are blocked on one of these places, oldest first. */
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
