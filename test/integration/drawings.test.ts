/** What visitors draw, over real sockets: switched off, and looked at first by the host. */
import { setTimeout as pause } from 'node:timers/promises';
import { PNG } from 'pngjs';
import type { PreviewBackend } from '../../server/realtime/commands/seed-previews.ts';
import { FILES, pathOf } from '../../shared/host/api.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import { UNLIMITED } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

type Accepted = Event<'accepted'>;

const { server, room, join } = await suiteServer(
  { size: '160x96', 'tick-rate': 30, energy: 'off', limits: UNLIMITED },
  { drawsSoon: true },
);
const host = await hostOf(server);

/** A disc of one colour, the smaller the larger `n`. */
function disc(n = 0): Uint8Array {
  const pixels = new Uint8Array(32 * 32 * 4);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      if (Math.hypot(x - 15.5, y - 15.5) < 12 - n) pixels.set([230, 60, 40, 255], 4 * (32 * y + x));
    }
  }
  return pixels;
}

const waiting = async () => (await host.call('room')).drawings;
const until = async (count: number): Promise<Awaited<ReturnType<typeof waiting>>> => {
  const drawings = await waiting();
  if (drawings.length === count) return drawings;
  await pause(20);
  return until(count);
};
const decide = (id: number, approve: boolean) =>
  host.call('decideDrawing', { approve }, { drawing: id });
const set = (change: object) => host.call('changeSettings', change);
const plant = (visitor: Visitor, seed: object) => visitor.ask('plant', { x: 40, y: 40, seed });

afterEach(async () => {
  await set({ drawings: 'on', tokens: true, latents: true });
  for (const { id } of room.organisms) await host.call('removeOrganism', { organism: id });
});

test('drawing, keepsakes and own latents are refused by name while they are off, for planting and previews', async () => {
  const ada = await join('Ada');
  const { seed: drawn } = (await ada.ask('draw', { pixels: disc() })) as Accepted;
  const latent = [...room.species.gallery[0].latent];
  const token = encodeSeed({ kind: 0, latent: room.species.gallery[0].latent }, room.species);
  const seeds = [
    [{ from: 'token', token }, 'no-tokens'],
    [{ from: 'latent', latent }, 'no-latents'],
    [{ from: 'hand', seed: drawn!.id }, 'no-drawings'],
  ] as const;
  await set({ drawings: 'off', tokens: false, latents: false });
  await ada.until(() =>
    ada.heard.some(({ name, message }) => {
      return name === 'settings' && (message as Event<'settings'>).drawings === 'off';
    }),
  );
  expect(await ada.ask('draw', { pixels: disc() })).toMatchObject({ reason: 'no-drawings' });
  for (const [seed, reason] of seeds) {
    expect(await plant(ada, seed)).toMatchObject({ reason });
    expect(await ada.ask('preview', { seed })).toMatchObject({ reason });
  }
  expect(room.size).toBe(0);
  expect(await plant(ada, { from: 'gallery', index: 0 })).not.toHaveProperty('reason');
});

test('the first preview in a room that takes drawings gets the server ready for them', async () => {
  const roomServer = server.roomServers.get('garden')!;
  const { previews } = Reflect.get(roomServer, 'options') as { previews: PreviewBackend };
  const prepareToDraw = previews.prepareToDraw!.bind(previews);
  let count = 0;
  Object.assign(previews, {
    prepareToDraw: () => {
      count++;
      prepareToDraw();
    },
  });
  const ada = await join('Ada');
  const look = () => ada.ask('preview', { seed: { from: 'gallery', index: 0 } });
  await set({ drawings: 'off' });
  expect(await look()).toHaveProperty('film');
  expect(count).toBe(0);
  await set({ drawings: 'ask' });
  expect(await look()).toHaveProperty('film');
  expect(count).toBe(1);
  Object.assign(previews, { prepareToDraw });
});

test('the host sees a waiting drawing and what it grows into; the visitor has the seed after the yes', async () => {
  await set({ drawings: 'ask' });
  const ada = await join('Ada');
  const answer = ada.ask('draw', { pixels: disc() }) as Promise<Accepted>;
  const [{ id, by }] = await until(1);
  expect(by).toEqual(ada.welcome!.you);
  expect((await host.call('state')).rooms[0].drawingsWaiting).toBe(1);
  const parts = { room: 'garden', drawing: id };
  const picture = async (path: string) =>
    PNG.sync.read(Buffer.from(await (await host.fetch(pathOf(path, parts))).arrayBuffer()));
  const drawn = await picture(FILES.drawing);
  expect([drawn.width, drawn.height]).toEqual([32, 32]);
  expect([...drawn.data.subarray(4 * (32 * 16 + 16)).subarray(0, 4)]).toEqual([230, 60, 40, 255]);
  const grown = await picture(FILES.grownDrawing);
  expect(grown.height).toBe(32);
  expect(grown.width % 32).toBe(0);
  expect(room.seedsOf(by.id)).toEqual([]);
  await decide(id, true);
  const { seed } = await answer;
  expect(seed).toMatchObject({ origin: 'drawing' });
  expect(await plant(ada, { from: 'hand', seed: seed!.id })).not.toHaveProperty('reason');
  expect(await host.refusal('decideDrawing', { approve: true }, { drawing: id })).toBe(
    'no-such-drawing',
  );
});

test('a declined drawing is told kindly, and does not come in by another way', async () => {
  const bo = await join('Bo');
  const { seed: before } = (await bo.ask('draw', { pixels: disc(1) })) as Accepted;
  await set({ drawings: 'ask' });
  expect(await plant(bo, { from: 'hand', seed: before!.id })).toMatchObject({
    reason: 'drawing-unseen',
  });
  const answer = bo.ask('draw', { pixels: disc(2) });
  const [{ id }] = await until(1);
  await decide(id, false);
  expect(await answer).toMatchObject({ reason: 'drawing-declined' });
  expect(await waiting()).toEqual([]);
  expect(room.seedsOf(bo.welcome!.you.id)).toHaveLength(1);
});

test('the queue outlives the connections of the host and of the visitor', async () => {
  await set({ drawings: 'ask' });
  const cleo = await join('Cleo');
  void cleo.ask('draw', { pixels: disc(3) });
  const [{ id }] = await until(1);
  const later = await hostOf(server);
  expect((await later.call('room')).drawings).toMatchObject([{ id }]);
  cleo.leave();
  await until(1);
  const again = await join('Cleo', { resume: cleo.welcome!.resume });
  expect(again.welcome!.you.id).toBe(cleo.welcome!.you.id);
  const answer = again.next(
    ({ name, message }) => name === 'accepted' && (message as Accepted).id === 0,
  );
  await decide(id, true);
  expect(await answer).toMatchObject({ seed: { origin: 'drawing' } });
});

test('a page that was away while the host decided has the answer, and its drawing does not wait again', async () => {
  await set({ drawings: 'ask' });
  const fay = await join('Fay');
  for (const n of [8, 9]) void fay.ask('draw', { pixels: disc(n) });
  const [{ id: first }, { id: second }] = await until(2);
  fay.leave();
  while (server.roomServers.get('garden')!.seats.size > 0) await pause(20);
  await decide(first, true);
  await decide(second, false);
  const again = await join('Fay', { resume: fay.welcome!.resume });
  const answers = [8, 9].map((n) => again.ask('draw', { pixels: disc(n) }));
  expect(await answers[0]).toMatchObject({ seed: { origin: 'drawing' } });
  expect(await answers[1]).toMatchObject({ reason: 'drawing-declined' });
  expect(await waiting()).toEqual([]);
  expect(room.seedsOf(again.welcome!.you.id)).toHaveLength(1);
});

test('nobody fills the queue alone, and without a session nobody sees or decides anything', async () => {
  await set({ drawings: 'ask' });
  const [dag, eve] = [await join('Dag'), await join('Eve')];
  for (const n of [4, 5, 6]) void dag.ask('draw', { pixels: disc(n) });
  await until(3);
  expect(await dag.ask('draw', { pixels: disc(7) })).toMatchObject({ reason: 'drawings-waiting' });
  void eve.ask('draw', { pixels: disc(7) });
  const drawings = await until(4);
  expect(drawings.map(({ by }) => by.name)).toEqual(['Dag', 'Dag', 'Dag', 'Eve']);
  const path = pathOf(FILES.drawing, { room: 'garden', drawing: drawings[0].id });
  expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status).toBe(401);
  for (const drawing of [0, 1e9, 'x', -1]) {
    expect(await host.refusal('decideDrawing', { approve: true }, { drawing })).toBe(
      'no-such-drawing',
    );
  }
  expect(await host.refusal('decideDrawing', {}, { drawing: drawings[0].id })).toBe('bad-call');
  expect(await host.refusal('changeSettings', { drawings: 'perhaps' })).toBe('bad-call');
  await set({ drawings: 'off' });
  expect(await eve.refusal()).toBe('no-drawings');
  expect(await waiting()).toEqual([]);
});
