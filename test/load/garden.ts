/** The garden that loads are measured in: the same each time, by seed. */

import type { Room, TickResult } from '../../server/world/room.ts';
import { STROKE_LIMITS } from '../../shared/limits.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { HOUSE } from '../../shared/vocabulary.ts';

export const GARDEN = { width: 256, height: 256, tickRate: 15, organisms: 64 } as const;
/** Participants of this tool's own, whom no visitor can be. */
const FIRST_GARDENER = 1_000_000_000;
const TRIES = 200;

export class Gardener {
  private readonly random: Random = createRandom(64);
  private nextId = 1;
  /** Plantings and strokes that the garden has to come, and has not yet. */
  private owed = { plantings: 0, strokes: 0 };

  constructor(private readonly room: Room) {}

  /** Plants the first organisms, each with a window of its own. */
  plantFirst(count: number): void {
    const { side } = this.room.species;
    const columns = Math.floor(this.room.grid.width / side);
    for (let i = 0; i < count; i++) {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      this.plant((column + 0.5) * side, (row + 0.5) * side);
    }
  }

  /** One planting on bare ground, while there is any. */
  plantSomewhere(): void {
    const { grid: ground, species } = this.room;
    for (let i = 0; i < TRIES; i++) {
      const x = species.side / 2 + this.random.integer(ground.width - species.side);
      const y = species.side / 2 + this.random.integer(ground.height - species.side);
      const middle = [-1, 0].flatMap((dy) => [-1, 0].map((dx) => ground.place(x + dx, y + dy)));
      if (middle.some((place) => ground.ownerAt(place) !== 0)) continue;
      this.plant(x, y);
      return;
    }
  }

  /** One stroke somewhere: a cut of some ten cells. */
  cutSomewhere(): void {
    const { width, height } = this.room.grid;
    const [x, y] = [this.random.integer(width), this.random.integer(height)];
    const angle = 2 * Math.PI * this.random.uniform();
    const points = Array.from({ length: 5 }, (_, i) => [
      Math.max(0, Math.min(width, x + 3 * i * Math.cos(angle))),
      Math.max(0, Math.min(height, y + 3 * i * Math.sin(angle))),
    ]).flat();
    this.room.enqueue(this.nextId++, { what: 'damage', by: this.hand(), radius: 2, points });
  }

  /**
   * What a second brings: a planting and a stroke. What visitors have done of that is not done
   * again.
   */
  second(): void {
    for (this.owed.plantings++; this.owed.plantings >= 1; this.owed.plantings--) {
      this.plantSomewhere();
    }
    for (this.owed.strokes++; this.owed.strokes >= 1; this.owed.strokes--) this.cutSomewhere();
  }

  /** Looks at what visitors, who only plant and cut, have done in a tick. */
  see({ answers, life }: Pick<TickResult, 'answers' | 'life'>): void {
    const isVisitor = (id: number): boolean => id !== HOUSE.id && id < FIRST_GARDENER;
    const acts = answers.filter(({ by, refused }) => isVisitor(by) && !refused).length;
    const births = life.filter(
      (event) => event.what === 'born' && isVisitor(event.organism.planter.id),
    );
    this.owed.plantings -= births.length;
    this.owed.strokes -= acts - births.length;
  }

  /** Where no more organisms may live, one is wiped away. */
  makeRoom(): void {
    const { size, maxOrganisms, organisms } = this.room;
    if (size < maxOrganisms) return;
    const { x, y } = organisms[this.random.integer(organisms.length)];
    this.wipe(x, y, STROKE_LIMITS.maxRadius);
  }

  /** Where more live than shall, the oldest are taken away, and nobody is hurt. */
  thin(most: number): void {
    for (const { id: organism } of this.room.organisms.slice(0, -most)) {
      this.room.enqueue(this.nextId++, { what: 'remove', by: HOUSE, organism });
    }
  }

  /** A disc is wiped away. @param radius cells */
  wipe(x: number, y: number, radius: number): void {
    const points = [x, y];
    this.room.enqueue(this.nextId++, { what: 'damage', by: this.hand(), radius, points });
  }

  private plant(x: number, y: number): void {
    const index = this.random.integer(this.room.species.gallery.length);
    this.room.enqueue(this.nextId++, {
      ...{ what: 'plant', by: this.hand(), x, y },
      seed: { from: 'gallery', index },
    });
  }

  /** A new hand for each act, so that no limit of one participant is met. */
  private hand() {
    return { id: FIRST_GARDENER + this.nextId, name: '', hue: 0 };
  }
}
