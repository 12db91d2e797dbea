/** Rules of the world that only show with the real automaton. */

import { createHash } from 'node:crypto';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { windowAround } from '../../shared/geometry.ts';
import { createRandom } from '../../shared/random.ts';
import { CHECKPOINT_FOLDER, mortalEngine, startEngine } from '../support/engine.ts';
import { ANNA } from '../support/rooms.ts';
import { afterSuite } from '../support/suite.ts';
import { command } from '../support/wishes.ts';

const { engine, species } = await startEngine();
afterSuite(() => engine.close());

/** As shipped. */
const LIFE = { birth: DEFAULTS.life.birth, healing: DEFAULTS.life.healing };

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

  test('GRO-2: an organism is grown in forty ticks, and visible', () =>
    inWorld(async (world) => {
      const room = open(world, 'grow', 64, 64);
      plant(room, 105, 32, 32);
      const stages: number[] = [];
      const life: string[] = [];
      for (let tick = 0; tick < 40; tick++) {
        const [{ result }] = await world.tick([room]);
        stages.push(room.organisms[0].stage);
        life.push(...result.life.map(({ what }) => what));
      }
      expect(stages).toEqual([2, 4, 8, 16, 32].flatMap((stage) => Array(8).fill(stage)));
      expect(life.at(-1)).toBe('grown');
      const owned = room.grid.planes.owner.filter((id) => id === 1).length;
      expect(owned).toBeGreaterThan(150);
      expect(owned).toBeLessThan(1024);
    }));

  test('LIF-1, LIF-2: an organism falls asleep in time, then costs nothing, and wakes and heals after a stroke', () =>
    inWorld(async (world) => {
      const room = open(world, 'sleep', 64, 64);
      plant(room, 105, 32, 32);
      for (let tick = 0; tick < 40 + species.trustedSteps!; tick++) await world.tick([room]);
      expect(room.organisms[0].phase).toBe('asleep');
      const still = room.grid.planes.rgba.slice();
      const unwounded = room.grid.planes.owner.filter((id) => id === 1).length;
      for (let tick = 0; tick < 30; tick++) {
        const [{ result }] = await world.tick([room]);
        expect(result.changed).toEqual([]);
      }
      expect(room.grid.planes.rgba).toEqual(still);
      room.enqueue(1, { what: 'damage', by: ANNA, points: [32, 32], radius: 5 });
      await world.tick([room]);
      expect(room.organisms[0].phase).toBe('awake');
      const wounded = room.grid.planes.owner.filter((id) => id === 1).length;
      expect(wounded).toBeLessThan(unwounded - 15);
      for (let tick = 0; tick < 30; tick++) await world.tick([room]);
      const healed = room.grid.planes.owner.filter((id) => id === 1).length;
      expect(healed).toBeGreaterThan(unwounded * 0.95);
    }));

  test('TIM-3, TIM-5, ISO-2: 500 ticks of random commands give the same planes, whatever other rooms do', async () => {
    const run = (seed: number, withNeighbour: boolean) =>
      inWorld(async (world) => {
        const room = open(world, 'a', 96, 80);
        room.setLife(LIFE);
        const other = withNeighbour ? [open(world, 'b', 64, 64)] : [];
        const random = createRandom(seed);
        const elsewhere = createRandom(seed + 1);
        const history: string[] = [];
        let life = 0;
        for (let tick = 0; tick < 500; tick++) {
          if (random.uniform() < 0.12) command(random, room);
          if (other[0] && tick < 200 && elsewhere.uniform() < 0.05) command(elsewhere, other[0]);
          const ticked = await world.tick([...other, room]);
          const { result } = ticked.at(-1)!;
          life += result.life.length;
          const { rgba, owner } = room.grid.planes;
          history.push(
            createHash('sha256')
              .update(rgba)
              .update(new Uint8Array(owner.buffer))
              .update(JSON.stringify(result.life))
              .update(JSON.stringify(result.answers))
              .digest('hex'),
          );
          const living = new Set(room.organisms.map(({ id }) => id));
          const owners = new Set(owner);
          owners.delete(0);
          for (const id of owners) expect(living).toContain(id);
        }
        return { history, life };
      });
    const seed = 20261124;
    const first = await run(seed, false);
    expect(first.life).toBeGreaterThan(30);
    expect((await run(seed, true)).history).toEqual(first.history);
    expect((await run(seed + 7, false)).history.at(-1)).not.toBe(first.history.at(-1));
  });

  test('TIM-3: a room goes on byte for byte when threads of its engine are killed', async () => {
    const {
      engine: mine,
      lose,
      heard,
    } = await mortalEngine({
      checkpoints: [await loadCheckpoint(CHECKPOINT_FOLDER)],
      backend: 'onnx',
    });
    const run = async (deaths: readonly number[]): Promise<string> => {
      const world = new World(mine);
      const room = open(world, 'a', 96, 80);
      const random = createRandom(12);
      const hash = createHash('sha256');
      for (let tick = 0; tick < 90; tick++) {
        if (random.uniform() < 0.2) command(random, room);
        const ticking = world.tick([room]);
        if (deaths.includes(tick)) lose();
        const [{ result }] = await ticking;
        hash.update(room.grid.planes.rgba).update(JSON.stringify(result));
      }
      await world.close(room);
      return hash.digest('hex');
    };
    try {
      const wanted = await run([]);
      expect(await run([30, 75])).toBe(wanted);
      expect(heard).toHaveLength(2);
    } finally {
      await mine.close();
    }
  });
});
