/**
 * The gardener's constants and choices: which creatures it plants in which season, where it plants
 * them, which organisms it crosses, and where it cuts and grafts. The gardener plants around a few
 * centres, the reefs. Bodies of a reef nearly touch, and bare ground is left between reefs. Reefs
 * take turns at being dense.
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
  /** Families of which reefs are made. Others are planted only if a gallery has none of these. */
  reefFamilies: ['plant', 'sea'] as readonly string[],
  /** Families that are planted only if there are no others. */
  avoidedFamilies: ['face'] as readonly string[],
  /** A room that nobody has played in yet gets this many organisms immediately. */
  initialPlants: 12,
  /**
   * Minimum and maximum delay between two plantings while the gardener may plant more: a new garden
   * is complete within two minutes.
   */
  plantingDelay: [1_500, 3_000],
  /** Minimum and maximum delay between any other two actions. */
  actionDelay: [5_000, 10_000],
  refusalDelay: 15_000,
  /** Delay between two strokes of the same cut. */
  strokeInterval: 130,
  /** Minimum time between two cuts of one of the gardener's own organisms. */
  recutDelay: 30_000,
  /** Minimum time between two cuts of an organism of another planter. */
  othersRecutDelay: 600_000,
  /** If a room has more organisms than this share of its maximum, unattended ones are removed. */
  thinAbove: 0.9,
  /**
   * The gardener may always plant this share of the room's maximum number of organisms, but no more
   * than `leastPlants`.
   */
  leastShare: 1 / 6,
  leastPlants: 6,
  /**
   * Minimum and maximum duration of a season, during which the gardener prefers one kind and
   * colour.
   */
  seasonLength: [180_000, 300_000],
  /** Minimum number of matching gallery entries for a season. */
  seasonEntries: 4,
} as const;
const { avoidedFamilies, reefFamilies, seasonEntries, seasonLength } = GARDENING;

/** The family and colour that a season prefers. */
export interface Theme {
  readonly family: string;
  /** If absent, the season has no preferred colour. */
  readonly colour?: ColourRange | undefined;
}

type Gallery = Pick<Species, 'gallery' | 'featured' | 'colours'>;

/** Returns whether a gallery entry matches a season's theme. */
export function isOfSeason(index: number, { family, colour }: Theme, species: Gallery): boolean {
  if (familyOf(species.gallery[index]) !== family) return false;
  return colour === undefined || species.colours?.[index] === colour;
}

/** Returns the gallery entries that reefs are made of; if there are none, those not avoided. */
export function suitable(entries: readonly number[], { gallery }: Gallery): readonly number[] {
  const family = (index: number): string => familyOf(gallery[index]);
  const allowed = preferably(entries, (index) => !avoidedFamilies.includes(family(index)));
  return preferably(allowed, (index) => reefFamilies.includes(family(index)));
}

/**
 * Returns all themes of featured entries that are suitable. Families with few entries are used only
 * if there are no others.
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
    // If a family has no colour themes, use the family alone as a theme.
    return themes.length > 0 ? themes : [{ family }];
  });
}

/**
 * A sequence of random seasons. If possible, each season differs from the previous one in both
 * family and colour.
 */
export class Seasons {
  private theme: Theme | undefined;
  /** Number of seasons so far. */
  count = 0;
  /** The theme that was drawn last. */
  private last: Theme | undefined;
  private until = Number.NEGATIVE_INFINITY;
  private readonly themes: readonly Theme[];

  constructor(
    species: Gallery,
    private readonly random: Random,
  ) {
    this.themes = themesOf(species);
  }

  /** Returns the theme of the current season; undefined if the gallery is empty. @param now ms */
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

  /** Draws the next theme. Families have equal chances, however many colours they have. */
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

/** Returns the items that pass, or all items if none passes. */
export function preferably<T>(items: readonly T[], passes: (item: T) => boolean): readonly T[] {
  const passing = items.filter(passes);
  return passing.length > 0 ? passing : items;
}

/** Returns whether an organism is grown and not departing. */
export const isGrown = ({ phase }: Pick<OrganismView, 'phase'>): boolean =>
  phase === 'asleep' || phase === 'awake';

/**
 * Returns whether the gardener planted an organism. Compares names, so that organisms from before a
 * restart count, too.
 */
export const isOwn = ({ planter }: Pick<OrganismView, 'planter'>): boolean =>
  planter.name === GARDENER_NAME;

/**
 * Chooses two grown organisms, whoever planted them: if possible of different kinds, and none that
 * are crosses themselves, which would soon all be alike.
 *
 * @returns undefined if there are no two without a living child
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
 * Returns the organisms that may be wounded: those that are grown and unhurt.
 *
 * @param whose whether to return only the gardener's own organisms, or also unattended ones of
 *   other planters
 */
export function woundable(
  room: Pick<Room, 'organisms' | 'unattended'>,
  whose: GardenerWounds,
): OrganismView[] {
  const own = room.organisms.filter(isOwn);
  const others = whose === 'unattended' ? room.unattended().filter((one) => !isOwn(one)) : [];
  return [...own, ...others].filter((one) => isGrown(one) && !one.hurt);
}

/** The grid, and the size of organisms in it; all lengths in cells. */
export interface PlantingArea {
  readonly width: number;
  readonly height: number;
  /** Side of the square window in which a grown organism lives. */
  readonly side: number;
}

/** Centre of an organism's window, in cells. */
export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

type OwnerGrid = Pick<Planes, 'width' | 'height' | 'owner'>;
/** A stroke, as in a `damage` command. */
type Stroke = Pick<RoomCommand<'damage'>, 'radius' | 'points'>;

/**
 * Minimum distance between the centres of two organisms along one axis, in sides of a window.
 * Closer organisms could block each other.
 */
const MIN_DISTANCE = 1.1;
/**
 * Distance from other organisms, in sides of a window, beyond which more distance does not make a
 * position better.
 */
const AMPLE_DISTANCE = 1.7;
/** Share of the area that the gardener plants; the rest is left to visitors. */
const PLANTED_SHARE = 0.27;
/** Distance between the centres of two bodies that touch, in sides of a window. */
const BODY = 0.75;
const CANDIDATES = 96;
/** Distance between neighbouring windows in the search for bare ground, in cells. */
const LATTICE = 4;
/**
 * What counts as bare ground, best first: how much of a window must be bare, as a share of its
 * side, and how far away the window may be, in sides.
 */
const BARE = [
  [1, 2.5],
  [0.5, Number.POSITIVE_INFINITY],
  [0.25, Number.POSITIVE_INFINITY],
] as const;

/** Returns the number of organisms that fill an area well but still leave space for visitors. */
export function targetCount({ width, height, side }: PlantingArea): number {
  return Math.max(1, Math.floor((PLANTED_SHARE * width * height) / (BODY * side) ** 2));
}

/**
 * Chooses the best of some random positions: the one farthest from all organisms (Mitchell's best
 * candidate).
 *
 * @param taken centres of the living organisms
 * @returns integer coordinates; undefined if no candidate has enough space
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
 * Finds the bare ground nearest to a position. Prefers a nearby window that is completely bare, and
 * otherwise accepts a window with a bare middle, in which a seed has space to grow. Only tries the
 * windows of a lattice.
 *
 * @param near centre, in cells
 * @returns centre of the window; undefined if no window has a bare middle
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

/** Number of strokes per cut. */
const PIECES = 5;

/**
 * Makes a cut across an organism: an arc, as strokes to be sent one after the other.
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

/** Makes a disc that covers a random side of an organism. */
export function discBeside(
  { x, y, side }: Pick<OrganismView, 'x' | 'y' | 'side'>,
  random: Random,
): Stroke {
  const angle = 2 * Math.PI * random.uniform();
  const reach = side * (0.25 + 0.1 * random.uniform());
  const radius = Math.min(STROKE_LIMITS.maxRadius, side * (0.14 + 0.06 * random.uniform()));
  return { radius, points: [x + reach * Math.cos(angle), y + reach * Math.sin(angle)] };
}

/** Returns whether a stroke lies on the grid and covers no cell of another organism. */
export function hitsOnly(id: OrganismId, stroke: Stroke, grid: OwnerGrid): boolean {
  const { width, height, owner } = grid;
  const isOnGrid = stroke.points.every((at, i) => at >= 0 && at <= (i % 2 === 0 ? width : height));
  if (!isOnGrid) return false;
  return placesUnder(stroke, grid).every((place) => owner[place] === 0 || owner[place] === id);
}

/** The centre of a reef, in cells. */
interface Reef extends PlantingPlace {
  /** Direction in which the reef is longest, in radians. */
  readonly angle: number;
  /** The theme that the gardener prefers here. */
  theme: Theme | undefined;
}

/** Mean number of organisms of a reef. */
const REEF_SIZE = 10;
/** Sides of a window that are kept free around a centre when centres are chosen. */
const SPACE = 2.2;
/** Number of directions in which a place is sought. Fewer directions make ragged rims. */
const DIRECTIONS = 16;
/** How many times longer than wide a reef is. */
const STRETCH = 1.6;
/**
 * Maximum number of a new body's cells that may touch or overlap other organisms. With more, bodies
 * would be dented and surrounded by loose cells.
 */
const PRESS = 6;
/** Radius of a body of unknown shape, in sides of a window. */
const RADIUS = 0.38;

/** A planted organism. Without a phase, the organism will be planted soon. */
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
    // Use the room's name as the seed, so that reefs are at the same places after a restart.
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
   * Returns the sparsest or the most crowded reef, compared with how dense each reef should be. In
   * each season, another reef becomes the densest and takes the season's theme.
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

  /** Returns the distance between a place and the centre of the nearest reef, in cells. */
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
   * Chooses, among some creatures, the creature that can be planted nearest to a reef's centre, and
   * a place where its body will nearly touch other organisms. Tries some random directions.
   *
   * @param kinds names of gallery entries. A creature of another name has an unknown shape
   * @param planted all living organisms, and organisms that will be planted
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
   * Marks with 1 each cell of the grid that is owned, or will be owned once all organisms are grown
   * and healed, and the cells beside these cells.
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
