/** Idle life with the real automaton, the real store, and a whole server. */

import { createEngine } from '../../server/engine/create-engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { openMemory } from '../../server/storage/records.ts';
import { undo } from '../../server/storage/undo.ts';
import { meanSquare } from '../../server/training/pictures/sheet.ts';
import {
  growToRest,
  HOME,
  isSafe,
  roundTrips,
} from '../../server/training/relatives/find-relatives.ts';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { copyPlanes } from '../support/compare.ts';
import { mortalEngine, startEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { ANNA, BERT } from '../support/rooms.ts';
import { startServer } from '../support/server.ts';
import { openStoredRoom, playTicks } from '../support/stored-room.ts';
import { Visitor } from '../support/visitor.ts';
import { calmUpdate, tinyModel } from '../unit/vnca/tiny-model.ts';

describe('the shipped table', () => {
  test('IDL-6: pairs come home twenty times in a row, and none flashes', async () => {
    const { engine, checkpoint } = await startEngine();
    afterTest(() => engine.close());
    const { of, ...round } = (await loadRelatives(checkpoint))!;
    const all = of.flatMap((some, own) => some.map((relative) => ({ own, relative })));
    const every = isFull ? 1 : Math.ceil(all.length / 8);
    const pairs = all.filter((_, i) => i % every === 0);
    const owners = [...new Set(pairs.map(({ own }) => own))];
    const resting = await growToRest(engine, checkpoint, owners);
    const trips = await roundTrips(engine, checkpoint, resting, pairs, round);
    expect(pairs.filter((_, i) => !isSafe(trips[i]))).toEqual([]);
  });

  test('twenty resting organisms show something visible in every five seconds, and are themselves afterwards', async () => {
    const { engine, checkpoint, species: plain } = await startEngine();
    afterTest(() => engine.close());
    const world = new World(engine);
    const { side } = plain;
    const room = world.open({
      ...{ name: 'wall', width: 5 * side, height: 4 * side, maxOrganisms: 20, seed: 3 },
      species: { ...plain, relatives: await loadRelatives(checkpoint) },
      life: { birth: 1, healing: ROOM_DEFAULTS.healing, expressing: ROOM_DEFAULTS.healing },
    });
    for (let i = 0; i < 20; i++) {
      const [x, y] = [side * ((i % 5) + 0.5), side * (Math.floor(i / 5) + 0.5)];
      const seed = { from: 'gallery', index: (41 * i) % plain.gallery.length } as const;
      room.enqueue(i, { what: 'plant', by: { ...ANNA, id: i + 1 }, x, y, seed });
    }
    while (room.tick === 0 || room.awake > 0) await world.tick([room]);
    const atRest = copyPlanes(room.grid.planes);
    room.setLiveliness(ROOM_DEFAULTS.liveliness);
    const window = 5 * ROOM_DEFAULTS.tickRate;
    const seen: number[] = [];
    for (let second = 0; second < (isFull ? 150 : 30); second += 5) {
      const before = copyPlanes(room.grid.planes);
      let most = 0;
      for (let tick = 1; tick <= window; tick++) {
        await world.tick([room]);
        if (tick % 5 === 0) most = Math.max(most, placesChanged(before.rgba, room));
      }
      seen.push(most);
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(30);
    room.setLiveliness(0);
    do await world.tick([room]);
    while (room.awake > 0);
    const { rgba, owner } = room.grid.planes;
    expect(meanSquare(rgba, atRest.rgba)).toBeLessThan(HOME);
    expect(owner.filter((id, i) => id !== atRest.owner[i]).length).toBeLessThan(
      0.01 * owner.length,
    );
    await world.tick([room]);
    expect(room.awake).toBe(0);
  });
});

/** Places that differ by at least 16 of 255. */
function placesChanged(before: Uint8Array, { grid }: Room): number {
  const { rgba } = grid.planes;
  let count = 0;
  for (let at = 0; at < rgba.length; at += 4) {
    if ([0, 1, 2, 3].some((c) => Math.abs(rgba[at + c] - before[at + c]) >= 16)) count++;
  }
  return count;
}

/** What is planted lives, as every cell counts as alive. */
const model = tinyModel(
  { trustedSteps: 12, presence: { channel: 3, threshold: 0 }, update: calmUpdate(7) },
  4,
);
const shared = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => shared.close());

describe('what is stored', () => {
  const species = {
    ...speciesOf({ ...model, folder: '' }),
    relatives: { lentSteps: 5, homeSteps: 6, of: [[1], [0]] },
  };
  const place = { species, maxOrganisms: 6, life: { birth: 1, healing: 2, expressing: 2 } };

  async function open(records = openMemory(), engine = shared) {
    const stored = await openStoredRoom({ engine, records, model, place });
    if (stored.room.liveliness === 0) stored.room.setLiveliness(1);
    return stored;
  }
  const expressing = (room: Room): number =>
    room.export().organisms.filter(({ expression }) => expression).length;

  test('TIM-3, IDL-5: a room that is killed in the middle of expressions goes on as one that never was', async () => {
    const kept = new Map<string, Uint8Array>();
    const through = await open();
    const wanted = new Map<number, number>();
    let first = await open(openMemory(kept));
    let kills = 0;
    for (let part = 0; part < 24; part++) {
      for (const [tick, sum] of await playTicks(through, 9, part)) wanted.set(tick, sum);
      const seen = await playTicks(first, 9, part);
      for (const [tick, sum] of seen) expect([tick, sum]).toEqual([tick, wanted.get(tick)]);
      if (expressing(first.room) === 0 || kills >= (isFull ? 24 : 6)) continue;
      kills++;
      await first.abandon();
      first = await open(openMemory(kept));
      // Ticks without commands need not be stored: they are done again.
      while (first.room.tick < through.room.tick) await first.tick();
      expect(first.room.export()).toEqual(through.room.export());
    }
    expect(kills).toBeGreaterThan(2);
    await first.abandon();
    await through.abandon();
  });

  test('TIM-7, IDL-2: undoing one planting leaves the others as if it had never been', async () => {
    const plant = (room: Room, by: typeof ANNA, x: number, y: number, index: number) =>
      room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
    const run = async (isUndone: boolean) => {
      const stored = await open();
      const { room, store, world, journalWriter } = stored;
      plant(room, ANNA, 8, 8, 0);
      plant(room, ANNA, 40, 8, 1);
      plant(room, ANNA, 8, 40, 0);
      for (let tick = 0; tick < 60; tick++) await stored.tick();
      if (isUndone) plant(room, BERT, 40, 40, 1);
      for (let tick = 0; tick < 40; tick++) await stored.tick();
      const undoing = { store, world, journalWriter, room };
      if (isUndone) {
        expect(room.size).toBe(4);
        await undo(
          { ...undoing, hold: async () => {}, resume: () => {} },
          { since: 0, by: BERT.id },
        );
      } else await stored.tick();
      for (let tick = 0; tick < 40; tick++) await stored.tick();
      const { nextOrganism: _, lastParticipant: __, energy: ___, ...state } = room.export();
      await stored.abandon();
      return state;
    };
    const state = await run(true);
    expect(state).toEqual(await run(false));
    expect(state.organisms).toHaveLength(3);
  });

  test('an engine that loses threads in the middle of expressions goes on the same', async () => {
    const calm = await open();
    const wanted = await playTicks(calm, 150, 3);
    await calm.abandon();
    const mortal = await mortalEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
    afterTest(() => mortal.engine.close());
    const stored = await open(openMemory(), mortal.engine);
    let losses = 0;
    const { tick } = stored;
    stored.tick = () => {
      const isReplaced = mortal.threads.length > losses;
      if (losses < 3 && isReplaced && expressing(stored.room) > 0) {
        losses++;
        mortal.lose();
      }
      return tick();
    };
    expect(await playTicks(stored, 150, 3)).toEqual(wanted);
    expect(losses).toBeGreaterThan(0);
    await stored.abandon();
  });
});

test('IDL-3: a server makes a room lively when somebody comes', async () => {
  const server = await startServer({ liveliness: 0.3 });
  afterTest(() => server.close());
  const { room } = server.roomServers.get('garden')!;
  expect(room.liveliness).toBe(0);
  const visitor = await Visitor.join(server.port);
  afterTest(() => visitor.leave());
  await visitor.until(() => room.liveliness === 0.3);
});
