/**
 * Choices of the gardener, the automatic player: what and where it plants, which organisms it
 * crosses, and where it cuts and grafts. It plants in groups, called reefs, in which bodies nearly
 * touch. In each season, a period of a few minutes, it prefers certain creatures.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { placesUnder, STROKE_LIMITS } from '../../shared/geometry.ts';
import type { ColourRange } from '../../shared/hues.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { familyOf } from '../vnca/gallery.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { featuredOf, type Species } from '../world/species.ts';

/** Constants of the gardener. Durations are in ms. */
export const GARDENING = {
  /**
   * Preferred families of creatures. Other families are used only if the gallery has none of these.
   */
  reefFamilies: ['plant', 'sea'] as readonly string[],
  /** Families of creatures that are used only if the gallery has no other families. */
  avoidedFamilies: ['face'] as readonly string[],
  /** Number of organisms planted immediately in a room in which nobody has played yet. */
  initialPlants: 12,
  /**
   * Minimum and maximum delay between actions while the room needs more organisms. These delays
   * fill a new room within two minutes.
   */
  plantingDelay: [1_500, 3_000],
  /** Minimum and maximum delay between actions while the room has enough organisms. */
  actionDelay: [5_000, 10_000],
  refusalDelay: 15_000,
  /** Delay between two strokes of a cut. */
  strokeInterval: 130,
  /** Minimum time between two cuts of an organism that the gardener planted. */
  recutDelay: 30_000,
  /** Minimum time between two cuts of an organism that somebody else planted. */
  othersRecutDelay: 600_000,
  /**
   * Share of a room's maximum number of organisms above which the gardener makes unattended
   * organisms depart.
   */
  thinAbove: 0.9,
  /**
   * Number of organisms that the gardener may have even in a crowded room: the share `leastShare`
   * of the room's maximum, up to `leastPlants`.
   */
  leastShare: 1 / 6,
  leastPlants: 6,
  /**
   * Minimum and maximum duration of a season, in which the gardener prefers one family and colour.
   */
  seasonLength: [180_000, 300_000],
  /** A season's theme needs at least this many matching gallery entries. */
  seasonEntries: 4,
} as const;
const { avoidedFamilies, reefFamilies, seasonEntries, seasonLength } = GARDENING;

/** The family and colour that a season prefers. */
export interface Theme {
  readonly family: string;
  readonly colour?: ColourRange | undefined;
}

type Gallery = Pick<Species, 'gallery' | 'featured' | 'colours'>;

export function isOfSeason(index: number, { family, colour }: Theme, species: Gallery): boolean {
  if (familyOf(species.gallery[index]) !== family) return false;
  return colour === undefined || species.colours?.[index] === colour;
}

/**
 * Selects the first of these groups of `entries` (gallery indices) that is not empty: entries of
 * preferred families; entries of families that are not avoided; all entries.
 */
export function suitable(entries: readonly number[], { gallery }: Gallery): readonly number[] {
  const family = (index: number): string => familyOf(gallery[index]);
  const allowed = preferably(entries, (index) => !avoidedFamilies.includes(family(index)));
  return preferably(allowed, (index) => reefFamilies.includes(family(index)));
}

/**
 * Lists the possible themes of seasons: each family with enough creatures, combined with each
 * colour that enough of these creatures have. If no family has enough creatures, uses all families.
 */
export function themesOf(species: Gallery): Theme[] {
  const entries = suitable(featuredOf(species), species);
  const families = [...new Set(entries.map((index) => familyOf(species.gallery[index])))];
  const countOf = (theme: Theme): number =>
    entries.filter((index) => isOfSeason(index, theme, species)).length;
  const large = preferably(families, (family) => countOf({ family }) >= seasonEntries);
  return large.flatMap((family) => {
    const colours = new Set(entries.map((index) => species.colours?.[index]));
    const themes = [...colours].flatMap((colour) =>
      colour && countOf({ family, colour }) >= seasonEntries ? [{ family, colour }] : [],
    );
    // If no colour has enough entries, the theme is the family without a colour.
    return themes.length > 0 ? themes : [{ family }];
  });
}

/**
 * A sequence of random seasons. If possible, consecutive seasons differ in family and in colour.
 */
export class Seasons {
  private theme: Theme | undefined;
  count = 0;
  private last: Theme | undefined;
  private until = Number.NEGATIVE_INFINITY;
  private readonly themes: readonly Theme[];

  constructor(
    species: Gallery,
    private readonly random: Random,
  ) {
    this.themes = themesOf(species);
  }

  /** Returns the current season's theme; undefined if the gallery is empty. @param now time, in ms */
  at(now: number): Theme | undefined {
    if (now >= this.until) {
      const { random } = this;
      const [least, most] = seasonLength;
      this.until = now + least + (most - least) * random.uniform();
      this.theme = this.draw();
      this.count++;
    }
    return this.theme;
  }

  /**
   * Draws the next theme: first a family, then one of the family's colours, so that families with
   * few colours are drawn as often as families with many.
   */
  draw(): Theme | undefined {
    const { last, random } = this;
    let themes = preferably(this.themes, ({ family }) => family !== last?.family);
    themes = preferably(themes, ({ colour }) => !colour || colour !== last?.colour);
    if (themes.length === 0) return undefined;
    const families = [...new Set(themes.map(({ family }) => family))];
    const family = families[random.integer(families.length)];
    const ofFamily = themes.filter((theme) => theme.family === family);
    this.last = ofFamily[random.integer(ofFamily.length)];
    return this.last;
  }
}

/** Returns the items for which `passes` returns true; all items if there are none. */
export function preferably<T>(items: readonly T[], passes: (item: T) => boolean): readonly T[] {
  const passing = items.filter(passes);
  return passing.length > 0 ? passing : items;
}

/** Returns whether an organism is fully grown and not departing. */
export const isGrown = ({ phase }: Pick<OrganismView, 'phase'>): boolean =>
  phase === 'asleep' || phase === 'awake';

/**
 * Returns whether the gardener planted an organism. Compares names, because the gardener gets a new
 * id when the server restarts.
 */
export const isOwn = ({ planter }: Pick<OrganismView, 'planter'>): boolean =>
  planter.name === GARDENER_NAME;

/**
 * Chooses two grown organisms to cross, if possible of different kinds. Avoids organisms that
 * result from a cross, because crosses of crosses soon all look alike. Never chooses two organisms
 * that already have a living child together.
 *
 * @returns undefined if there is no such pair
 */
export function choosePair(
  organisms: readonly OrganismView[],
  random: Random,
): readonly [OrganismView, OrganismView] | undefined {
  const grown = preferably(organisms.filter(isGrown), ({ kind }) => kind !== '');
  if (grown.length === 0) return undefined;
  const a = grown[random.integer(grown.length)];
  const relatives = organisms.flatMap(({ parents }) => (parents.includes(a.id) ? parents : []));
  const others = grown.filter(({ id }) => id !== a.id && !relatives.includes(id));
  const differing = preferably(others, ({ kind }) => kind !== a.kind);
  return differing.length > 0 ? [a, differing[random.integer(differing.length)]] : undefined;
}

/**
 * Lists grown, unhurt organisms that the gardener may wound.
 *
 * @param whose 'own' for only the organisms that the gardener planted; 'unattended' to include
 *   other planters' unattended organisms
 */
export function woundable(
  room: Pick<Room, 'organisms' | 'unattended'>,
  whose: GardenerWounds,
): OrganismView[] {
  const own = room.organisms.filter(isOwn);
  const others = whose === 'unattended' ? room.unattended().filter((one) => !isOwn(one)) : [];
  return [...own, ...others].filter((one) => isGrown(one) && !one.hurt);
}

/** Size of the grid and of organisms, in cells. */
export interface PlantingArea {
  readonly width: number;
  readonly height: number;
  /** Side of a grown organism's square window. */
  readonly side: number;
}

/** Centre of an organism's window, in cells. */
export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

type OwnerGrid = Pick<Planes, 'width' | 'height' | 'owner'>;
type Stroke = Pick<RoomCommand<'damage'>, 'radius' | 'points'>;

/**
 * Minimum distance between a random planting position and each organism, along the x axis or the y
 * axis, as a multiple of a window's side. Closer organisms could block each other's growth.
 */
const MIN_DISTANCE = 1.1;
/**
 * Distance from other organisms beyond which all positions are equally good, as a multiple of a
 * window's side.
 */
const AMPLE_DISTANCE = 1.7;
/** Share of a room's area that the gardener fills with organisms. The rest is for visitors. */
const PLANTED_SHARE = 0.27;
/** Distance between the centres of two touching organisms, as a multiple of a window's side. */
const BODY = 0.75;
const CANDIDATES = 96;
/** Distance between neighbouring positions that a search for free space tries, in cells. */
const LATTICE = 4;
/**
 * Requirements for free space, tried in this order. Each has two numbers: the side of the square in
 * the middle of a window that must be free, and the maximum distance from the requested position.
 * Both are multiples of the window's side.
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
 * Finds the free space nearest to a position. If no nearby window is completely free, accepts a
 * window of which only the middle is free. For speed, tries only every `LATTICE`-th position.
 *
 * @param near the position, in cells
 * @returns the centre of the window; undefined if there is no free space
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

const PIECES = 5;

/**
 * Creates a random cut across an organism: an arc of several strokes, to be sent one after another.
 *
 * @returns undefined if the cut would hit another organism or leave the grid
 */
export function cutAcross(
  organism: Pick<OrganismView, 'id' | 'x' | 'y' | 'side'>,
  grid: OwnerGrid,
  random: Random,
): Stroke[] | undefined {
  const { x, y, side } = organism;
  const angle = 2 * Math.PI * random.uniform();
  const [along, across] = [Math.cos(angle), Math.sin(angle)];
  const reach = side * (0.2 + 0.24 * random.uniform());
  const bend = side * 0.25 * (random.uniform() - 0.5);
  const off = side * 0.2 * (random.uniform() - 0.5);
  const radius = side * (0.05 + 0.04 * random.uniform());
  const pointAt = (t: number): [number, number] => {
    const lengthwise = (2 * t - 1) * reach;
    const sideways = off + bend * (1 - (2 * t - 1) ** 2);
    return [x + along * lengthwise - across * sideways, y + across * lengthwise + along * sideways];
  };
  const strokes = Array.from({ length: PIECES }, (_, i) => ({
    radius: Math.max(STROKE_LIMITS.minRadius, radius),
    points: [...pointAt(i / PIECES), ...pointAt((i + 1) / PIECES)],
  }));
  return strokes.every((stroke) => hitsOnly(organism.id, stroke, grid)) ? strokes : undefined;
}

/** Creates a single-point stroke: a disc that covers part of an organism, away from its centre. */
export function discBeside(
  { x, y, side }: Pick<OrganismView, 'x' | 'y' | 'side'>,
  random: Random,
): Stroke {
  const angle = 2 * Math.PI * random.uniform();
  const reach = side * (0.25 + 0.1 * random.uniform());
  const radius = Math.min(STROKE_LIMITS.maxRadius, side * (0.14 + 0.06 * random.uniform()));
  return { radius, points: [x + reach * Math.cos(angle), y + reach * Math.sin(angle)] };
}

/** Returns whether a stroke is inside the grid and touches no organism other than `id`. */
export function hitsOnly(id: OrganismId, stroke: Stroke, grid: OwnerGrid): boolean {
  const { width, height, owner } = grid;
  const isOnGrid = stroke.points.every((at, i) => at >= 0 && at <= (i % 2 === 0 ? width : height));
  if (!isOnGrid) return false;
  return placesUnder(stroke, grid).every((place) => owner[place] === 0 || owner[place] === id);
}

/** A reef: a place around which the gardener plants. `x` and `y` are its centre, in cells. */
interface Reef extends PlantingPlace {
  /** Direction of the reef's long axis, in radians. */
  readonly angle: number;
  theme: Theme | undefined;
}

/** Number of organisms per reef. */
const REEF_SIZE = 10;
/**
 * Side of the square reserved for each reef (group of organisms), as a multiple of a window's side.
 */
const SPACE = 2.2;
/**
 * Number of directions in which to search for a planting position. With fewer directions, reefs
 * would have ragged outlines.
 */
const DIRECTIONS = 16;
/** Ratio of a reef's length to its width. */
const STRETCH = 1.6;
/**
 * Maximum number of cells of a new organism's body that may touch or overlap other organisms. With
 * more, bodies would be dented.
 */
const PRESS = 6;
/** Radius of the disc that replaces a body of unknown shape, as a multiple of a window's side. */
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
   * Returns the reef that is sparsest or most crowded relative to its intended density. In each
   * season, a different reef should be the densest. This reef gets the season's theme.
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
      // A seed can only grow if the middle of its window is free.
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
   * Computes which cells of the grid are taken. These are cells that are owned now or will be owned
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
   * Returns the cells of a grown creature, as offsets from the grid index of the window's centre.
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
