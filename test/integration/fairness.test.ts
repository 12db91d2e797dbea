/**
 * Limits over real sockets: a client that sends too much is throttled or disconnected, and others
 * never notice.
 */
import { connect as connectTcp } from 'node:net';
import { WebSocket } from 'ws';
import { DEFAULT_LIMITS } from '../../server/realtime/limits/connection-limits.ts';
import { DEFAULT_ENERGY } from '../../server/world/energy.ts';
import { createRandom } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { isFull } from '../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { UNLIMITED } from '../support/server.ts';
import {
  clock,
  closed,
  from,
  gone,
  rawSocket,
  reasons,
  startThrong,
} from '../support/strangers.ts';
import { Visitor } from '../support/visitor.ts';

/** Two school classes here; a whole museum when VIVARIUM_TEST_FULL is set. */
const PHONES = isFull ? 1_000 : 50;

/** Does something many times at once. */
const times = <T>(count: number, act: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, act));

describe('energy over the wire', () => {
  const sweep = { radius: 12, points: [0, 0, 128, 96, 0, 0] };

  test('the welcome has the costs, each answer the energy left; a flooding client is refused, a neighbour is not', async () => {
    const { join, count, expectUnharmed } = await startThrong();
    const flooder = await join();
    const { energy } = flooder.welcome!;
    const { newcomer, ...costs } = DEFAULT_ENERGY;
    expect(energy).toEqual({ ...costs, level: newcomer });
    const first = await flooder.ask('plant', { x: 20, y: 20, seed: { from: 'prior' } });
    expect(first.energy).toBeGreaterThanOrEqual(newcomer - costs.plant);
    expect(first.energy).toBeLessThan(newcomer);
    const answers = await times(20, () => flooder.ask('damage', sweep));
    expect(answers.at(-1)).toMatchObject({ reason: 'no-energy' });
    expect(answers.filter((answer) => !('reason' in answer)).length).toBeLessThan(3);
    for (const answer of answers) expect(answer.energy).toBeGreaterThanOrEqual(0);
    expect(count('no-energy')).toBe(reasons(flooder).length);
    await expectUnharmed();
  });
});

describe('floods', () => {
  test.each([
    ['cursors', 'cursor', { x: 1, y: 1, tool: 'look' }],
    ['strokes', 'damage', { id: 1, radius: 1, points: Array(128).fill(1) }],
    ['unknown messages', 'flood', {}],
    ['grafts', 'graft', { id: 1, radius: 1, points: [1, 1], seed: { from: 'gallery', index: 1 } }],
  ])('of %s end with the connection', async (_, name, message) => {
    const { join, count, expectUnharmed } = await startThrong();
    // Another client shares the address, or it would be blocked for the next one.
    const [flooder] = [await join(), await join()];
    const { refusals, burstSeconds } = DEFAULT_LIMITS;
    const begun = performance.now();
    for (let i = 0; i < (isFull ? 4_000 : 3_000); i++) flooder.say(name, message);
    await gone(flooder);
    // The limit refills over time.
    const regained = ((performance.now() - begun) / 1000) * (refusals / burstSeconds);
    expect(reasons(flooder).at(-1)).toBe('abuse');
    expect(reasons(flooder).length).toBeLessThan(refusals + 60 + regained);
    expect(count('abuse')).toBe(1);
    await expectUnharmed();
  });

  test('after a flood, an address with one client is blocked for a while; a shared address is not', async () => {
    const { join, knock, count, expectUnharmed } = await startThrong({
      limits: 'refusals=20,banSeconds=600',
    });
    const alone = await join('10.0.0.1');
    for (let i = 0; i < 30; i++) alone.say('flood', {});
    await gone(alone);
    expect(await knock('10.0.0.1')).toBe('refused');
    expect(count('banned')).toBe(1);
    await join('10.0.0.2');
    const amongOthers = await join('10.0.0.2');
    for (let i = 0; i < 30; i++) amongOthers.say('flood', {});
    await gone(amongOthers);
    expect(await knock('10.0.0.2')).toBe('open');
    clock.ahead += 600_000;
    while ((await knock('10.0.0.1')) === 'refused');
    await expectUnharmed();
  });
});

describe('a client that does not read', () => {
  /**
   * Joins over a line of its own, on which nothing comes down once it is stalled, and has something
   * to ask for.
   */
  async function startStalled(settings: Record<string, string | number>) {
    const throng = await startThrong(settings);
    const { server } = throng;
    const proxy = await FaultProxy.open({ port: server.port, random: createRandom(1) });
    afterTest(() => proxy.close());
    const visitor = await Visitor.join(proxy.port, 'garden', 'Mute', { headers: from('10.0.0.1') });
    afterTest(() => visitor.leave());
    const organism = await visitor.plant(40, 40, { from: 'prior' });
    proxy.set({ stalled: 'down' });
    return { ...throng, visitor, proxy, organism };
  }

  test('but keeps sending is disconnected when too much is queued, and leaves nothing behind', async () => {
    const most = 200_000;
    const { server, neighbour, visitor, proxy, organism, ...it } = await startStalled({
      limits: `${UNLIMITED},unreadBytes=${most}`,
    });
    const roomServer = server.roomServers.get('garden')!;
    let id = 1_000;
    // So much at once that the system's own buffers are full before a missing pong ends it all.
    while (roomServer.seats.size > 1) {
      for (let i = 0; i < 5_000; i++) visitor.send('keep', { id: id++, organism });
      const tick = neighbour.tick!;
      await neighbour.until(() => neighbour.tick! > tick);
    }
    expect(it.count('does-not-read')).toBe(1);
    proxy.set({ stalled: 'none' });
    await gone(visitor);
    await it.expectUnharmed();
  });

  test('for a while loses no answer', async () => {
    const { neighbour, count, visitor, proxy, organism } = await startStalled({});
    const answers = times(200, () => visitor.ask('keep', { organism }));
    const tick = neighbour.tick!;
    await neighbour.until(() => neighbour.tick! > tick + 60);
    proxy.set({ stalled: 'none' });
    for (const answer of await answers) expect(answer).toHaveProperty('token');
    expect(count('does-not-read')).toBe(0);
  });
});

describe('connections', () => {
  test('a burst from one address is admitted up to its limit, and other addresses are still admitted', async () => {
    const { knock, count, expectUnharmed } = await startThrong({
      limits: 'connectsAtOnce=150,connectsPerSecond=1',
    });
    const outcomes = await times(250, () => knock('10.0.0.1'));
    const open = outcomes.filter((outcome) => outcome === 'open').length;
    expect(open).toBeGreaterThanOrEqual(150);
    expect(open).toBeLessThan(200);
    expect(count('too-fast')).toBe(250 - open);
    expect(await knock('10.0.0.2')).toBe('open');
    await expectUnharmed();
  });

  test(`${PHONES} phones behind one address come in together`, async () => {
    const { server, connect, before, expectUnharmed } = await startThrong({ capacity: 2_000 });
    // In one process with the server, all at once would wait for each other longer than a page
    // waits.
    for (let wave = 0; wave < PHONES; wave += 50) {
      const phones = Array.from({ length: 50 }, () => connect('10.0.0.1'));
      for (const phone of phones) phone.requestJoin();
      for (const phone of phones) {
        await phone.until(() => phone.heard.length > 0);
        expect(phone.heard[0].name).toBe('welcome');
      }
    }
    expect(server.rejectionCounts.totals()).toEqual(before);
    expect(server.roomServers.get('garden')!.seats.size).toBe(PHONES + 1);
    await expectUnharmed();
  });

  test('an address that fills the queue of previews does not keep another one from its preview', async () => {
    const { neighbour, join } = await startThrong({ checkpoint: CHECKPOINT_FOLDER });
    const film = (x: number, y: number) => ({ seed: { from: 'map', x, y } });
    const greedy = await times(30, () => join('10.0.0.5'));
    let refused = 0;
    for (const [x, one] of greedy.entries()) {
      for (let y = 0; y < 4; y++) {
        void one.ask('preview', film(x / 30, y / 4)).then((answer) => {
          if ('reason' in answer) refused++;
        });
      }
    }
    expect(await neighbour.ask('preview', film(1, 1))).toHaveProperty('film');
    expect(refused).toBeGreaterThan(0);
  });

  test('a forwarded address that no trusted proxy wrote is ignored', async () => {
    const { knock } = await startThrong({ 'trust-proxy': 0, limits: 'connectionsPerAddress=2' });
    expect(await knock('10.0.0.1')).toBe('open');
    expect(await knock('10.0.0.2')).toBe('refused');
  });

  test('only the own origin and exact matches of the list are allowed; a session id alone opens nothing', async () => {
    const { server, knock, count } = await startThrong({ origins: 'https://museum.example' });
    const own = `http://127.0.0.1:${server.port}`;
    expect(await knock('10.0.0.1', { origin: own })).toBe('open');
    expect(await knock('10.0.0.1', { origin: 'https://museum.example' })).toBe('open');
    expect(await knock('10.0.0.1', { origin: `${own}.evil.example` })).toBe('refused');
    expect(count('wrong-origin')).toBe(1);

    const socket = rawSocket(server.port);
    const open = await new Promise<string>((resolve) => {
      socket.on('message', (data) => resolve(String(data)));
    });
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const second = new WebSocket(`${socket.url}&sid=${sid}`, { origin: 'https://evil.example' });
    await new Promise((resolve) => second.on('error', resolve));
    expect(count('bad-handshake')).toBe(1);
    const polling = await fetch(`${own}/socket.io/?EIO=4&transport=polling`);
    expect(polling.status).toBe(400);
    expect(polling.headers.get('set-cookie')).toBeNull();
  });

  test('a client that is slow to send its request is disconnected', async () => {
    const { server, count, expectUnharmed } = await startThrong({ limits: 'handshakeSeconds=2' });
    const half = connectTcp(server.port, '127.0.0.1');
    half.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgr');
    const silent = connectTcp(server.port, '127.0.0.1');
    const ungreeted = rawSocket(server.port);
    half.resume();
    silent.resume();
    await Promise.all([closed(half), closed(silent), closed(ungreeted)]);
    expect(count('slow-handshake')).toBe(3);
    const noise = connectTcp(server.port, '127.0.0.1');
    noise.resume();
    noise.write('\u0016\u0003\u0001 hello\r\n\r\n');
    await closed(noise);
    expect(count('bad-handshake')).toBe(1);
    await expectUnharmed();
  });
});
