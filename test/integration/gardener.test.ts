/** The gardener with the real automaton: a minute of a room that nobody plays in. */

import { Gardener } from '../../server/gardener/gardener.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import type { Answer, RoomCommand } from '../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import { World } from '../../server/world/world.ts';
import { GARDENER_NAME } from '../../shared/names.ts';
import { createRandom } from '../../shared/random.ts';
import type { LifeEvent } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { startEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const RATE = 15;
const GARDENER = { id: 1, name: GARDENER_NAME, hue: 100 };
const PLACE = {
  name: 'garden',
  width: 192,
  height: 128,
  maxOrganisms: 64,
  seed: 4,
  tickRate: RATE,
};

const { engine, species } = await startEngine();
afterSuite(() => engine.close());

test('in a minute it plants and makes wounds that heal, and replaying the journal gives the same room', async () => {
  const clock = new FakeClock();
  const world = new World(engine);
  const place = { ...PLACE, species, energy: DEFAULT_ENERGY };
  const room = world.open(place);
  const journal = new Map<number, readonly RoomCommand[]>();
  world.journal = async ([{ tick, events }]) => {
    const commands = events.flatMap((event) => (event.what === 'command' ? [event.command] : []));
    if (commands.length > 0) journal.set(tick, commands);
  };
  const waiting = new Map<number, (answer: Answer) => void>();
  let acts = 0;
  const gardener = new Gardener({
    room,
    clock,
    random: createRandom(11),
    act: (act) => {
      const id = ++acts;
      room.enqueue(id, { ...act, by: GARDENER } as RoomCommand);
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    watched: () => true,
    after: 60_000,
  });
  const life: LifeEvent[] = [];
  let refused = 0;
  for (let tick = 0; tick < 90 * RATE; tick++) {
    const [{ result }] = await world.tick([room]);
    for (const answer of result.answers) {
      if (answer.refused) refused++;
      waiting.get(answer.id)?.(answer);
    }
    life.push(...result.life);
    await clock.advance(1000 / RATE);
    gardener.tick();
  }
  const happened = (what: LifeEvent['what']) => life.filter((event) => event.what === what).length;
  expect(refused).toBe(0);
  expect(room.size).toBeGreaterThan(2);
  expect(happened('grown')).toBeGreaterThan(2);
  expect(happened('wounded')).toBeGreaterThan(0);
  expect(happened('healed')).toBeGreaterThan(0);
  // Its energy is its own, and enough for what it does.
  expect(room.energyOf(GARDENER.id)).toBeGreaterThan(0);

  const planes = checksumOf(room.grid.planes);
  const ticks = room.tick;
  await world.close(room);
  world.journal = undefined;
  const again = world.open(place);
  for (let tick = 1; tick <= ticks; tick++) {
    for (const command of journal.get(tick) ?? []) again.enqueue(1, command);
    await world.tick([again]);
  }
  expect(checksumOf(again.grid.planes)).toBe(planes);
});

test('plays for a wall, stops for a visitor, and is not listed as a participant', async () => {
  const server = await startServer({ size: '160x96', 'tick-rate': 60, attract: 60 });
  const room = server.world.rooms.get('garden')!;
  const gardener = server.gardeners.of('garden')!;
  // A new room is planted before anybody comes, but for a visitor who plants.
  while (room.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(room.organisms[0].planter.name).toBe('The gardener');
  const bea = await Visitor.join(server.port, 'garden', 'Bea');
  expect(bea.welcome!.organisms).not.toHaveLength(0);
  await bea.ask('plant', { x: 16, y: 80, seed: { from: 'gallery', index: 0 } });
  await bea.until(() => !gardener.isActive);
  bea.leave();
  gardener.configure({ after: 100 });

  const wall = await Visitor.join(server.port, 'garden', undefined, { as: 'wall' });
  await wall.until(() => gardener.isActive && wall.life.some(({ what }) => what === 'grown'));
  const roomServer = server.roomServers.get('garden')!;
  expect([roomServer.seats.size, roomServer.isWatched]).toEqual([0, true]);
  // Nobody sees life on a dimmed wall.
  roomServer.policy.isDimmed = true;
  expect(roomServer.isWatched).toBe(false);
  roomServer.policy.isDimmed = false;
  gardener.configure({ after: 60_000 });

  // Nobody can pass for it.
  const ada = await Visitor.join(server.port, 'garden', 'the  GARDENER!');
  await ada.until(() => !gardener.isActive);
  expect(ada.welcome!.you.name).toBe('');
  expect(ada.welcome!.participants.map(({ id }) => id)).toEqual([ada.welcome!.you.id]);
  // What it had just sown is in the ground.
  const { tick: joined } = room;
  await ada.until(() => room.tick > joined + 1);
  const { size, tick } = room;
  await ada.until(() => room.tick > tick + 5 * 60);
  expect(room.size).toBe(size);
  expect(gardener.isActive).toBe(false);
  // It is for the host to say when it begins again.
  gardener.configure({ after: 100 });
  await wall.until(() => gardener.isActive);
  gardener.configure({ after: 'off' });
  expect(gardener.isActive).toBe(false);
  for (const one of [ada, wall]) one.leave();
  await server.close();
});
