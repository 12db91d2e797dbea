/** Gardens of 256×256 places that are planted, cut and recorded tick by tick, each by its seed. */

import type { Species } from '../../server/world/species.ts';
import type { World } from '../../server/world/world.ts';
import { createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import type { LifeSettings } from '../../shared/vocabulary.ts';
import { copyPlanes } from './planes.ts';
import { ANNA } from './rooms.ts';
import { type Change, changeBetween, GARDEN } from './standard-garden.ts';

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
  if (liveliness > 0) room.setLiveliness(liveliness);

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
