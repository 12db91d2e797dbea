/**
 * Reefs: the few centres around which the gardener plants. Bodies of a reef nearly touch, and bare
 * ground is left between reefs. Reefs are dense and sparse by turns.
 */
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import type { Seasons, Theme } from './choose.ts';
import { between, choosePlantingPlace, type PlantingPlace, targetCount } from './planting-place.ts';

/** A centre, in cells. */
interface Reef extends PlantingPlace {
  /** Direction in which the reef is longest, in radians. */
  readonly angle: number;
  /** What the gardener prefers to plant here. */
  theme: Theme | undefined;
}

/** Mean number of organisms of a reef. */
const REEF_SIZE = 10;
/** Sides of a window that are kept free around a centre when centres are chosen. */
const SPACE = 2.2;
/** Number of directions in which a place is sought; the fewer, the more ragged are the rims. */
const DIRECTIONS = 16;
/** Length of a reef per width. */
const STRETCH = 1.6;
/**
 * How many cells of a new body may lie beside or on what lives there. With more, bodies would be
 * dented and surrounded by loose cells.
 */
const PRESS = 6;
/** Radius of a body of unknown shape, in sides of a window. */
const RADIUS = 0.38;

/** What is planted, or, without a phase, will be. */
export type Planted = Pick<OrganismView, 'x' | 'y' | 'kind'> &
  Partial<Pick<OrganismView, 'phase' | 'hurt'>>;

export class Reefs {
  private readonly reefs: readonly Reef[];

  constructor(
    private readonly room: Pick<Room, 'name' | 'grid' | 'species'>,
    private readonly seasons: Seasons,
    private readonly random: Random,
  ) {
    const { side } = room.species;
    const { width, height } = room.grid;
    // A room's reefs stay where they are when the server restarts.
    const places = createRandom(hashText(`${room.name}/reefs`));
    const count = Math.max(1, Math.round(targetCount({ width, height, side }) / REEF_SIZE));
    const area = { width, height, side: Math.min(SPACE * side, width, height) };
    const centres: PlantingPlace[] = [];
    for (let i = 0; i < count; i++) {
      const place = choosePlantingPlace(area, centres, places);
      if (place) centres.push({ x: Math.round(place.x), y: Math.round(place.y) });
    }
    this.reefs = centres.map((centre) => {
      return { ...centre, angle: Math.PI * places.uniform(), theme: seasons.draw() };
    });
  }

  /**
   * Returns the reef that lacks most organisms, or that has most too many. In each season, another
   * reef becomes the densest and takes the season's theme.
   *
   * @param now ms
   */
  choose(which: 'sparse' | 'crowded', planted: readonly PlantingPlace[], now: number): Reef {
    const { reefs } = this;
    const theme = this.seasons.at(now);
    const densest = this.seasons.count % reefs.length;
    reefs[densest].theme = theme;
    const living = planted.map((place) => this.around(place));
    const fullness = reefs.map((reef, i) => {
      const seasons = (densest - i + reefs.length) % reefs.length;
      return (living.filter((one) => one === reef).length + 0.5) / (reefs.length - seasons);
    });
    const extreme = which === 'sparse' ? Math.min(...fullness) : Math.max(...fullness);
    return reefs[fullness.indexOf(extreme)];
  }

  /** Returns the distance from the centre of the nearest reef, in cells. */
  distance(place: PlantingPlace): number {
    return between(place, this.around(place));
  }

  /** Returns the reef nearest to a place. */
  around(place: PlantingPlace): Reef {
    return this.reefs.reduce((near, one) =>
      between(one, place) < between(near, place) ? one : near,
    );
  }

  /**
   * Of some creatures, returns the one that can be planted nearest to a reef's centre, and the place
   * where its body will nearly touch what lives there. Tries some random directions.
   *
   * @param kinds names of gallery entries; of another name, the shape is unknown
   * @param planted all living organisms, and those that will be planted
   * @returns centre of the window, in cells; undefined if there is no space
   */
  placeFor(reef: Reef, kinds: readonly string[], planted: readonly Planted[]): Planted | undefined {
    const { random, room } = this;
    const { width, height } = room.grid;
    const half = room.species.side / 2;
    const taken = this.taken(planted);
    const bodies = kinds.map((kind) => ({ kind, body: this.bodyOf(kind) }));
    const fits = (body: readonly number[], middle: number): boolean => {
      // A seed needs bare ground in the middle.
      if (taken[middle] !== 0 || taken[middle - width - 1] !== 0) return false;
      let pressed = 0;
      return body.every((offset) => taken[middle + offset] === 0 || ++pressed <= PRESS);
    };
    let best: Planted | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < DIRECTIONS; i++) {
      const direction = 2 * Math.PI * random.uniform();
      const [along, across] = [Math.cos(direction - reef.angle), Math.sin(direction - reef.angle)];
      const stretch = Math.hypot(along / STRETCH, across);
      for (let reach = 0; reach * stretch < least; reach++) {
        const x = Math.round(reef.x + reach * Math.cos(direction));
        const y = Math.round(reef.y + reach * Math.sin(direction));
        if (x < half || y < half || x > width - half || y > height - half) break;
        const fitting = bodies.find(({ body }) => fits(body, y * width + x));
        if (!fitting) continue;
        if (this.around({ x, y }) !== reef) break;
        best = { x, y, kind: fitting.kind };
        least = reach * stretch;
      }
    }
    return best;
  }

  /**
   * Returns the cells of the grid that are owned, will be when all is grown and healed, or lie beside
   * these: 1, others 0.
   */
  private taken(planted: readonly Planted[]): Uint8Array {
    const { width, height, planes } = this.room.grid;
    const taken = new Uint8Array(width * height);
    const take = (place: number): void => {
      for (const at of [place, place - 1, place + 1, place - width, place + width]) taken[at] = 1;
    };
    for (let place = 0; place < taken.length; place++) if (planes.owner[place] !== 0) take(place);
    for (const { x, y, kind, phase = 'growing', hurt } of planted) {
      if (phase !== 'growing' && !hurt) continue;
      for (const offset of this.bodyOf(kind)) take(y * width + x + offset);
    }
    return taken;
  }

  /** Returns the cells of a grown creature, as offsets in the grid from the window's centre. */
  private bodyOf(kind: string): number[] {
    const { species, grid } = this.room;
    const { side, gallery, bodies } = species;
    const body = bodies?.[gallery.findIndex(({ name }) => name === kind)];
    const offsets: number[] = [];
    for (let y = -side / 2; y < side / 2; y++) {
      for (let x = -side / 2; x < side / 2; x++) {
        const isInside = body
          ? body[(y + side / 2) * side + x + side / 2] === 1
          : Math.hypot(x + 0.5, y + 0.5) < RADIUS * side;
        if (isInside) offsets.push(y * grid.width + x);
      }
    }
    return offsets;
  }
}
