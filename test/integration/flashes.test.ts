/** What the real automaton shows: organisms that flash are slowed, those of the gallery never. */
import { World } from '../../server/world/world.ts';
import { windowAround } from '../../shared/geometry.ts';
import { createRandom } from '../../shared/random.ts';
import type { FlashLimit } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { startEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { ANNA } from '../support/rooms.ts';

const { engine, species } = await startEngine();
afterSuite(() => engine.close());

const RATE = 15;
const COLUMNS = 8;
const { side, latentSize } = species;
let worlds = 0;

type Seed = { from: 'gallery'; index: number } | { from: 'latent'; latent: number[] };

interface Scene {
  readonly seeds: readonly Seed[];
  readonly ticks: number;
  readonly limit: FlashLimit;
  /** Ticks in which each is cut. */
  readonly cuts?: readonly number[];
  /** Whether flashes are counted, which takes longer than the automaton. */
  readonly counts: boolean;
}

/** More flashes a second than any organism has. */
const NO_LIMIT = 1_000 as FlashLimit;
/** Changes that three flashes have. */
const CHANGES = 2 * 3;

const linear = Float64Array.from({ length: 256 }, (_, value) => {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
});

/**
 * Grows seeds side by side.
 *
 * @returns for each the largest share of its window that shows more than three flashes in one
 *   second, and whether it has been slowed
 */
async function grow({ seeds, ticks, limit, cuts = [], counts }: Scene) {
  const world = new World(engine);
  // Patch ids are the engine's, and worlds follow one another.
  const first = 10_000 * ++worlds;
  let planted = 0;
  world.newPatch = () => first + ++planted;
  const [width, height] = [side * COLUMNS, side * Math.ceil(seeds.length / COLUMNS)];
  const place = { name: 'flashes', width, height, maxOrganisms: 64, seed: 1, species };
  const room = world.open({ ...place, tickRate: RATE, flashLimit: limit });
  const windows = seeds.map((_, i) =>
    windowAround(side * ((i % COLUMNS) + 0.5), side * (Math.floor(i / COLUMNS) + 0.5), side),
  );
  // As a journal would, in which any latent may stand.
  room.redo(
    seeds.map((seed, i) => {
      const centre = { x: windows[i].x + side / 2, y: windows[i].y + side / 2 };
      return { what: 'command', id: i, command: { what: 'plant', by: ANNA, ...centre, seed } };
    }),
  );
  const cells = seeds.map(() =>
    Array.from({ length: side * side }, () => ({ edge: 0, rises: false, turns: [] as number[] })),
  );
  const worst = seeds.map(() => 0);
  const slowed = seeds.map(() => false);
  for (let tick = 0; tick < ticks; tick++) {
    if (cuts.includes(tick)) {
      for (const [i, { x, y }] of windows.entries()) {
        const by = { ...ANNA, id: 10 + i };
        const points = [x + 10 + (i % 9), y, x + 22 - (i % 5), y + side - 1];
        room.enqueue(i, { what: 'damage', by, points, radius: 3 + (i % 6) });
      }
    }
    await world.tick([room]);
    const { rgba } = room.grid.planes;
    for (const [i, window] of counts ? windows.entries() : []) {
      let over = 0;
      room.grid.each(window, (at, cell) => {
        const [r, g, b] = rgba.subarray(4 * at, 4 * at + 3);
        const light = 0.2126 * linear[r] + 0.7152 * linear[g] + 0.0722 * linear[b];
        const one = cells[i][cell];
        const { edge, rises, turns } = one;
        if (rises ? light > edge : light < edge) one.edge = light;
        else if (Math.abs(light - edge) >= 0.1 && Math.min(light, edge) < 0.8) {
          Object.assign(one, { edge: light, rises: !rises });
          turns.push(tick);
        }
        if ((turns.at(-1 - CHANGES) ?? -RATE) > tick - RATE) over++;
      });
      worst[i] = Math.max(worst[i], over / (side * side));
    }
    for (const { id, pause } of room.export().organisms) slowed[id - 1] ||= pause !== undefined;
  }
  await world.close(room);
  return { worst, slowed };
}

const random = createRandom(11);
/** Corners of the range that the protocol takes. */
const FAR = Array.from({ length: 16 }, (): Seed => {
  const latent = Array.from({ length: latentSize }, () => (random.uniform() < 0.5 ? -100 : 100));
  return { from: 'latent', latent };
});

test('LIF-9: latents of ±100 would flash without a limit; with it they are slowed', async () => {
  const before = await grow({ seeds: FAR, ticks: 90, limit: NO_LIMIT, counts: true });
  const after = await grow({ seeds: FAR, ticks: 90, limit: 3, counts: true });
  expect(Math.max(...before.worst)).toBeGreaterThan(0.5);
  expect(before.slowed).not.toContain(true);
  expect(after.slowed).toContain(true);
  expect(Math.max(...after.worst)).toBeLessThanOrEqual(0.25);
});

const every = isFull ? 1 : 20;
const gallery = species.gallery.flatMap((_, index): Seed[] =>
  index % every === 0 ? [{ from: 'gallery', index }] : [],
);

test('LIF-9: growing, wounds and healing never slow an organism of the gallery', async () => {
  for (let from = 0; from < gallery.length; from += 64) {
    const seeds = gallery.slice(from, from + 64);
    const cuts = [50, 90, 110];
    const { slowed } = await grow({ seeds, ticks: 150, limit: 3, cuts, counts: false });
    expect(slowed.flatMap((is, i) => (is ? [seeds[i]] : []))).toEqual([]);
  }
});
