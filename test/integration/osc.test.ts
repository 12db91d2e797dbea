/** OSC over real datagrams: the messages that a running room sends, and those that it accepts. */
import { createSocket } from 'node:dgram';
import { encodeBundle, float, int, text } from '../../server/osc/osc-codec.ts';
import { HALL } from '../../server/realtime/policy/hall-sensors.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { OscReceiver } from '../support/receivers.ts';
import { startServer } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';

const box = await OscReceiver.open();
afterSuite(() => box.close());
const SETTINGS = { size: '160x96', 'tick-rate': 60, 'osc-in': 0 };
const open = (more: Record<string, string | number> = {}) =>
  suiteServer({ ...SETTINGS, 'osc-out': `127.0.0.1:${box.port}`, ...more });
const { server, room, join } = await open();
const host = await hostOf(server);

const garden = (what: string): string => `/vivarium/garden/${what}`;
const send = (address: string, ...args: Parameters<typeof box.send>[2][]): void =>
  box.send(server.oscPort!, address, ...args);
const next = (what: string, fits?: (values: unknown[]) => boolean) => box.next(garden(what), fits);

/** Waits until a condition holds. Checks it after each message that a server sends. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    const before = box.heard.length;
    await next('load', () => box.heard.length > before);
  }
}

/** Empties the room, so that the next organism has this id. */
async function emptied(): Promise<number> {
  const area = { x: 0, y: 0, width: 160, height: 96 };
  room.enqueue(1, { what: 'clear', by: HOUSE, area });
  await until(() => room.size === 0);
  box.heard.length = 0;
  return room.export().nextOrganism;
}

beforeAll(async () => {
  expect(await next('size')).toEqual([160, 96]);
  expect(await next('colour')).toEqual([0, 0, 0, 0]);
});

test('sends the life events of an organism, and the state of the room', async () => {
  const id = await emptied();
  await host.call('changeSettings', { liveliness: 1 });
  const ada = await join('Ada');
  await ada.ask('plant', { x: 40, y: 40, seed: { from: 'gallery', index: 3 } });
  const { hue } = ada.welcome!.you;
  expect(await next('born')).toEqual([id, 40, 40, hue, 'Chestnut']);
  expect(await next('grown')).toEqual([id]);
  // Pages are not sent this event: a name that they do not know would end their connection.
  expect(await next('expressing')).toEqual([id, expect.stringMatching(/./)]);
  await ada.ask('plant', { x: 100, y: 40, seed: { from: 'gallery', index: 3 } });
  await ada.ask('cross', { a: id, b: id + 1, mix: 0.5 });
  expect(await next('crossed')).toEqual([id, id + 1]);
  await ada.ask('damage', { radius: 2, points: [40, 40] });
  expect(await next('wounded')).toEqual([id, 1]);
  // A seed just sown may not be seen yet.
  const isSeen = (shares: unknown[]) =>
    (shares as number[]).slice(0, 3).reduce((sum, share) => sum + share) > 0.1;
  const colour = (await next('colour', isSeen)) as number[];
  for (const share of colour) expect(share).toBeLessThanOrEqual(1);
  expect(colour[3]).toBeGreaterThan(0);
  const [awake, organisms, people, rate] = (await next('load', ([, all]) => all === 2)) as number[];
  expect(awake).toBeLessThanOrEqual(organisms);
  expect(people).toBe(1);
  expect(rate).toBeGreaterThan(0);
  // A wound all over leaves no cell.
  await ada.ask('damage', { radius: 12, points: [30, 32, 50, 32, 50, 48, 30, 48] });
  expect(await next('died')).toEqual([id, 'killed']);
  await host.call('changeSettings', { liveliness: 0 });
});

test('plants by index, by name and by the dice, turns, grafts and wounds; one bundle is one tick', async () => {
  const id = await emptied();
  send(garden('plant'), float(40.4), int(40), int(3));
  const born = [id, 40, 40, expect.any(Number), 'Chestnut'];
  expect(await next('born')).toMatchObject(born);
  send(garden('plant'), int(80), int(40), text('hot dog'));
  expect(await next('born', ([one]) => one === id + 1)).toMatchObject({ 4: 'Hot Dog' });
  send('/vivarium/*/plant', int(120), int(40));
  expect(await next('born', ([one]) => one === id + 2)).toMatchObject({ 4: '' });
  // A seed still grows; then it may turn, by name too.
  send(garden('transform'), int(id), int(3));
  expect(await next('refused')).toEqual(['transform', 'not-grown']);
  await next('grown', ([one]) => one === id);
  send(garden('transform'), int(id), text('hot dog'));
  expect(await next('transformed')).toEqual([id, 'Hot Dog']);
  send(garden('graft'), int(40), int(40), float(3), int(3));
  expect(await next('grafted')).toEqual([id, 'Chestnut', 2]);
  send(garden('graft'), int(40), int(40), float(3));
  expect(await next('refused', ([what]) => what === 'graft')).toEqual(['graft', 'bad-message']);
  send(garden('wound'), int(36), int(40), float(1.5), int(44), int(40));
  expect(await next('wounded')).toEqual([id, 1]);
  // One actor of the house plants, with its own number and energy. It is not among the people.
  const planters = new Set(room.organisms.map(({ planter }) => `${planter.id} ${planter.name}`));
  expect(planters.size).toBe(1);
  expect([...planters][0]).toMatch(/ The house$/);
  expect(room.energyOf(room.organisms[0].planter.id)).toBeLessThan(100);
  expect(server.roomServers.get('garden')!.seats.size).toBe(0);

  const first = await emptied();
  const plant = (x: number) => ({ address: garden('plant'), args: [int(x), int(40), int(3)] });
  box.raw(server.oscPort!, encodeBundle([plant(40), plant(80), plant(120)]));
  await next('born', ([one]) => one === first + 2);
  expect(new Set(room.organisms.map(({ born: at }) => at)).size).toBe(1);
});

test('pauses the room, also for itself, and resumes it', async () => {
  await emptied();
  const ada = await join();
  const plant = () => ada.ask('plant', { x: 40, y: 40, seed: { from: 'gallery', index: 3 } });
  send(garden('pause'), int(1));
  const isPaused = () => ada.all('settings').at(-1)!.paused;
  await ada.until(isPaused);
  expect(await plant()).toMatchObject({ reason: 'paused' });
  send(garden('plant'), int(40), int(40), int(3));
  expect(await next('refused')).toEqual(['plant', 'paused']);
  send('/vivarium/*/pause', { type: 'false', value: false });
  await ada.until(() => !isPaused());
  expect(await plant()).not.toHaveProperty('reason');
});

test('who is near, by OSC or by HTTP, wakes the creature', async () => {
  const id = await emptied();
  send(garden('plant'), int(40), int(40), int(3));
  await next('born');
  send(garden('presence'), int(45), int(44), float(1));
  expect(await next('sensed')).toEqual([id]);
  await new Promise((done) => setTimeout(done, HALL.wakes));
  box.heard.length = 0;
  await host.call('presence', { x: 40, y: 40, strength: 0.5 });
  expect(await next('sensed')).toEqual([id]);
  expect(await host.refusal('presence', { x: 999, y: 0, strength: 1 })).toBe('off-grid');
});

test('bad values are refused with a reason, reported and counted, and change nothing', async () => {
  await emptied();
  const before = server.rejectionCounts.totals()['bad-message'];
  const cases = [
    ['plant', [int(1), int(1), int(3)], 'off-grid'],
    ['plant', [int(40), int(40), int(9_999)], 'no-such-seed'],
    ['plant', [int(40), int(40), text('a unicorn of gold')], 'no-such-seed'],
    ['plant', [int(40)], 'bad-message'],
    ['plant', [float(Number.NaN), int(40)], 'bad-message'],
    ['plant', [int(40), int(40), int(3), int(3)], 'bad-message'],
    ['wound', [int(40), int(40), int(2), int(50)], 'bad-message'],
    ['wound', [int(40), int(40), int(500)], 'bad-message'],
    ['wound', [int(-400), int(40), int(2)], 'bad-point'],
    ['pause', [int(2)], 'bad-message'],
    ['presence', [int(1), int(1), float(2)], 'bad-message'],
    ['presence', [int(999), int(1), float(1)], 'off-grid'],
  ] as const;
  for (const [i, [what, args, reason]] of cases.entries()) {
    send(garden(what), ...args);
    const refusals = () => box.heard.filter(({ address }) => address === garden('refused'));
    await until(() => refusals().length > i);
    expect(refusals()[i].args).toEqual([text(what), text(reason)]);
  }
  expect(room.size).toBe(0);
  expect(server.rejectionCounts.totals()['bad-message'] - before).toBe(7);
});

test('malformed, unknown and too frequent messages are counted, and the rest is handled', async () => {
  const busy = await open({ limits: 'messagesPerSecond=20' });
  const port = busy.server.oscPort!;
  const count = () => busy.server.rejectionCounts.totals();
  box.heard.length = 0;
  const random = createRandom(7);
  for (let i = 0; i < 50; i++) {
    const noise = Array.from({ length: random.integer(200) }, () => random.integer(256));
    box.raw(port, Uint8Array.from(noise));
  }
  box.send(port, '/synth/volume', float(1));
  box.send(port, '/vivarium/nowhere/plant', int(40), int(40));
  box.send(port, garden('plant'), int(40), int(40), int(3));
  await next('born');
  expect(count()).toMatchObject({ malformed: 50, 'unknown-message': 1, 'no-such-room': 1 });
  for (let i = 0; i < 400; i++) box.send(port, garden('wound'), int(0), int(0), int(1));
  await until(() => count()['too-fast'] > 0);
  expect(busy.room.organisms).toHaveLength(1);
});

test('only from allowed addresses; to a port where nobody receives, nothing stops', async () => {
  const { port } = await OscReceiver.open().then((gone) => ({ port: gone.port, _: gone.close() }));
  const settings = { 'osc-allow': '192.0.2.7,::1', 'osc-out': `127.0.0.1:${port}` };
  const strict = await open(settings);
  box.send(strict.server.oscPort!, garden('plant'), int(40), int(40), int(3));
  await until(() => strict.server.rejectionCounts.totals()['wrong-sender'] === 1);
  expect(strict.room.organisms).toEqual([]);
  await (await strict.join()).plant(40, 40, { from: 'prior' });
});

test('with a port in use or an invalid address, the server does not start, and says why', async () => {
  const taken = server.oscPort!;
  await expect(startServer({ ...SETTINGS, 'osc-in': taken })).rejects.toMatchObject({
    ...{ name: 'HookError', reason: 'port-taken' },
  });
  await expect(startServer({ ...SETTINGS, 'osc-in': '0@192.0.2.7' })).rejects.toMatchObject({
    reason: 'no-address',
  });
  // Nothing is left open: the port can be used again.
  await server.close();
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(taken, '127.0.0.1', resolve));
  socket.close();
});
