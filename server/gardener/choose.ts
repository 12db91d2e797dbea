/** The gardener's constants and seasons, and its choice of organisms to cross and wound. */

import type { GardenerWounds } from '../../shared/common-schemas.ts';
import type { ColourRange } from '../../shared/hues.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import { featuredOf, type Species } from '../world/species.ts';

/** Constants of the gardener. Durations are in ms. */
export const GARDENING = {
  /** Gallery kinds that the gardener plants only if there are no others. */
  avoidedKinds: ['face'] as readonly string[],
  /**
   * While the gardener has fewer organisms of its own than this, it plants in quick succession. A
   * room that nobody has played in yet gets this many immediately.
   */
  initialPlants: 6,
  /** Minimum and maximum delay between two plantings in quick succession. */
  plantingDelay: [2_500, 4_500],
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
   * than `initialPlants`.
   */
  leastShare: 1 / 6,
  /**
   * Minimum and maximum duration of a season, during which the gardener prefers one kind and
   * colour.
   */
  seasonLength: [180_000, 300_000],
  /** Minimum number of matching gallery entries for a season. */
  seasonEntries: 6,
} as const;
const { avoidedKinds, seasonEntries, seasonLength } = GARDENING;

/** The kind and colour that a season prefers. */
export interface Theme {
  /** Category of the gallery, such as animal or plant. */
  readonly kind: string;
  /** If absent, the season has no preferred colour. */
  readonly colour?: ColourRange | undefined;
}

type Gallery = Pick<Species, 'gallery' | 'featured' | 'colours'>;

/** Returns whether a gallery entry matches a season's theme. */
export function isOfSeason(index: number, { kind, colour }: Theme, species: Gallery): boolean {
  if ((species.gallery[index].kind ?? '') !== kind) return false;
  return colour === undefined || species.colours?.[index] === colour;
}

/**
 * Returns all themes of featured entries. Avoided kinds and kinds with few entries are used only if
 * there are no others.
 */
export function themesOf(species: Gallery): Theme[] {
  const featured = featuredOf(species);
  const kinds = [...new Set(featured.map((index) => species.gallery[index].kind ?? ''))];
  const entriesOf = (kind: string): readonly number[] =>
    featured.filter((index) => isOfSeason(index, { kind }, species));
  const allowed = preferably(kinds, (kind) => !avoidedKinds.includes(kind));
  const large = preferably(allowed, (kind) => entriesOf(kind).length >= seasonEntries);
  return large.flatMap((kind) => {
    const entries = entriesOf(kind);
    const colours = new Set(entries.map((index) => species.colours?.[index]));
    const themes = [...colours].flatMap((colour) => {
      const count = entries.filter((index) => species.colours?.[index] === colour).length;
      return colour && count >= seasonEntries ? [{ kind, colour }] : [];
    });
    // If a kind has no colour themes, use the kind alone as a theme.
    return themes.length > 0 ? themes : [{ kind }];
  });
}

/**
 * A sequence of random seasons. If possible, each season differs from the previous one in both kind
 * and colour.
 */
export class Seasons {
  private theme: Theme | undefined;
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
      this.theme = this.next();
    }
    return this.theme;
  }

  /** Draws the next theme. Kinds have equal chances, however many colours they have. */
  private next(): Theme | undefined {
    const { theme: last, random } = this;
    let themes = preferably(this.themes, ({ kind }) => kind !== last?.kind);
    themes = preferably(themes, ({ colour }) => !colour || colour !== last?.colour);
    if (themes.length === 0) return undefined;
    const kinds = [...new Set(themes.map(({ kind }) => kind))];
    const kind = kinds[random.integer(kinds.length)];
    const ofKind = themes.filter((theme) => theme.kind === kind);
    return ofKind[random.integer(ofKind.length)];
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

/** Returns the organisms that are gallery creatures of the season. */
function ofSeason<O extends Pick<OrganismView, 'kind'>>(
  organisms: readonly O[],
  theme: Theme | undefined,
  { species }: Pick<Room, 'species'>,
): readonly O[] {
  if (!theme) return [];
  return organisms.filter(({ kind }) => {
    const index = species.gallery.findIndex((entry) => entry.name === kind);
    return index >= 0 && isOfSeason(index, theme, species);
  });
}

/**
 * Chooses two grown organisms of different kinds that are near each other, whoever planted them.
 * The first is usually of the season.
 *
 * @returns undefined if the room has no such pair
 */
export function choosePair(
  room: Pick<Room, 'organisms' | 'species'>,
  theme: Theme | undefined,
  random: Random,
): readonly [OrganismView, OrganismView] | undefined {
  const grown = room.organisms.filter(isGrown);
  const seasonal = random.uniform() < 0.7 ? ofSeason(grown, theme, room) : [];
  const first = seasonal.length > 0 ? seasonal : grown;
  if (first.length === 0) return undefined;
  const a = first[random.integer(first.length)];
  const others = grown.filter(({ id }) => id !== a.id);
  if (others.length === 0) return undefined;
  const distance = ({ x, y }: OrganismView): number => Math.hypot(x - a.x, y - a.y);
  const differing = preferably(others, ({ kind }) => kind === '' || kind !== a.kind);
  return [a, differing.reduce((near, one) => (distance(one) < distance(near) ? one : near))];
}

/**
 * Returns the organisms that may be wounded: those that are grown and unhurt, and have no neighbour
 * that would take the ground freed by a wound.
 *
 * @param whose whether to return only the gardener's own organisms, or also unattended ones of
 *   other planters
 */
export function woundable(
  room: Pick<Room, 'organisms' | 'unattended' | 'blockersOf' | 'species'>,
  whose: GardenerWounds,
): OrganismView[] {
  const { organisms } = room;
  const own = organisms.filter(isOwn);
  const others = whose === 'unattended' ? room.unattended().filter((one) => !isOwn(one)) : [];
  return [...own, ...others].filter(
    (one) => isGrown(one) && !one.hurt && !isPressed(one, organisms, room),
  );
}

function isPressed(
  { id, x, y, side }: OrganismView,
  organisms: readonly OrganismView[],
  room: Pick<Room, 'blockersOf'>,
): boolean {
  return organisms.some(
    (other) =>
      other.id !== id &&
      Math.max(Math.abs(other.x - x), Math.abs(other.y - y)) < side &&
      room.blockersOf(other.id).has(id),
  );
}
