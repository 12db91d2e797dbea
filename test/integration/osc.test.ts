/** OSC over real datagrams: the messages that a running room sends, and those that it accepts. */

import { createSocket } from 'node:dgram';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { encodeBundle, float, int, text } from '../../server/osc/osc-codec.ts';
import { HALL } from '../../server/realtime/policy/liveliness.ts';
import type { Room } from '../../server/world/room.ts';
import { createRandom } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import { OscReceiver } from '../support/receivers.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

let box: OscReceiver;
let server: VivariumServer;
let room: Room;

const SETTINGS = { size: '160x96', 'tick-rate': 60, 'osc-in': 0 };

async function start(more: Record<string, string | number> = {}): Promise<void> {
  server = await startServer({ ...SETTINGS, 'osc-out': `127.0.0.1:${box.port}`, ...more });
  afterTest(() => server.close());
  room = server.world.rooms.get('garden')!;
}

const send = (address: string, ...args: Parameters<typeof box.send>[2][]): void =>
  box.send(server.oscPort!, address, ...args);

/** Waits until something is so in the server, looked at with each message that comes out of it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    const before = box.heard.length;
    await box.next('/vivarium/garden/load', () => box.heard.length > before);
  }
}

const garden = (what: string): string => `/vivarium/garden/${what}`;

beforeEach(async () => {
  box = await OscReceiver.open();
  afterTest(() => box.close());
});

describe('OSC out', () => {
  test('sends the life events of an organism, and the state of the room', async () => {
    await start({ liveliness: 1 });
    expect(await box.next(garden('size'))).toEqual([160, 96]);
    expect(await box.next(garden('colour'))).toEqual([0, 0, 0, 0]);
    const ada = await Visitor.join(server.port, 'garden', 'Ada');
    await ada.ask('plant', { x: 40, y: 40, seed: { from: 'gallery', index: 3 } });
    const { hue } = ada.welcome!.you;
    expect(await box.next(garden('born'))).toEqual([1, 40, 40, hue, 'Chestnut']);
    expect(await box.next(garden('grown'))).toEqual([1]);
    // Pages are not told: a name that they do not know would end their connection.
    expect(await box.next(garden('expressing'))).toEqual([1, expect.stringMatching(/./)]);
    await ada.ask('plant', { x: 100, y: 40, seed: { from: 'gallery', index: 3 } });
    await ada.ask('cross', { a: 1, b: 2, mix: 0.5 });
    expect(await box.next(garden('crossed'))).toEqual([1, 2]);
    await ada.ask('damage', { radius: 2, points: [40, 40] });
    expect(await box.next(garden('wounded'))).toEqual([1, 1]);
    // A seed just sown may not be seen yet.
    const isSeen = (shares: unknown[]) =>
      (shares as number[]).slice(0, 3).reduce((sum, share) => sum + share) > 0.1;
    const colour = (await box.next(garden('colour'), isSeen)) as number[];
    for (const share of colour) expect(share).toBeLessThanOrEqual(1);
    expect(colour[3]).toBeGreaterThan(0);
    const isLoaded = (values: unknown[]) => values[1] === 2;
    const load = await box.next(garden('load'), isLoaded);
    const [awake, organisms, people, rate] = load as number[];
    expect(awake).toBeLessThanOrEqual(organisms);
    expect(people).toBe(1);
    expect(rate).toBeGreaterThan(0);
    // A wound all over leaves no cell.
    await ada.ask('damage', { radius: 12, points: [30, 32, 50, 32, 50, 48, 30, 48] });
    expect(await box.next(garden('died'))).toEqual([1, 'killed']);
  });

  test('goes on when nobody receives the messages', async () => {
    await start();
    box.close();
    box = await OscReceiver.open();
    const ada = await Visitor.join(server.port);
    await ada.plant(40, 40, { from: 'prior' });
  });
});

describe('OSC in', () => {
  test('plants by index, by name and by the dice, and damages', async () => {
    await start();
    send(garden('plant'), float(40.4), int(40), int(3));
    const born = [1, 40, 40, expect.any(Number), 'Chestnut'];
    expect(await box.next(garden('born'))).toMatchObject(born);
    send(garden('plant'), int(80), int(40), text('hot dog'));
    expect(await box.next(garden('born'), ([id]) => id === 2)).toMatchObject({ 4: 'Hot Dog' });
    send('/vivarium/*/plant', int(120), int(40));
    expect(await box.next(garden('born'), ([id]) => id === 3)).toMatchObject({ 4: '' });
    // A seed still grows; then it may turn, by name too.
    send(garden('transform'), int(1), int(3));
    expect(await box.next(garden('refused'))).toEqual(['transform', 'not-grown']);
    await box.next(garden('grown'), ([id]) => id === 1);
    send(garden('transform'), int(1), text('hot dog'));
    expect(await box.next(garden('transformed'))).toEqual([1, 'Hot Dog']);
    send(garden('graft'), int(40), int(40), float(3), int(3));
    expect(await box.next(garden('grafted'))).toEqual([1, 'Chestnut', 2]);
    send(garden('graft'), int(40), int(40), float(3));
    expect(await box.next(garden('refused'), ([what]) => what === 'graft')).toEqual([
      'graft',
      'bad-message',
    ]);
    send(garden('wound'), int(36), int(40), float(1.5), int(44), int(40));
    expect(await box.next(garden('wounded'))).toEqual([1, 1]);
    // Somebody of the house, with a number and energy of its own, who is not among the people.
    // What the dice give may not live long.
    const planters = new Set(room.organisms.map(({ planter }) => `${planter.id} ${planter.name}`));
    expect(planters.size).toBe(1);
    expect([...planters][0]).toMatch(/ The house$/);
    expect(room.energyOf(room.organisms[0].planter.id)).toBeLessThan(100);
    expect(server.roomServers.get('garden')!.seats.size).toBe(0);
  });

  test('pauses the room, also for itself, and resumes it', async () => {
    await start();
    const ada = await Visitor.join(server.port);
    const plant = (x: number) =>
      ada.ask('plant', { x, y: 40, seed: { from: 'gallery', index: 3 } });
    send(garden('pause'), int(1));
    const isPaused = () => ada.all('settings').at(-1)!.paused;
    await ada.until(isPaused);
    expect(await plant(40)).toMatchObject({ reason: 'paused' });
    send(garden('plant'), int(40), int(40), int(3));
    expect(await box.next(garden('refused'))).toEqual(['plant', 'paused']);
    send('/vivarium/*/pause', { type: 'false', value: false });
    await ada.until(() => !isPaused());
    expect(await plant(40)).not.toHaveProperty('reason');
  });

  test('who is near, by OSC or by HTTP, wakes the creature', async () => {
    await start();
    send(garden('plant'), int(40), int(40), int(3));
    await box.next(garden('born'));
    send(garden('presence'), int(45), int(44), float(1));
    expect(await box.next(garden('sensed'))).toEqual([1]);
    const host = await hostOf(server);
    await new Promise((done) => setTimeout(done, HALL.wakes));
    await host.call('presence', { x: 40, y: 40, strength: 0.5 });
    expect(await box.next(garden('sensed'))).toEqual([1]);
    expect(await host.refusal('presence', { x: 999, y: 0, strength: 1 })).toBe('off-grid');
  });

  test('all messages of a bundle apply in the same tick', async () => {
    await start();
    const plant = (x: number) => ({ address: garden('plant'), args: [int(x), int(40), int(3)] });
    const elements = [plant(40), plant(80), plant(120)];
    box.raw(server.oscPort!, encodeBundle(elements));
    await box.next(garden('born'), ([id]) => id === 3);
    expect(new Set(room.organisms.map(({ born }) => born)).size).toBe(1);
  });

  test('bad values are refused with a reason, reported and counted, and change nothing', async () => {
    await start();
    const cases = [
      ['plant', [int(1), int(1), int(3)], 'off-grid'],
      ['plant', [int(40), int(40), int(9_999)], 'no-such-seed'],
      ['plant', [int(40), int(40), int(-1)], 'no-such-seed'],
      ['plant', [int(40), int(40), text('a unicorn of gold')], 'no-such-seed'],
      ['plant', [int(40)], 'bad-message'],
      ['plant', [text('40'), int(40)], 'bad-message'],
      ['plant', [float(Number.NaN), int(40)], 'bad-message'],
      ['plant', [int(40), int(40), int(3), int(3)], 'bad-message'],
      ['plant', [int(40), int(40), { type: 'null', value: null }], 'bad-message'],
      ['wound', [int(40), int(40)], 'bad-message'],
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
    expect(room.organisms).toEqual([]);
    expect(server.rejectionCounts.totals()['bad-message']).toBe(10);
  });

  test('malformed, unknown and too frequent messages are counted, and the rest is handled', async () => {
    await start({ limits: 'messagesPerSecond=20' });
    const random = createRandom(7);
    for (let i = 0; i < 50; i++) {
      const noise = Array.from({ length: random.integer(200) }, () => random.integer(256));
      box.raw(server.oscPort!, Uint8Array.from(noise));
    }
    send('/synth/volume', float(1));
    send('/vivarium/nowhere/plant', int(40), int(40));
    send(garden('plant'), int(40), int(40), int(3));
    await box.next(garden('born'));
    expect(server.rejectionCounts.totals()).toMatchObject({
      malformed: 50,
      'unknown-message': 1,
      'no-such-room': 1,
    });
    for (let i = 0; i < 400; i++) send(garden('wound'), int(0), int(0), int(1));
    await until(() => server.rejectionCounts.totals()['too-fast'] > 0);
    expect(room.organisms).toHaveLength(1);
  });

  test('only from allowed addresses', async () => {
    await start({ 'osc-allow': '192.0.2.7,::1' });
    send(garden('plant'), int(40), int(40), int(3));
    await until(() => server.rejectionCounts.totals()['wrong-sender'] === 1);
    expect(room.organisms).toEqual([]);
  });

  test('with a port in use or an invalid address, the server does not start, and says why', async () => {
    await start();
    const taken = server.oscPort!;
    await expect(startServer({ ...SETTINGS, 'osc-in': taken })).rejects.toMatchObject({
      name: 'HookError',
      reason: 'port-taken',
    });
    await expect(startServer({ ...SETTINGS, 'osc-in': '0@192.0.2.7' })).rejects.toMatchObject({
      reason: 'no-address',
    });
    // Nothing was left open: the port can be had again.
    await server.close();
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(taken, '127.0.0.1', resolve));
    socket.close();
  });
});
