/** Chooses which organisms the gardener crosses, wounds and replaces. */

import type { GardenerWounds } from '../../shared/common-schemas.ts';
import type { ColourRange } from '../../shared/hues.ts';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import { featuredOf, type Species } from '../world/species.ts';

/** Numbers of the gardener; times in ms. */
export const GARDENING = {
  /** Gallery kinds that it plants only when there are no others. */
  avoidedKinds: ['face'] as readonly string[],
  /**
   * Number of organisms that it plants in quick succession at first: at once in a room that nobody
   * has played in yet,
   */
  initialPlants: 6,
  /** otherwise with this delay between two, least and most. */
  plantingDelay: [2_500, 4_500],
  /** Delay between two actions after that, least and most. */
  actionDelay: [5_000, 10_000],
  /** Delay after a refused command. */
  refusalDelay: 15_000,
  /** Delay between two strokes of a cut. */
  strokeInterval: 130,
  /** Time before it may cut the same organism again: one of its own, and one of others. */
  recutDelay: 30_000,
  othersRecutDelay: 600_000,
  /** Share of a room's maximum of organisms above which it removes unattended ones. */
  thinAbove: 0.9,
  /** Share of a room's maximum that it keeps of its own, up to `initialPlants`, in any room. */
  leastShare: 1 / 6,
  /** How long a season of kinds and colours lasts, least and most. */
  seasonLength: [180_000, 300_000],
  /** Entries of the gallery that make a season, at least. */
  seasonEntries: 6,
} as const;
const { avoidedKinds, seasonEntries, seasonLength } = GARDENING;

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

const { name } = PAGE_DEFAULTS.attract;

/** Whether an organism is grown, and stays. */
export const isGrown = ({ phase }: Pick<OrganismView, 'phase'>): boolean =>
  phase === 'asleep' || phase === 'awake';

/** Whether the gardener has planted it; by name, so that those from before a restart count. */
export const isOwn = ({ planter }: Pick<OrganismView, 'planter'>): boolean => planter.name === name;

/** The gallery's creatures of a season among some organisms. */
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
 * Chooses two neighbours of any planter, of different kinds, one of them mostly of the season.
 *
 * @returns undefined if there are no two
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
 * The organisms that may be wounded: whole and grown, of the gallery, whose creatures are known to
 * heal, and without a neighbour that would take the ground that a wound frees.
 *
 * @param whose the gardener's own only, or also those that have been unattended for long
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

/** Whether a neighbour presses against an organism. */
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
