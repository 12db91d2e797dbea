/** The walls of a room as its host sees them. */
import type { WallState } from '../../../shared/host/state.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import type { WallPlace } from '../policy/wall-places.ts';
import type { FrameRate } from './frame-rate.ts';

/** A wall that is up. */
export interface ConnectedWall {
  /** Monotonic time, ms. */
  readonly since: number;
  readonly frameRate: FrameRate;
  /** Languages that its screen has no letters for. */
  readonly unwritable: readonly LanguageCode[];
  /** Id of its place, if it has one. */
  readonly place?: number | undefined;
}

/**
 * @param places of the room
 * @param connected the walls that are up; several may share a place
 * @param now monotonic time, ms
 * @returns the walls with places, in their order, then the others
 */
export function wallStates(
  places: readonly WallPlace[],
  connected: readonly ConnectedWall[],
  now: number,
): WallState[] {
  const stateOf = (place: WallPlace | undefined, screens: readonly ConnectedWall[]): WallState => ({
    id: place?.id ?? null,
    name: place?.name ?? '',
    path: place ? `/wall/${place.room}?pass=${place.pass}` : '',
    screens: screens.length,
    upFor: screens.length > 0 ? now - Math.min(...screens.map(({ since }) => since)) : null,
    lost: place?.lost ?? null,
    unwritable: [...new Set(screens.flatMap(({ unwritable }) => unwritable))],
    // Of several screens, the slowest is worth knowing.
    frameRate:
      screens.length > 0 ? Math.min(...screens.map(({ frameRate }) => frameRate.at(now))) : 0,
  });
  const own = places.map((place) =>
    stateOf(
      place,
      connected.filter((wall) => wall.place === place.id),
    ),
  );
  const guests = connected.filter(({ place }) => place === undefined);
  return [...own, ...guests.map((wall) => stateOf(undefined, [wall]))];
}
