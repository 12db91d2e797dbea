/**
 * The standard garden: 256×256 places, 64 organisms, one planting and one stroke a second, 15
 * ticks/s. `standard-recording.ts` has what everybody sees of half a minute of it.
 */
import { chunkAt, createPlanes, type Planes } from '../../shared/codec/chunks.ts';

export const GARDEN = {
  side: 256,
  organisms: 64,
  tickRate: 15,
  ticks: 450,
} as const;

/** What has changed in one tick: places, and what they show since. */
export interface Change {
  readonly places: readonly number[];
  /** [places, 4] premultiplied RGBA. */
  readonly rgba: Uint8Array;
  /** [places] */
  readonly owner: readonly number[];
}

/** What differs between two planes. */
export function changeBetween(before: Planes, after: Planes): Change {
  const places: number[] = [];
  for (let i = 0; i < after.owner.length; i++) {
    let differs = before.owner[i] !== after.owner[i];
    for (let c = 0; c < 4; c++) differs ||= before.rgba[i * 4 + c] !== after.rgba[i * 4 + c];
    if (differs) places.push(i);
  }
  return {
    places,
    rgba: Uint8Array.from(places.flatMap((i) => [...after.rgba.subarray(i * 4, i * 4 + 4)])),
    owner: places.map((i) => after.owner[i]),
  };
}

/** @returns the chunks that it touches */
export function applyChange(planes: Planes, { places, rgba, owner }: Change): Set<number> {
  const chunks = new Set<number>();
  places.forEach((place, i) => {
    planes.rgba.set(rgba.subarray(i * 4, i * 4 + 4), place * 4);
    planes.owner[place] = owner[i];
    chunks.add(chunkAt(planes, place % planes.width, Math.floor(place / planes.width)));
  });
  return chunks;
}

/** A recording to play: the picture that it begins with, and the changes of each tick. */
export interface Garden {
  readonly planes: Planes;
  readonly changes: readonly Change[];
}

/** @param recorded the first change makes the picture that the garden begins with */
export function gardenOf([first, ...changes]: readonly Change[]): Garden {
  const planes = createPlanes(GARDEN.side, GARDEN.side);
  applyChange(planes, first);
  return { planes, changes };
}
