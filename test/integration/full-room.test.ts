/** A full room makes room, newcomers find it, and replay is exact. */

import type { VivariumServer } from '../../server/composition/create-server.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import { readRange } from '../../server/replay/journal-range.ts';
import { runReplay } from '../../server/replay/run-replay.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { JournalWriter } from '../../server/storage/journal-writer.ts';
import { openRoom } from '../../server/storage/open-room.ts';
import { openMemory } from '../../server/storage/records.ts';
import { recover } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import type { LifeEvent } from '../../shared/vocabulary.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf } from '../support/process.ts';
import { ALL_EQUAL, replayed } from '../support/replay.ts';
import { ANNA } from '../support/rooms.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

const { newcomer, plant: price } = DEFAULT_ENERGY;

const hasDeparted = (event: LifeEvent): boolean =>
  event.what === 'died' && event.cause === 'departed';

const roomOf = (server: VivariumServer): Room => server.world.rooms.get('garden')!;

describe('over the wire', () => {
  test('DEP-1, DEP-3, DEP-10, DEP-12: a newcomer plants in a room full of those at rest; planters are told, and keep theirs; replay is exact', async () => {
    const data = suiteFolder();
    const settings = {
      ...{ ...SMALL, data, size: '160x96', 'max-organisms': 2, 'tick-rate': 60, energy: 'off' },
    };
    let server = await startServer(settings);
    const { port } = server;
    const plant = (who: Visitor, x: number) =>
      who.ask('plant', { x, y: 40, seed: { from: 'gallery', index: 3 } });
    const ada = await Visitor.join(port, 'garden', 'Ada');
    const bo = await Visitor.join(port, 'garden', 'Bo');
    await plant(ada, 30);
    await plant(bo, 80);
    await ada.until(() => ada.life.filter(({ what }) => what === 'asleep').length === 2);
    // A minute has sixty ticks from now on.
    roomOf(server).setTickRate(1);
    const { tick } = roomOf(server);
    await ada.until(() => ada.tick! > tick + 60);
    const cy = await Visitor.join(port, 'garden', 'Cy');
    const [{ id }, { id: second }] = roomOf(server).organisms;
    const places = () => roomOf(server).grid.planes.owner.filter((owner) => owner === id).length;
    const whole = places();
    expect(await plant(cy, 130)).not.toHaveProperty('reason');
    const tells = (who: Visitor, organism: number) =>
      who.until(() =>
        who.heard.some(
          ({ name, message }) =>
            name === 'affected' &&
            (message as Event<'affected'>).organisms.some(
              (one) => one.id === organism && one.how === 'departing' && one.kind !== '',
            ),
        ),
      );
    await tells(ada, id);
    // Ada keeps the first, so Bo's goes; Bo's grows again once there is room.
    expect(await ada.ask('renew', { organism: second })).toMatchObject({ reason: 'not-yours' });
    expect(await ada.ask('renew', { organism: id })).not.toHaveProperty('reason');
    await tells(bo, second);
    const renewed = ada.life.findIndex(({ what }) => what === 'renewed');
    await ada.until(() =>
      ada.life.slice(renewed).some((event) => event.what === 'asleep' && event.id === id),
    );
    expect(places()).toBeGreaterThan(0.95 * whole);
    await bo.until(() => bo.life.some(hasDeparted));
    expect(bo.life.filter(hasDeparted)).toEqual([{ what: 'died', id: second, cause: 'departed' }]);
    expect(roomOf(server).organisms.map(({ planter }) => planter.name)).toEqual(['Ada', 'Cy']);
    expect(await bo.ask('renew', { organism: second })).toMatchObject({ reason: 'garden-full' });
    roomOf(server).setMaxOrganisms(3);
    expect(await bo.ask('renew', { organism: second })).not.toHaveProperty('reason');
    expect(roomOf(server).organisms.at(-1)).toMatchObject({
      planter: { name: 'Bo' },
      x: 80,
      y: 40,
    });
    roomOf(server).setMaxOrganisms(2);
    await cy.sees(roomOf(server).grid.planes);
    for (const visitor of [ada, bo, cy]) visitor.leave();
    await server.close();
    const kept = roomOf(server).export();
    expect(kept.attendance?.present).toEqual([ada, bo, cy].map((who) => who.welcome!.you.id));

    const { code, output } = await replayed('garden', ...flagsOf({ data, ...SMALL }));
    expect(code).toBe(0);
    expect(output).toMatch(ALL_EQUAL);
    server = await startServer(settings);
    expect(roomOf(server).organisms.map(({ id: one }) => one)).toEqual(
      kept.organisms.map(({ id: one }) => one),
    );
    // Nobody of them comes back: in a minute they will count as gone.
    expect(roomOf(server).participantsWithState).toEqual(
      expect.arrayContaining([...kept.attendance!.present]),
    );
    await server.close();
  });

  describe('where nothing refills', () => {
    let server: VivariumServer;
    beforeEach(async () => {
      server = await startServer({ ...SMALL, size: '256x224', energy: 'refillPerSecond=0' });
      afterTest(() => server.close());
    });

    const come = async (wishes: { mark?: string } = {}): Promise<Visitor> => {
      const visitor = await Visitor.join(server.port, 'garden', undefined, wishes);
      afterTest(() => visitor.leave());
      return visitor;
    };

    test("ENE-4: one device that reconnects 32 times has a newcomer's energy once", async () => {
      let visitor = await come();
      const { mark, energy } = visitor.welcome!;
      let had = energy.level;
      for (let i = 1; i < 32; i++) {
        visitor.leave();
        visitor = await come({ mark: mark! });
        expect(visitor.welcome!.mark).toBeUndefined();
        had += visitor.welcome!.energy.level;
      }
      // What comes back within the hour is no seed's worth here.
      expect(had).toBeGreaterThanOrEqual(newcomer);
      expect(had).toBeLessThan(newcomer + price);
    });

    test('ENE-5: thirty pupils behind one address come at once, and each plants one', async () => {
      const pupils = await Promise.all(Array.from({ length: 30 }, () => come()));
      const answers = await Promise.all(
        pupils.map((pupil, i) =>
          pupil.ask('plant', {
            x: 20 + 36 * (i % 6),
            y: 20 + 36 * Math.floor(i / 6),
            seed: { from: 'prior' },
          }),
        ),
      );
      expect(answers.flatMap((answer) => ('reason' in answer ? [answer.reason] : []))).toEqual([]);
      expect(roomOf(server).size).toBe(30);
      const levels = pupils.map(({ welcome }) => welcome!.energy.level);
      expect(levels.filter((level) => level > newcomer / 2)).toHaveLength(1);
      // One that has been here knows itself again: nothing is left of what it planted with.
      const again = await come({ mark: pupils[7].welcome!.mark! });
      expect(again.welcome!.energy.level).toBeLessThan(1);
    });

    test.each([
      ['made up', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
      ['empty', ''],
      ['nonsense', 'ſ∞ \u0000'],
    ])('a mark that is %s counts as none, and a good one is given', async (_, mark) => {
      const one = await come({ mark });
      expect(one.welcome!.energy.level).toBe(newcomer);
      expect(one.welcome!.mark).toMatch(/^[\w-]{30,64}$/);
    });
  });
});

describe('a full room that is opened again', () => {
  const model = tinyModel(
    {
      name: 'chance',
      trustedSteps: 20,
      update: { kind: 'simple', hidden: 8, updateProbability: 0.5 },
    },
    8,
  );
  const species = speciesOf({ ...model, folder: '' });
  const checkpoint = { name: 'chance', hash: 'x' };
  /** Ticks a second: a minute is soon over. */
  const tickRate = 0.2;
  const place = { name: 'a', width: 60, height: 60, maxOrganisms: 3, tickRate, seed: 4, species };
  const start = () => createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });

  test('DEP-5: makes room for newcomers before and after, and replays to the letter', async () => {
    const engine = await start();
    const store = new Store(openMemory());
    const clock = new FakeClock();
    let now = 1_790_000_000_000;
    const date = () => now;
    const random = createRandom(11);
    let departed = 0;

    const live = async (world: World, room: Room, journalWriter: JournalWriter) => {
      for (let tick = 0; tick < 120; tick++) {
        const by = { ...ANNA, id: 1 + random.integer(4) };
        const chance = random.uniform();
        const [x, y] = [8 + random.integer(45), 8 + random.integer(45)];
        if (chance < 0.4) {
          room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'prior' } });
        } else if (chance < 0.45) room.enter(by.id, random.integer(60));
        else if (chance < 0.5) room.leave(by.id);
        const ticked = await world.tick([room]);
        for (const { result } of ticked) {
          departed += result.life.filter(hasDeparted).length;
        }
        journalWriter.ticked(ticked);
        now += 1_000;
        await clock.advance(50);
      }
    };
    const kept = (world: World): JournalWriter => {
      const journalWriter = new JournalWriter({
        ...{ store, engine, clock, date, snapshotLeast: 100 },
        warn: () => {},
      });
      world.journal = journalWriter.record;
      return journalWriter;
    };

    const world = new World(engine);
    const first = kept(world);
    const { room, tail } = await openRoom(place, { store, world, checkpoint, date, say: () => {} });
    await first.watch(room, tail);
    await live(world, room, first);
    expect(room.size).toBeGreaterThanOrEqual(3);
    expect(departed).toBeGreaterThan(3);
    await first.close();
    await world.close(room);

    const later = new World(engine);
    const opened = await openRoom(place, {
      ...{ store, world: later, checkpoint, date, say: () => {} },
    });
    departed = 0;
    const second = kept(later);
    await second.watch(opened.room, opened.tail);
    await live(later, opened.room, second);
    expect(departed).toBeGreaterThan(3);
    await second.saveAll();
    await second.close();
    const end = opened.room.export();
    await later.close(opened.room);

    // As if the power had failed in the end, and from the very beginning.
    const again = await recover(store, new World(engine), { ...place, checkpoint });
    expect(again.room.export()).toEqual({ ...end, acted: 0 });
    const stretch = await readRange(store, 'a', { from: undefined, to: undefined });
    const other = await start();
    const { ticks, equal, unequal } = await runReplay(stretch, {
      ...{ engine: other, species, clock, rate: Number.POSITIVE_INFINITY, every: 1 },
    });
    expect(unequal).toEqual([]);
    expect(equal).toBeGreaterThan(10);
    expect(ticks).toBe(stretch.to - stretch.from);
    expect(ticks).toBeGreaterThan(200);
    await other.close();
    await engine.close();
  });
});
