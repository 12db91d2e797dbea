/** Rules of the world that only show with the real automaton. */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Room } from '../../server/world/room.ts';
import { roomState } from '../../server/world/room-state.ts';
import { World } from '../../server/world/world.ts';
import { windowAround } from '../../shared/geometry.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { createRandom } from '../../shared/random.ts';
import { afterSuite } from '../support/closing.ts';
import { startEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { ANNA, command } from '../support/rooms.ts';

const { engine, species } = await startEngine();
afterSuite(() => engine.close());

const TICKS = isFull ? 500 : 250;

/** As shipped. */
const LIFE = {
  birth: ROOM_DEFAULTS.birth,
  healing: ROOM_DEFAULTS.healing,
  expressing: ROOM_DEFAULTS.healing,
};

/**
 * Each world has patch ids of its own, and so needs the engine for itself: its patches are given
 * back.
 */
async function inWorld<T>(run: (world: World) => Promise<T>): Promise<T> {
  const world = new World(engine);
  try {
    return await run(world);
  } finally {
    for (const room of [...world.rooms.values()]) await world.close(room);
  }
}

function open(world: World, name: string, width: number, height: number): Room {
  return world.open({ name, width, height, maxOrganisms: 6, seed: 5, species });
}

function plant(room: Room, index: number, x: number, y: number): void {
  room.enqueue(1, { what: 'plant', by: ANNA, x, y, seed: { from: 'gallery', index } });
}

/** What a window of the grid shows: its RGBA, and whether each place is owned. */
function picture(room: Room, x: number, y: number): string {
  const hash = createHash('sha256');
  const { rgba, owner } = room.grid.planes;
  room.grid.each(windowAround(x, y, species.side), (place) => {
    hash.update(rgba.subarray(place * 4, place * 4 + 4)).update(owner[place] ? '1' : '0');
  });
  return hash.digest('hex');
}

/** What the room shows, and what a tick has brought. */
function digest({ grid }: Room, brought: unknown): string {
  const { rgba, owner } = grid.planes;
  return createHash('sha256')
    .update(rgba)
    .update(new Uint8Array(owner.buffer))
    .update(JSON.stringify(brought))
    .digest('hex');
}

describe('the automaton in the world', () => {
  test('ISO-1: an organism looks the same, byte for byte, wherever it grows', () =>
    inWorld(async (world) => {
      const wide = open(world, 'wide', 160, 96);
      const alone = open(world, 'alone', 32, 32);
      plant(alone, 105, 16, 16);
      const places = [
        [16, 16],
        [77, 50],
        [144, 80],
      ];
      for (const [x, y] of places) plant(wide, 105, x, y);
      plant(wide, 3, 120, 20);
      for (let tick = 0; tick < 70; tick++) {
        await world.tick([wide, alone]);
        const wanted = picture(alone, 16, 16);
        for (const [x, y] of places) expect(picture(wide, x, y)).toBe(wanted);
      }
      const ids = [...wide.organisms.slice(0, 3)].map(({ id }) => wide.patchOf(id)!);
      const states = await engine.exportStates([alone.patchOf(1)!, ...ids]);
      for (const state of states) expect(state).toEqual(states[0]);
    }));

  test(`TIM-3, TIM-5, ISO-2: ${TICKS} ticks of random commands give the same planes, whatever other rooms do`, async () => {
    const run = (seed: number, withNeighbour: boolean) =>
      inWorld(async (world) => {
        const room = open(world, 'a', 96, 80);
        room.change({ what: 'life', settings: LIFE });
        const other = withNeighbour ? [open(world, 'b', 64, 64)] : [];
        const random = createRandom(seed);
        const elsewhere = createRandom(seed + 1);
        const history: string[] = [];
        let life = 0;
        for (let tick = 0; tick < TICKS; tick++) {
          if (random.uniform() < 0.12) command(random, room);
          if (other[0] && tick < (isFull ? 200 : 150) && elsewhere.uniform() < 0.05)
            command(elsewhere, other[0]);
          const ticked = await world.tick([...other, room]);
          const { result } = ticked.at(-1)!;
          life += result.life.length;
          const { owner } = room.grid.planes;
          history.push(digest(room, [result.life, result.answers]));
          const living = new Set(room.organisms.map(({ id }) => id));
          const owners = new Set(owner);
          owners.delete(0);
          for (const id of owners) expect(living).toContain(id);
        }
        return { history, life };
      });
    const seed = 20261124;
    const first = await run(seed, false);
    expect(first.life).toBeGreaterThan(isFull ? 20 : 12);
    expect((await run(seed, true)).history).toEqual(first.history);
    expect((await run(seed + 7, false)).history.at(-1)).not.toBe(first.history.at(-1));
  });
});

/** Organisms side by side, of the whole gallery. */
const CROWD = 12;
const centre = (i: number) => ({ x: 32 * (i % 4) + 16, y: 32 * Math.floor(i / 4) + 16 });

/** A room with a seed for each of them, planted at the next tick. */
function crowd(world: World): Room {
  const { gallery } = species;
  const room = world.open({
    ...{ name: 'crowd', width: 128, height: 96, maxOrganisms: CROWD, seed: 1, species },
    ...{ life: LIFE, tickRate: ROOM_DEFAULTS.tickRate },
  });
  for (let i = 0; i < CROWD; i++) {
    const { x, y } = centre(i);
    plant(room, Math.floor((i * gallery.length) / CROWD), x, y);
  }
  return room;
}

/** Ticks until each organism has fallen asleep. */
async function settle(world: World, room: Room): Promise<void> {
  do await world.tick([room]);
  while (room.awake > 0);
}

describe('life as it is shipped', () => {
  test('PAC-1, PAC-2, CLO-1, LIF-1, LIF-2: a birth can be watched, a sleeper changes nothing, a cut is seen at once and closes from its rim until the organism is whole', () =>
    inWorld(async (world) => {
      const room = crowd(world);
      const { rgba, owner } = room.grid.planes;
      const windows = Array.from({ length: CROWD }, (_, i) => {
        return windowAround(centre(i).x, centre(i).y, species.side);
      });
      const shown = new Set<number>();
      let grownAt = 0;
      while (grownAt === 0) {
        const [{ result }] = await world.tick([room]);
        if (result.life.some(({ what }) => what === 'grown')) grownAt = result.tick;
        if (result.tick > ROOM_DEFAULTS.tickRate) continue;
        for (const [i, window] of windows.entries()) {
          room.grid.each(window, (place) => {
            if (rgba[4 * place + 3] >= species.threshold) shown.add(i);
          });
        }
      }
      // All but the palest are seen within a second, and a birth takes about eight.
      expect(shown.size).toBeGreaterThan(CROWD / 2);
      expect(grownAt).toBe(1 + LIFE.birth * (species.schedule.length - 1));
      await settle(world, room);
      for (let tick = 0; tick < 30; tick++) {
        const [{ result }] = await world.tick([room]);
        expect(result.changed).toEqual([]);
      }

      const [home, homes] = [rgba.slice(), [...owner]];
      for (const { x, y } of windows) {
        const points = [x + 8, y, x + 8, y + 31.9];
        room.enqueue(1, { what: 'damage', by: ANNA, points, radius: 7.9 });
      }
      await world.tick([room]);
      const lost = homes.flatMap((id, place) => (id > 0 && owner[place] !== id ? [place] : []));
      expect(lost.length).toBeGreaterThan(CROWD * 100);
      const missing = () => lost.filter((place) => owner[place] !== homes[place]);
      expect(missing().every((place) => rgba[4 * place + 3] === 0)).toBe(true);
      for (let steps = 2; steps <= 8; steps++) {
        for (let i = 0; i < LIFE.healing; i++) await world.tick([room]);
        const bare = new Set(missing());
        // How far from the cut those lie that have come back.
        const reached = lost.filter((place) => !bare.has(place)).map((place) => 16 - (place % 32));
        expect(Math.max(...reached)).toBeLessThanOrEqual(steps);
      }
      expect(missing().length).toBeGreaterThan(lost.length / 4);
      await settle(world, room);
      for (const window of windows) {
        let error = 0;
        room.grid.each(window, (place) => {
          for (let at = 4 * place; at < 4 * place + 4; at++) error += (rgba[at] - home[at]) ** 2;
        });
        expect(error / 255 ** 2 / (4 * species.side ** 2)).toBeLessThan(0.01);
      }
      expect(room.organisms.every(({ healed, hurt }) => healed === 1 && !hurt)).toBe(true);
    }));
});

test.each<[string, (state: Record<string, unknown>) => unknown]>([
  ['of another version', (state) => (state.version = 99)],
  ['with planes of another size', (state) => (state.planes as { width: number }).width++],
  ['with a number that is none', (state) => (state.tick = Number.NaN)],
  ['with something that nobody knows', (state) => (state.more = 1)],
])('a state %s is refused', (_, spoil) => {
  const state = open(new World(engine), 'a', 48, 40).export();
  spoil(state);
  expect(v.safeParse(roomState, state).success).toBe(false);
});
