/**
 * The creatures that the gardener prefers. A season is a period of a few minutes, in which the
 * gardener prefers one family and one colour.
 */
import type { ColourRange } from '../../shared/hues.ts';
import type { Random } from '../../shared/random.ts';
import { familyOf } from '../vnca/gallery.ts';
import { featuredOf, type Species } from '../world/species.ts';

export const SEASONS = {
  /**
   * Preferred families of creatures. The gardener uses other families only if the gallery has no
   * preferred family.
   */
  reefFamilies: ['plant', 'sea'] as readonly string[],
  /** Families that the gardener uses only if the gallery has no other families. */
  avoidedFamilies: ['face'] as readonly string[],
  /** Minimum and maximum duration of a season, in ms. */
  seasonLength: [180_000, 300_000],
  /** A season's theme needs at least this many matching gallery entries. */
  seasonEntries: 4,
} as const;
const { avoidedFamilies, reefFamilies, seasonEntries, seasonLength } = SEASONS;

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
 * Selects entries of preferred families. If there are none, selects entries of families that are
 * not avoided. If all families are avoided, selects all entries. `entries` are gallery indices.
 */
export function suitable(entries: readonly number[], { gallery }: Gallery): readonly number[] {
  const family = (index: number): string => familyOf(gallery[index]);
  const allowed = preferably(entries, (index) => !avoidedFamilies.includes(family(index)));
  return preferably(allowed, (index) => reefFamilies.includes(family(index)));
}

/**
 * Lists the possible themes of seasons: each family with enough creatures, combined with each
 * colour that enough of these creatures have. If no family has enough creatures, lists all
 * families.
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
    // If no colour has enough entries, the theme consists of the family alone.
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

  /**
   * Returns the current season's theme; undefined if the gallery is empty.
   *
   * @param now time, in ms
   */
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
   * Draws the next theme: first a family, then one of its colours. Thus families with few colours
   * are drawn as often as families with many colours.
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

/**
 * Returns the items for which `passes` returns true. If there are no such items, returns all items.
 */
export function preferably<T>(items: readonly T[], passes: (item: T) => boolean): readonly T[] {
  const passing = items.filter(passes);
  return passing.length > 0 ? passing : items;
}
