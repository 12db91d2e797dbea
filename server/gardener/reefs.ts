/**
 * Chooses where the gardener plants, and how many organisms a room needs. The gardener plants in
 * groups, called reefs, in which bodies nearly touch.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import type { Seasons, Theme } from './seasons.ts';

/** Size of the grid and of organisms, in cells. */
export interface PlantingArea {
  readonly width: number;
  readonly height: number;
  /** Side length of a grown organism's square window. */
  readonly side: number;
}

/** Centre of an organism's window, in cells. */
export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

export type OwnerGrid = Pick<Planes, 'width' | 'height' | 'owner'>;

/**
 * Minimum distance between a random planting position and each organism, as a multiple of the side
 * length of an organism's window. The distance is the larger of the distances in x and in y. Closer
 * organisms could block each other's growth.
 */
const MIN_DISTANCE = 1.1;
/**
 * Distance from other organisms beyond which all positions are equally good, as a multiple of the
 * side length of an organism's window.
 */
const AMPLE_DISTANCE = 1.7;
/** Share of a room's area that the gardener fills with organisms. The rest is for visitors. */
const PLANTED_SHARE = 0.27;
/**
 * Distance between the centres of two touching organisms, as a multiple of the side length of an
 * organism's window.
 */
const BODY = 0.75;
const CANDIDATES = 96;
/** Distance between neighbouring positions that a search for free space tries, in cells. */
const LATTICE = 4;
/**
 * Requirements for free space, [share, reach], tried in this order. A square in the middle of the
 * new organism's window must be free; its side is `share` × the window's side. The window's centre
 * must be less than `reach` × the window's side from the position near which to plant.
 */
const BARE = [
  [1, 2.5],
  [0.5, Number.POSITIVE_INFINITY],
  [0.25, Number.POSITIVE_INFINITY],
] as const;

/** Returns how many organisms fill an area well, with space left for visitors' organisms. */
export function targetCount({ width, height, side }: PlantingArea): number {
  return Math.max(1, Math.floor((PLANTED_SHARE * width * height) / (BODY * side) ** 2));
}

/**
 * Chooses where to plant an organism: among random positions, the one whose nearest organism is
 * farthest away (Mitchell's best-candidate algorithm).
 *
 * @param taken centres of the living organisms
 * @returns the centre of the organism's window; undefined if no tried position has enough space
 */
export function choosePlantingPlace(
  area: PlantingArea,
  taken: readonly PlantingPlace[],
  random: Random,
): PlantingPlace | undefined {
  const { width, height, side } = area;
  let best: { place: PlantingPlace; score: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const place = {
      x: side / 2 + random.integer(width - side + 1),
      y: side / 2 + random.integer(height - side + 1),
    };
    const isClose = ({ x, y }: PlantingPlace): boolean =>
      Math.max(Math.abs(place.x - x), Math.abs(place.y - y)) < MIN_DISTANCE * side;
    if (taken.some(isClose)) continue;
    const distance = Math.min(...taken.map((other) => between(place, other)), Infinity) / side;
    const score = Math.min(distance, AMPLE_DISTANCE);
    if (!best || score > best.score) best = { place, score };
  }
  return best?.place;
}

/**
 * Finds the free space nearest to a position, for the window of a new organism. If no window near
 * the position is completely free, accepts a window whose middle is free. For speed, tries only
 * every `LATTICE`-th position.
 *
 * @param near the position near which to plant, in cells
 * @returns the centre of the new organism's window; undefined if there is no free space
 */
export function nearestGround(
  { width, height, owner }: OwnerGrid,
  side: number,
  near: PlantingPlace,
): PlantingPlace | undefined {
  const isBare = (left: number, top: number, bare: number): boolean => {
    for (let y = top; y < top + bare; y++) {
      for (let x = left; x < left + bare; x++) if (owner[y * width + x] !== 0) return false;
    }
    return true;
  };
  for (const [share, reach] of BARE) {
    const inset = Math.floor((side - share * side) / 2) - side / 2;
    let best: PlantingPlace | undefined;
    let least = reach * side;
    for (let y = side / 2; y <= height - side / 2; y += LATTICE) {
      for (let x = side / 2; x <= width - side / 2; x += LATTICE) {
        const distance = between({ x, y }, near);
        if (distance >= least || !isBare(x + inset, y + inset, share * side)) continue;
        least = distance;
        best = { x, y };
      }
    }
    if (best) return best;
  }
  return undefined;
}

/** Returns the distance between two positions, in cells. */
export const between = (a: PlantingPlace, b: PlantingPlace): number =>
  Math.hypot(a.x - b.x, a.y - b.y);

/** A reef: a place around which the gardener plants. `x` and `y` are its centre, in cells. */
interface Reef extends PlantingPlace {
  /** Direction of the reef's long axis, in radians. */
  readonly angle: number;
  theme: Theme | undefined;
}

/** Number of organisms per reef. */
const REEF_SIZE = 10;
/**
 * Side length of the square reserved for each reef (group of organisms), as a multiple of the side
 * length of an organism's window.
 */
const SPACE = 2.2;
/**
 * Number of directions in which to search for a planting position. Fewer directions would give
 * reefs ragged outlines.
 */
const DIRECTIONS = 16;
/** Ratio of a reef's length to its width. */
const STRETCH = 1.6;
/**
 * Maximum number of cells of a new organism's body that may touch or overlap other organisms. With
 * more, bodies would be dented.
 */
const PRESS = 6;
/**
 * Radius of the disc that replaces a body of unknown shape, as a multiple of the side length of an
 * organism's window.
 */
const RADIUS = 0.38;

/** A living organism or, without `phase`, an organism that will be planted soon. */
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
    // Use the room's name as the random seed, so that reefs are in the same places after a restart.
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
   * Returns the reef with the fewest or with the most organisms, relative to the number that the
   * reef should have. In each season, a different reef should have the most organisms; that reef
   * gets the season's theme.
   *
   * @param now current time, in ms
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

  /** Returns the distance from a position to the centre of the nearest reef, in cells. */
  distance(place: PlantingPlace): number {
    return between(place, this.around(place));
  }

  /** Returns the reef nearest to a position. */
  around(place: PlantingPlace): Reef {
    return this.reefs.reduce((near, one) =>
      between(one, place) < between(near, place) ? one : near,
    );
  }

  /**
   * Chooses a creature and a position in a reef. Tries all given creatures in random directions,
   * and chooses the one that fits nearest to the reef's centre. At most `PRESS` cells of the
   * creature's body may touch or overlap other organisms.
   *
   * @param kinds names of the creatures. A creature that is not in the gallery is treated as a
   *   disc
   * @param planted all living organisms, and organisms that will be planted soon
   * @returns the creature, and the centre of its window in cells; undefined if there is no space
   */
  placeFor(reef: Reef, kinds: readonly string[], planted: readonly Planted[]): Planted | undefined {
    const { random, room } = this;
    const { width, height } = room.grid;
    const half = room.species.side / 2;
    const taken = this.taken(planted);
    const bodies = kinds.map((kind) => ({ kind, body: this.bodyOf(kind) }));
    const fits = (body: readonly number[], middle: number): boolean => {
      // A seed can only grow if the middle of the organism's window is free.
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
   * Computes which cells of the grid are taken: cells that are owned now, cells that will be owned
   * when all organisms are grown and healed, and all neighbours of such cells.
   *
   * @returns [height · width] 1 for each taken cell, otherwise 0
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

  /**
   * Returns the cells of a grown creature, as offsets from the grid index of the centre of the
   * creature's window.
   */
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
