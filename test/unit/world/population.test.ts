/** Only organisms that are awake are stepped. */
import { coloursOf, GridPlanes } from '../../../server/world/grid-planes.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { forRuns } from '../../support/property.ts';
import { ANNA, BERT, HandRoom, type Look } from '../../support/rooms.ts';

const [WIDTH, HEIGHT] = [40, 32];

/** Shapes that shift, so that organisms press on each other, give way, come to rest and wake. */
const look: Look = ({ x, y, organism, tick }) => {
  const height = Math.sin(x * 1.3 + organism * 2.1 + tick * 0.07) + Math.cos(y * 1.7 - organism);
  return height > -0.2 ? 200 : height > -0.9 ? 30 : 5;
};

test('LIF-2, OWN-4: only the awake are stepped, the oldest first, also after sleepers wake', () => {
  forRuns(25, fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
    const random = createRandom(seed);
    const hand = new HandRoom({ maxOrganisms: 16, width: WIDTH, height: HEIGHT });
    const { room } = hand;
    const begin = room.beginTick.bind(room);
    let stepped: number[] = [];
    room.beginTick = () => {
      const work = begin();
      stepped = work.step.map(({ patch }) => patch);
      return work;
    };
    for (let tick = 0; tick < 150; tick++) {
      const by = random.uniform() < 0.5 ? ANNA : BERT;
      if (random.uniform() < 0.2) hand.plant(random.integer(WIDTH), random.integer(HEIGHT), by);
      if (random.uniform() < 0.2) {
        const x = random.uniform() * WIDTH;
        const y = random.uniform() * HEIGHT;
        hand.damage([x, y, x / 2, y], 0.5 + random.uniform() * 4, by);
      }
      hand.change = random.uniform() < 0.9 ? 0 : 3;
      const before = room.organisms;
      const { life } = hand.tick(look);
      const after = room.organisms;
      // In hand rooms, patches have the numbers of their organisms. Before the step, strokes wake
      // or kill, and seeds are planted.
      const woken = life
        .filter(({ what }) => what === 'awake')
        .map((event) => ('id' in event ? event.id : 0));
      const born = life.flatMap((event) => (event.what === 'born' ? [event.organism.id] : []));
      const may = new Set([
        ...before.filter(({ phase }) => phase !== 'asleep').map(({ id }) => id),
        ...woken,
        ...born,
      ]);
      expect(stepped).toEqual(stepped.toSorted((a, b) => a - b));
      expect(stepped.filter((id) => !may.has(id))).toEqual([]);
      const awake = after.filter(({ phase }) => phase !== 'asleep').map(({ id }) => id);
      for (const id of awake) if (!stepped.includes(id)) expect(woken).toContain(id);
      expect(room.awake).toBe(awake.length);
      expect(room.size).toBe(after.length);
    }
  });
});

test('a grid also takes planes that are not aligned in memory', () => {
  const planes = createPlanes(32, 24);
  const askew = new Uint8Array(planes.rgba.length + 1).subarray(1);
  askew.fill(9);
  const grid = new GridPlanes(32, 24, { ...planes, rgba: askew });
  expect(grid.planes.rgba[4]).toBe(9);
  grid.paint(1, coloursOf(new Uint8Array([1, 2, 3, 4]))[0]);
  expect([...grid.planes.rgba.subarray(4, 8)]).toEqual([1, 2, 3, 4]);
  grid.release(1);
  expect([...grid.planes.rgba.subarray(4, 9)]).toEqual([0, 0, 0, 0, 9]);
});
