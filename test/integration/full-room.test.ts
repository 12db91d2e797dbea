/** A full room makes room, newcomers find it, and one address cannot take its places, its line or its ground. */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import type { LifeEvent } from '../../shared/vocabulary.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf } from '../support/process.ts';
import { ALL_EQUAL, replayed } from '../support/replay.ts';
import { type ServerOptions, type ServerSettings, startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const CAPACITY = 8;
const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
const SEED = { from: 'gallery', index: 3 };

let server: VivariumServer;

async function open(settings: ServerSettings, options?: ServerOptions): Promise<void> {
  const usual = { ...SMALL, size: '160x96', 'tick-rate': 60, 'trust-proxy': 1 };
  server = await startServer({ ...usual, ...settings }, options);
  afterTest(() => server.close());
}

/** Asks for a place from an address; the visitor may have to wait. */
function come(address: string, more: object = {}): Visitor {
  const greeting = { protocol: PROTOCOL_VERSION, room: 'garden', ...more };
  const visitor = new Visitor(server.port, { 'x-forwarded-for': address }, { join: greeting });
  afterTest(() => visitor.leave());
  return visitor;
}

/** Comes in. */
async function enter(address: string, more?: object): Promise<Visitor> {
  const visitor = come(address, more);
  await visitor.until(() => visitor.tick !== undefined);
  return visitor;
}

const room = () => server.world.rooms.get('garden')!;
const ids = () => room().organisms.map(({ id }) => id);
const waits = (visitor: Visitor) => visitor.all('waiting').length > 0;
const gone = (visitor: Visitor) =>
  visitor.all('rejected').some(({ reason }) => reason === 'gave-way');
const plant = (who: Visitor, x: number) => who.ask('plant', { x, y: 40, seed: SEED });

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** As long as it takes the room to tick some times. */
function ticks(many: number): Promise<void> {
  const end = room().tick + many;
  return until(() => room().tick >= end);
}

async function expectExactReplay(data: string): Promise<void> {
  const { code, output } = await replayed('garden', ...flagsOf({ data, ...SMALL }));
  expect(code).toBe(0);
  expect(output).toMatch(ALL_EQUAL);
}

test('an address that fills room and line gives up one place for each newcomer of others, down to its share', async () => {
  await open({ capacity: CAPACITY });
  const has = (some: readonly Visitor[]) => some.filter((one) => one.welcome && !gone(one)).length;
  const crowd = async (many: number, address: string): Promise<Visitor[]> => {
    const all = Array.from({ length: many }, () => come(address));
    await Promise.all(all.map((one) => one.until(() => one.welcome !== undefined || waits(one))));
    return all;
  };
  const first = await crowd(3 * CAPACITY, A);
  await ticks(10);
  // All places are theirs while nobody else wants one.
  expect([has(first), first.filter(gone)]).toEqual([CAPACITY, []]);
  const [newcomer, another] = [await enter(B), await enter(C)];
  await until(() => has(first) === CAPACITY - 2);
  const rivals = await crowd(2 * CAPACITY, B);
  // As equal as eight places are: C wants no more than its one.
  await until(() => has(first) === 4 && has([newcomer, ...rivals]) === 3);
  await ticks(10);
  expect([has(first), has([newcomer, ...rivals]), has([another])]).toEqual([4, 3, 1]);
  expect(gone(another)).toBe(false);
});

test('DEP-1, DEP-3, DEP-10, DEP-12: a newcomer plants in a room full of those at rest; planters are told, and keep theirs; replay is exact', async () => {
  const settings = { data: suiteFolder(), 'max-organisms': 2, energy: 'off' };
  await open(settings);
  const [ada, bo] = [await enter(A, { name: 'Ada' }), await enter(B, { name: 'Bo' })];
  const [first, second] = [await ada.grow(30, 40, SEED), await bo.grow(80, 40, SEED)];
  // A minute has sixty ticks from now on.
  room().setTickRate(1);
  await ticks(60);
  const cy = await enter(C, { name: 'Cy' });
  const places = () => room().grid.planes.owner.filter((owner) => owner === first).length;
  const whole = places();
  expect(await plant(cy, 130)).not.toHaveProperty('reason');
  const tells = (who: Visitor, organism: number) =>
    who.until(() =>
      who
        .all('affected')
        .flatMap(({ organisms }) => organisms)
        .some(({ id, how, kind }) => id === organism && how === 'departing' && kind !== ''),
    );
  await tells(ada, first);
  // Ada keeps the first, so Bo's goes; Bo's grows again once there is room.
  expect(await ada.ask('renew', { organism: second })).toMatchObject({ reason: 'not-yours' });
  expect(await ada.ask('renew', { organism: first })).not.toHaveProperty('reason');
  await tells(bo, second);
  const renewed = ada.life.findIndex(({ what }) => what === 'renewed');
  await ada.until(() =>
    ada.life.slice(renewed).some((event) => event.what === 'asleep' && event.id === first),
  );
  expect(places()).toBeGreaterThan(0.95 * whole);
  const departed = () =>
    bo.life.filter((event: LifeEvent) => event.what === 'died' && event.cause === 'departed');
  await bo.until(() => departed().length > 0);
  expect(departed()).toEqual([{ what: 'died', id: second, cause: 'departed' }]);
  expect(room().organisms.map(({ planter }) => planter.name)).toEqual(['Ada', 'Cy']);
  expect(await bo.ask('renew', { organism: second })).toMatchObject({ reason: 'garden-full' });
  room().change({ what: 'limit', maxOrganisms: 3 });
  expect(await bo.ask('renew', { organism: second })).not.toHaveProperty('reason');
  expect(room().organisms.at(-1)).toMatchObject({ planter: { name: 'Bo' }, x: 80, y: 40 });
  room().change({ what: 'limit', maxOrganisms: 2 });
  await cy.sees(room().grid.planes);
  await server.close();
  const kept = room().export();
  const present = [ada, bo, cy].map((who) => who.welcome!.you.id);
  expect(kept.attendance?.present).toEqual(present);

  await expectExactReplay(settings.data);
  await open(settings);
  expect(ids()).toEqual(kept.organisms.map(({ id }) => id));
  // Nobody of them comes back: in a minute they will count as gone.
  expect(room().participantsWithState).toEqual(expect.arrayContaining(present));
});
