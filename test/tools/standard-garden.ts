/** Records the standard garden again, after the shipped organisms have changed. */
import { writeFile } from 'node:fs/promises';
import { World } from '../../server/world/world.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { startEngine } from '../support/engine.ts';
import { copyPlanes } from '../support/planes.ts';
import { ANNA } from '../support/rooms.ts';
import { type Change, changeBetween, GARDEN, packChanges } from '../support/standard-garden.ts';

/** A bare place with room for a window around it. */
function barePlace(planes: Planes, random: Random): { x: number; y: number } {
  const { side } = GARDEN;
  for (;;) {
    const x = 16 + random.integer(side - 32);
    const y = 16 + random.integer(side - 32);
    const around = [0, -1, -side, -side - 1].map((step) => planes.owner[y * side + x + step]);
    if (around.every((owner) => owner === 0)) return { x, y };
  }
}

export async function recordGarden(log: (line: string) => void): Promise<void> {
  const { engine, species } = await startEngine('auto');
  const world = new World(engine);
  const { side, tickRate } = GARDEN;
  const room = world.open({
    name: 'standard',
    width: side,
    height: side,
    maxOrganisms: 256,
    seed: 1,
    species,
  });
  const random = createRandom(7);
  let id = 1;
  const index = () => random.integer(species.gallery.length);
  const plant = (x: number, y: number) =>
    room.enqueue(id++, {
      what: 'plant',
      by: ANNA,
      x,
      y,
      seed: { from: 'gallery', index: index() },
    });

  for (let i = 0; i < GARDEN.organisms; i++) {
    plant(16 + 32 * (i % 8), 16 + 32 * Math.floor(i / 8));
    await world.tick([room]);
  }
  while (room.awake > 0) await world.tick([room]);

  let before = createPlanes(side, side);
  const changes: Change[] = [];
  const record = () => {
    changes.push(changeBetween(before, room.grid.planes));
    before = copyPlanes(room.grid.planes);
  };
  record();
  for (let tick = 0; tick < GARDEN.ticks; tick++) {
    if (tick % tickRate === 0) {
      const { x, y } = barePlace(room.grid.planes, random);
      plant(x, y);
    }
    if (tick % tickRate === 7) {
      // A quick cut of a finger: some twenty cells long, over whatever lives there.
      const [x, y] = [24 + random.integer(side - 48), 24 + random.integer(side - 48)];
      const angle = 2 * Math.PI * random.uniform();
      const points = [0, 0.5, 1].flatMap((t) => [
        x + 20 * t * Math.cos(angle),
        y + 20 * t * Math.sin(angle),
      ]);
      room.enqueue(id++, { what: 'damage', by: ANNA, points, radius: 3 });
    }
    await world.tick([room]);
    record();
  }
  await engine.close();
  const cells = changes.slice(1).reduce((sum, { places }) => sum + places.length, 0);
  const packed = packChanges(changes);
  await writeFile(new URL('../fixtures/standard-garden.br', import.meta.url), packed);
  log(
    `${changes.length - 1} ticks, ${(cells / (changes.length - 1)).toFixed(0)} places change a tick, ` +
      `${room.organisms.length} organisms at the end, ${(packed.length / 1e6).toFixed(2)} MB`,
  );
}
