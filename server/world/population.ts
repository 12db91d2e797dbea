/** Who lives in a room, and who of them is awake: a tick is about these alone, however many others sleep. */
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

export class Population {
  /** In order of age: ids only grow, and a Map keeps the order of insertion. */
  private readonly living = new Map<OrganismId, Organism>();
  private readonly awakeOrganisms = new Set<Organism>();
  /** Those of `up` in order of age, until that changes. */
  private order: readonly Organism[] | undefined;
  /** Sleepers by the places that they press against. */
  private readonly pressed = new Map<number, Set<Organism>>();

  constructor(private readonly grid: GridPlanes) {}

  get size(): number {
    return this.living.size;
  }

  /** All, in order of age, oldest first. */
  get all(): IterableIterator<Organism> {
    return this.living.values();
  }

  /** Those that grow or are awake, in order of age. */
  get awake(): readonly Organism[] {
    return (this.order ??= byAge(this.awakeOrganisms));
  }

  find(id: OrganismId): Organism | undefined {
    return this.living.get(id);
  }

  /** One more, the youngest, asleep or awake as it is. */
  add(organism: Organism): void {
    this.living.set(organism.id, organism);
    if (organism.phase === 'asleep') this.sleep(organism);
    else this.rise(organism);
  }

  /** It falls asleep. What it presses against stays as it is until it wakes. */
  sleep(organism: Organism): void {
    organism.phase = 'asleep';
    this.lie(organism);
    this.eachPressed(organism, (place) => {
      const sleepers = this.pressed.get(place);
      if (sleepers) sleepers.add(organism);
      else this.pressed.set(place, new Set([organism]));
    });
  }

  /** It wakes up. */
  wake(organism: Organism): void {
    this.forget(organism);
    organism.phase = 'awake';
    this.rise(organism);
  }

  /** It dies. */
  remove(organism: Organism): void {
    if (organism.phase === 'asleep') this.forget(organism);
    organism.phase = 'dead';
    this.living.delete(organism.id);
    this.lie(organism);
  }

  /** Sleepers that press against one of these places, in order of age. */
  pressingOn(places: readonly number[]): Organism[] {
    const found = new Set<Organism>();
    for (const place of places) {
      for (const organism of this.pressed.get(place) ?? []) found.add(organism);
    }
    return byAge(found);
  }

  private rise(organism: Organism): void {
    this.awakeOrganisms.add(organism);
    this.order = undefined;
  }

  private lie(organism: Organism): void {
    this.awakeOrganisms.delete(organism);
    this.order = undefined;
  }

  private forget(organism: Organism): void {
    this.eachPressed(organism, (place) => {
      const sleepers = this.pressed.get(place);
      sleepers?.delete(organism);
      if (sleepers?.size === 0) this.pressed.delete(place);
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
