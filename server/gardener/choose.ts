/** The gardener's constants and seasons, and its choice of organisms to cross and wound. */

import type { GardenerWounds } from '../../shared/common-schemas.ts';
import type { ColourRange } from '../../shared/hues.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import { familyOf } from '../vnca/gallery.ts';
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
