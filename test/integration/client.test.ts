/** The package's client on a real server: what it knows, what it does, and how it ends. */
import { Server } from 'socket.io';
import { type JoinOptions, join, Room, RoomError } from '../../client/room/join.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { createRandom } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import { equalPlanes } from '../support/compare.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/programs.ts';
import { hostOf, suiteServer } from '../support/suite.ts';

const {
  server,
  room: garden,
  roomUrl,
  url,
} = await suiteServer({
  ...{ size: '128x96', energy: 'off', 'tick-rate': 30, capacity: 6 },
});

/** Leaves after the test. */
async function enter(address = roomUrl, options: JoinOptions = {}) {
  const room = await join(address, options);
  afterTest(() => room.leave());
  return room;
}

/** The reason for which a promise is rejected. */
const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof RoomError ? error.reason : `${error}`),
  );

const [A, B] = [
  { x: 32, y: 48 },
  { x: 90, y: 48 },
];

test('it plants, wounds, grafts, transforms, crosses and looks, and each promise ends with what has come of it', async () => {
  const ada = await enter(roomUrl, { name: 'Ada' });
  const guest = await enter(`${roomUrl}?view=only`);
  expect([ada.you?.name, guest.you, [...guest.people.values()].map(({ name }) => name)]).toEqual([
    'Ada',
    undefined,
    ['Ada'],
  ]);
  const born: string[] = [];
  guest.on('life', ({ event }) => event.what === 'born' && born.push(event.organism.kind));
  const [first, second, third] = ada.gallery;
  const a = await ada.plant(A, first);
  const b = await ada.plant(B, { from: 'gallery', index: 1 });
  expect([a, b]).toMatchObject([
    { ...A, kind: first, planter: { name: 'Ada' } },
    { ...B, kind: second },
  ]);
  const isGrown = () => [a, b].every(({ id }) => ada.organisms.get(id)?.phase === 'asleep');
  await ada.until(isGrown, 'life');

  const [wounded, ...others] = await ada.damage({ points: [A.x - 20, A.y, A.x, A.y], radius: 4 });
  expect([wounded, others]).toMatchObject([{ id: a.id, wounds: 1, hurt: true }, []]);
  const chimeras = await ada.graft({ points: [B.x, B.y - 8, B.x + 6, B.y - 8], radius: 5 }, third);
  expect(chimeras).toMatchObject([{ id: b.id, parts: [{ kind: second }, { kind: third }] }]);
  expect(await ada.transform(b.id, first)).toMatchObject({ id: b.id, kind: first, was: [second] });
  const seed = await ada.cross(a.id, b.id, 0.3);
  expect(ada.seeds).toEqual([seed]);
  expect(await ada.look({ x: A.x - 2, y: A.y + 6, width: 4, height: 4 })).toMatchObject([
    { id: a.id },
  ]);
  await ada.until(isGrown, 'life');
  const child = await ada.plant({ x: 61, y: 20 }, seed);
  expect(child.parents).toEqual([a.id, b.id]);
  await guest.until(() => born.length === 3, 'life');
  expect(guest.organisms.get(child.id)).toEqual(ada.organisms.get(child.id));

  // What it cannot do has a reason, and nothing changes.
  const before = garden.size;
  expect(
    await Promise.all([
      reasonOf(ada.plant({ x: 2, y: 2 }, first)),
      reasonOf(ada.plant(A, 'no such creature')),
      reasonOf(ada.cross(a.id, 999)),
      reasonOf(guest.plant(A, first)),
    ]),
  ).toEqual(['off-grid', 'no-such-seed', 'no-such-organism', 'only-watches']);
  expect(await ada.damage({ points: [2, 2, 4, 2], radius: 1 })).toEqual([]);
  expect(garden.size).toBe(before);

  // Every cell arrives, and as colours that are not premultiplied.
  await guest.until(() => equalPlanes(guest.planes, garden.grid.planes), 'picture', 'pace');
  const owned = guest.planes.owner.findIndex(
    (id, i) => id === a.id && guest.planes.rgba[4 * i + 3] > 99,
  );
  const area = { x: owned % 128, y: Math.floor(owned / 128), width: 1, height: 1 };
  const [red, , , alpha] = guest.planes.rgba.subarray(4 * owned);
  const [straight, , , same] = guest.pixels(area);
  expect([Math.abs(straight - (red * 255) / alpha) < 1, same]).toEqual([true, alpha]);
  expect([...guest.pixels({ x: 0, y: 0, width: 1, height: 1 })]).toEqual([0, 0, 0, 0]);
});

test('it comes back to its seat after a lost connection, and does then what it was told meanwhile', async () => {
  const line = await FaultProxy.open({ port: server.port, random: createRandom(1) });
  afterTest(() => line.close());
  const room = await enter(`http://127.0.0.1:${line.port}/r/garden`, { name: 'Bo' });
  const { id } = room.you!;
  const states: string[] = [];
  room.on('connection', (state) => states.push(state));
  line.reset();
  await room.until(() => states.includes('reconnecting'), 'connection');
  const planted = room.plant({ x: 110, y: 20 }, room.gallery[3]);
  expect(await planted).toMatchObject({ x: 110, y: 20, planter: { id } });
  expect([states, room.you?.id, room.ended]).toEqual([['reconnecting', 'live'], id, undefined]);
});

test('it ends once and for all, with a reason: left, sent away, nobody there, no such room, no room left', async () => {
  const room = await enter();
  const pending = reasonOf(room.cross(998, 999));
  room.leave();
  expect([await pending, room.state, await reasonOf(room.look())]).toEqual([
    'left',
    'closed',
    'left',
  ]);
  const sent = await enter();
  const host = await hostOf(server);
  await host.call('ban', { participant: sent.you!.id, address: false, minutes: 1 });
  await sent.until(() => false, 'connection').catch(() => {});
  expect(sent.ended).toBe('sent-away');

  const port = await freePort();
  const brief = { patience: 50 };
  expect(
    await Promise.all([
      reasonOf(join(`http://127.0.0.1:${port}/r/garden`, brief)),
      reasonOf(join(`${url}/r/nowhere`)),
      reasonOf(join(url)),
    ]),
  ).toEqual(['unreachable', 'no-such-room', expect.stringContaining('TypeError')]);
});

test('a server of another version is one error, and is not asked again', async () => {
  const port = await freePort();
  const old = new Server(port, { parser, transports: ['websocket'] });
  afterTest(() => old.close());
  let joins = 0;
  old.on('connection', (socket) => {
    joins++;
    socket.emit('rejected', { reason: 'protocol-version' });
    socket.disconnect(true);
  });
  const room = new Room(`http://127.0.0.1:${port}/r/garden`);
  const states: string[] = [];
  room.on('connection', (state) => states.push(state));
  room.connection.open();
  expect(await reasonOf(room.until(() => false))).toBe('protocol-version');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect([joins, states, room.ended]).toEqual([1, ['closed'], 'protocol-version']);
});
