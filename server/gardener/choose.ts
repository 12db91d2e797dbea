/** Chooses which organisms the gardener crosses, wounds and replaces. */
import type { GardenerWounds } from '../../shared/common-schemas.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { Room } from '../world/room.ts';
import { isOfSeason, preferably, type Theme } from './season.ts';

const { name } = DEFAULTS.attract;

/** Whether an organism is grown, and stays. */
export const isGrown = ({ phase }: Pick<OrganismView, 'phase'>): boolean =>
  phase === 'asleep' || phase === 'awake';

/** Whether the gardener has planted it; by name, so that those from before a restart count. */
export const isOwn = ({ planter }: Pick<OrganismView, 'planter'>): boolean => planter.name === name;

/** The gallery's creatures of a season among some organisms. */
export function ofSeason<O extends Pick<OrganismView, 'kind'>>(
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
