/**
 * The gardener's seasons: for some minutes it prefers creatures of one kind, in one range of
 * colours.
 */
import type { ColourRange } from '../../shared/colour-range.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Random } from '../../shared/random.ts';
import { featuredOf, type Species } from '../world/species.ts';

const { avoidedKinds, seasonEntries, seasonLength } = DEFAULTS.attract;

/** What a season prefers. */
export interface Theme {
  /** Category of the gallery: animal, plant, … */
  readonly kind: string;
  /** Absent: any. */
  readonly colour?: ColourRange | undefined;
}

type Gallery = Pick<Species, 'gallery' | 'featured' | 'colours'>;

/** Whether a gallery entry is of the season. */
export function isOfSeason(index: number, { kind, colour }: Theme, species: Gallery): boolean {
  if ((species.gallery[index].kind ?? '') !== kind) return false;
  return colour === undefined || species.colours?.[index] === colour;
}

/** All themes of featured entries; what is avoided or has few entries only without others. */
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
    // A kind without colours is a season as a whole.
    return themes.length > 0 ? themes : [{ kind }];
  });
}

/** One season after another, chosen by chance, each of another kind and colour than the last. */
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

  /** @param now ms @returns undefined where the gallery is empty */
  at(now: number): Theme | undefined {
    if (now >= this.until) {
      const { random } = this;
      const [least, most] = seasonLength;
      this.until = now + least + (most - least) * random.uniform();
      this.theme = this.next();
    }
    return this.theme;
  }

  /** Kinds have equal chances, however many colours they have. */
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

/** The items that pass, or all if none does. */
export function preferably<T>(items: readonly T[], passes: (item: T) => boolean): readonly T[] {
  const passing = items.filter(passes);
  return passing.length > 0 ? passing : items;
}
