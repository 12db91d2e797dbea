/**
 * The standard garden: 256×256 places, 64 organisms, one planting and one stroke a second, 15 ticks/s; and how gardens are recorded.
 */

import type { Species } from '../../server/world/species.ts';
import type { World } from '../../server/world/world.ts';
import { chunkAt, createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import type { LifeSettings } from '../../shared/vocabulary.ts';
import { copyPlanes } from './compare.ts';
import { ANNA } from './rooms.ts';

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
function changeBetween(before: Planes, after: Planes): Change {
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

export interface RecordedGarden {
  readonly name: string;
  readonly seed: number;
  readonly ticks: number;
  /** Ticks between two plantings, and between two cuts. */
  readonly plantEvery: number;
  readonly cutEvery: number;
  /** Of the cuts, cells. */
  readonly radius: number;
  /** Share of the seeds that are throws of the dice; the others are of the gallery. */
  readonly dice?: number;
  /** How organisms live; without, they step in every tick. */
  readonly life?: LifeSettings;
  /** Share that may express a relative at once. */
  readonly liveliness?: number;
}

/** A bare place with room for a window around it; undefined: none was found. */
function barePlace(planes: Planes, random: Random): { x: number; y: number } | undefined {
  const { side } = GARDEN;
  for (let tries = 0; tries < 1_000; tries++) {
    const x = 16 + random.integer(side - 32);
    const y = 16 + random.integer(side - 32);
    const around = [0, -1, -side, -side - 1].map((step) => planes.owner[y * side + x + step]);
    if (around.every((owner) => owner === 0)) return { x, y };
  }
  return undefined;
}

/** @returns the picture that the garden begins with, and the changes of each tick */
export async function recordGarden(
  world: World,
  species: Species,
  options: RecordedGarden,
): Promise<Change[]> {
  const { side } = GARDEN;
  const { seed, name, dice = 0, life, liveliness = 0 } = options;
  const room = world.open({
    ...{ name, width: side, height: side, maxOrganisms: 256, seed, species },
    ...(life && { life }),
  });
  const random = createRandom(7 * seed);
  let id = 1;
  const plant = (x: number, y: number): void => {
    const isThrow = dice > 0 && random.uniform() < dice;
    const index = random.integer(species.gallery.length);
    room.enqueue(id++, {
      ...{ what: 'plant', by: ANNA, x, y },
      seed: isThrow ? { from: 'prior' } : { from: 'gallery', index },
    });
  };
  for (let i = 0; i < GARDEN.organisms; i++) {
    plant(16 + 32 * (i % 8), 16 + 32 * Math.floor(i / 8));
    await world.tick([room]);
  }
  while (room.awake > 0) await world.tick([room]);
  if (liveliness > 0) room.change({ what: 'liveliness', share: liveliness });

  let before = createPlanes(side, side);
  const changes: Change[] = [];
  const record = (): void => {
    changes.push(changeBetween(before, room.grid.planes));
    before = copyPlanes(room.grid.planes);
  };
  record();
  for (let tick = 0; tick < options.ticks; tick++) {
    if (tick % options.plantEvery === 0) {
      const place = barePlace(room.grid.planes, random);
      if (place) plant(place.x, place.y);
    }
    if (tick % options.cutEvery === 7) {
      // A quick cut of a finger: some twenty cells long, over whatever lives there.
      const [x, y] = [24 + random.integer(side - 48), 24 + random.integer(side - 48)];
      const angle = 2 * Math.PI * random.uniform();
      const points = [0, 0.5, 1].flatMap((t) => [
        x + 20 * t * Math.cos(angle),
        y + 20 * t * Math.sin(angle),
      ]);
      room.enqueue(id++, { what: 'damage', by: ANNA, points, radius: options.radius });
    }
    await world.tick([room]);
    record();
  }
  await world.close(room);
  return changes;
}
