/** Limits over real sockets: a client that sends too much is throttled or disconnected, and others never notice. */
import { connect as connectTcp, type Socket as TcpSocket } from 'node:net';
import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { systemClock } from '../../server/platform/clock.ts';
import type { RejectionReason } from '../../server/realtime/admission/rejection-counts.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { createRandom } from '../../shared/random.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

let server: VivariumServer;
/** A server with default settings, shared by the tests that change none. */
let plain: VivariumServer | undefined;
/** Rejections counted before the test. */
let before: Readonly<Record<RejectionReason, number>>;
let neighbour: Visitor;
const left: (() => void)[] = [];

/** A school class here; a whole museum when VIVARIUM_TEST_FULL is set. */
const PHONES = process.env.VIVARIUM_TEST_FULL ? 1_000 : 100;

/** The system's clock, which can be moved forward. */
const clock = {
  ahead: 0,
  now: () => systemClock.now() + clock.ahead,
  after: systemClock.after,
};

/** Starts a server, with a neighbour in the room who connects from another address. */
async function start(settings?: Record<string, string | number>): Promise<void> {
  const common = { size: '128x96', 'tick-rate': 60, 'trust-proxy': 1 };
  if (settings) server = await startServer({ ...common, ...settings }, '.', clock);
  else {
    plain ??= await startServer(common);
    server = plain;
  }
  before = server.rejectionCounts.totals();
  neighbour = await Visitor.join(server.port, 'garden', 'Nina', {
    headers: from('10.0.0.99'),
  });
  left.push(() => neighbour.leave());
}

/** Headers as a proxy sends them. */
const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}` });

async function join(address = '10.0.0.1', name?: string): Promise<Visitor> {
  const visitor = await Visitor.join(server.port, 'garden', name, {
    headers: from(address),
  });
  left.push(() => visitor.leave());
  return visitor;
}

/** Tries to open a connection. @returns the outcome */
async function knock(address: string, headers: Record<string, string> = {}): Promise<string> {
  const visitor = new Visitor(server.port, { ...from(address), ...headers });
  left.push(() => visitor.leave());
  const { socket } = visitor;
  await new Promise<void>((resolve) => {
    socket.on('connect', resolve);
    socket.on('connect_error', () => resolve());
  });
  return socket.connected ? 'open' : 'refused';
}

const count = (reason: RejectionReason) => server.rejectionCounts.totals()[reason] - before[reason];
const reasons = (visitor: Visitor) =>
  visitor.heard
    .filter(({ name }) => name === 'rejected')
    .map(({ message }) => (message as { reason: string }).reason);
const gone = (visitor: Visitor) => visitor.next(({ name }) => name === 'disconnect');

/** The neighbour goes on getting frames and answers. */
async function expectUnharmed(): Promise<void> {
  const tick = neighbour.tick!;
  await neighbour.until(() => neighbour.tick! > tick);
  await expectAnswered();
}

async function expectAnswered(): Promise<void> {
  const answer = await neighbour.ask('damage', { radius: 1, points: [1, 1] });
  expect(answer).not.toHaveProperty('reason');
  expect(neighbour.socket.connected).toBe(true);
}

function websocket(): WebSocket {
  const url = `ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url);
  left.push(() => socket.terminate());
  return socket;
}

/** A connection that Socket.IO has greeted. */
async function greeted(): Promise<WebSocket> {
  const socket = websocket();
  const greeting = new Promise<void>((resolve) => {
    socket.on('message', (_data, isBinary) => isBinary && resolve());
  });
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(pack({ type: 0, nsp: '/' }));
  await greeting;
  return socket;
}

const closed = (socket: WebSocket | TcpSocket) =>
  new Promise<void>((resolve) => socket.on('close', () => resolve()));

afterEach(async () => {
  for (const leave of left.splice(0)) leave();
  if (server !== plain) await server.close();
});

afterAll(() => plain?.close());

describe('energy over the wire', () => {
  test('the welcome has the costs, each answer the energy left; a flooding client is refused, a neighbour is not', async () => {
    await start();
    const flooder = await join();
    const { energy } = flooder.welcome!;
    const { newcomer, ...costs } = DEFAULTS.energy;
    expect(energy).toEqual({ ...costs, level: newcomer });
    const first = await flooder.ask('plant', { x: 20, y: 20, seed: { from: 'prior' } });
    expect(first.energy).toBeGreaterThanOrEqual(newcomer - costs.plant);
    expect(first.energy).toBeLessThan(newcomer);
    const sweep = { radius: 12, points: [0, 0, 128, 96, 0, 0] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => flooder.ask('damage', sweep)),
    );
    expect(answers.at(-1)).toMatchObject({ reason: 'no-energy' });
    expect(answers.filter((answer) => !('reason' in answer)).length).toBeLessThan(3);
    for (const answer of answers) expect(answer.energy).toBeGreaterThanOrEqual(0);
    expect(count('no-energy')).toBe(reasons(flooder).length);
    await expectUnharmed();
  });

  test('the host can change it in a running room, and everybody is told', async () => {
    await start({ energy: 'plant=30,newcomer=20,refillPerSecond=0.001' });
    const visitor = await join();
    const wish = { x: 20, y: 20, seed: { from: 'prior' } };
    expect(await visitor.ask('plant', wish)).toMatchObject({ reason: 'no-energy' });
    server.roomServers.get('garden')!.host.setEnergy({ ...DEFAULTS.energy, plant: 2 });
    const told = await visitor.next(({ name }) => name === 'energy');
    expect(told).toMatchObject({ plant: 2, capacity: DEFAULTS.energy.capacity });
    expect(await visitor.ask('plant', wish)).not.toHaveProperty('reason');
  });

  test('it can be switched off', async () => {
    await start({ energy: 'off' });
    const visitor = await join();
    const sweep = { radius: 12, points: [0, 0, 128, 96, 0, 0] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => visitor.ask('damage', sweep)),
    );
    for (const answer of answers) expect(answer).not.toHaveProperty('reason');
  });
});

describe('floods', () => {
  test.each([
    ['cursors', 'cursor', { x: 1, y: 1, tool: 'look' }],
    ['strokes', 'damage', { id: 1, radius: 1, points: Array(128).fill(1) }],
    ['seeds', 'plant', { id: 1, x: 64, y: 48, seed: { from: 'prior' } }],
    ['keyframes asked for', 'resync', {}],
    ['acknowledgements', 'received', { tick: 1 }],
    ['unknown messages', 'flood', {}],
  ])('of %s end with the connection', async (_, name, message) => {
    await start();
    // Another client shares the address, or it would be blocked for the next one.
    const [flooder] = [await join(), await join()];
    const { refusals, burstSeconds } = DEFAULTS.limits;
    const begun = performance.now();
    for (let i = 0; i < 4_000; i++) flooder.say(name, message);
    await gone(flooder);
    // The limit refills over time.
    const regained = ((performance.now() - begun) / 1000) * (refusals / burstSeconds);
    expect(reasons(flooder).at(-1)).toBe('abuse');
    expect(reasons(flooder).length).toBeLessThan(refusals + 60 + regained);
    expect(count('abuse')).toBe(1);
    await expectUnharmed();
  });

  test('after a flood, an address with one client is blocked for a while; a shared address is not', async () => {
    await start({ limits: 'refusals=20,banSeconds=600' });
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

  test('of bytes close the connection, whatever the bytes are', async () => {
    await start({ limits: 'bytesPerSecond=10000,framesPerSecond=1000000' });
    // Pings are answered below the protocol; they count all the same.
    const socket = await greeted();
    const end = closed(socket);
    for (let i = 0; i < 2_000; i++) socket.ping(new Uint8Array(100));
    await end;
    expect(count('too-much-data')).toBe(1);
    await expectUnharmed();
  });
});

describe('a client that does not read', () => {
  /** Joins over a line of its own, on which nothing comes down once it is stalled, and has something to ask for. */
  async function startStalled(settings: Record<string, string | number>) {
    await start(settings);
    const proxy = await FaultProxy.open({ port: server.port, random: createRandom(1) });
    left.push(() => void proxy.close());
    const visitor = await Visitor.join(proxy.port, 'garden', 'Mute', { headers: from('10.0.0.1') });
    left.push(() => visitor.leave());
    const plant = { x: 40, y: 40, seed: { from: 'prior' } };
    expect(await visitor.ask('plant', plant)).not.toHaveProperty('reason');
    const { id: organism } = server.world.rooms.get('garden')!.organisms.at(-1)!;
    proxy.set({ stalled: 'down' });
    return { visitor, proxy, organism };
  }

  test('but keeps sending is disconnected when too much is queued, and leaves nothing behind', async () => {
    const most = 200_000;
    const { visitor, proxy, organism } = await startStalled({
      limits: `${UNLIMITED},unreadBytes=${most}`,
    });
    const roomServer = server.roomServers.get('garden')!;
    let id = 1_000;
    // So much at once that the system's own buffers are full before a missing pong ends it all.
    while (roomServer.size > 1) {
      for (let i = 0; i < 20_000; i++) visitor.send('keep', { id: id++, organism });
      const tick = neighbour.tick!;
      await neighbour.until(() => neighbour.tick! > tick);
    }
    expect(count('does-not-read')).toBe(1);
    proxy.set({ stalled: 'none' });
    await gone(visitor);
    await expectUnharmed();
  });

  test('for a while loses no answer', async () => {
    const { visitor, proxy, organism } = await startStalled({});
    const answers = Promise.all(
      Array.from({ length: 200 }, () => visitor.ask('keep', { organism })),
    );
    const tick = neighbour.tick!;
    await neighbour.until(() => neighbour.tick! > tick + 60);
    proxy.set({ stalled: 'none' });
    for (const answer of await answers) expect(answer).toHaveProperty('token');
    expect(count('does-not-read')).toBe(0);
  });
});

describe('connections', () => {
  test('a burst from one address is admitted up to its limit, and other addresses are still admitted', async () => {
    await start({ limits: 'connectsAtOnce=150,connectsPerSecond=1' });
    const outcomes = await Promise.all(Array.from({ length: 250 }, () => knock('10.0.0.1')));
    const open = outcomes.filter((outcome) => outcome === 'open').length;
    expect(open).toBeGreaterThanOrEqual(150);
    expect(open).toBeLessThan(200);
    expect(count('too-fast')).toBe(250 - open);
    expect(await knock('10.0.0.2')).toBe('open');
    await expectUnharmed();
  });

  test(`${PHONES} phones behind one address come in together`, async () => {
    await start({ capacity: 2_000 });
    // In one process with the server, all at once would wait for each other longer than a page waits.
    for (let wave = 0; wave < PHONES; wave += 50) {
      const phones = Array.from({ length: 50 }, () => new Visitor(server.port, from('10.0.0.1')));
      left.push(...phones.map((phone) => () => phone.leave()));
      for (const phone of phones) {
        phone.say('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
      }
      for (const phone of phones) {
        await phone.until(() => phone.heard.length > 0);
        expect(phone.heard[0].name).toBe('welcome');
      }
    }
    expect(server.rejectionCounts.totals()).toEqual(before);
    expect(server.roomServers.get('garden')!.size).toBe(PHONES + 1);
    await expectUnharmed();
  });

  test('limits per address and in total; a departure makes room', async () => {
    await start({ limits: 'connectionsPerAddress=2,connections=4' });
    const first = await join('10.0.0.1');
    expect(await knock('10.0.0.1')).toBe('open');
    expect(await knock('10.0.0.1')).toBe('refused');
    expect(await knock('10.0.0.2')).toBe('open');
    expect(await knock('10.0.0.3')).toBe('refused');
    expect(count('too-many-connections')).toBe(2);
    first.leave();
    while ((await knock('10.0.0.3')) === 'refused');
    await expectUnharmed();
  });

  test('a forwarded address that no trusted proxy wrote is ignored', async () => {
    await start({ 'trust-proxy': 0, limits: 'connectionsPerAddress=2' });
    expect(await knock('10.0.0.1')).toBe('open');
    expect(await knock('10.0.0.2')).toBe('refused');
  });

  test('only the own origin and exact matches of the list are allowed; a session id alone opens nothing', async () => {
    await start({ origins: 'https://museum.example' });
    const own = `http://127.0.0.1:${server.port}`;
    expect(await knock('10.0.0.1', { origin: own })).toBe('open');
    expect(await knock('10.0.0.1', { origin: 'https://museum.example' })).toBe('open');
    for (const origin of [
      'https://museum.example.evil.example',
      'https://evil.example/?https://museum.example',
      `http://127.0.0.1:${server.port}.evil.example`,
      `http://127.0.0.1:${server.port + 1}`,
      'null',
    ]) {
      expect(await knock('10.0.0.1', { origin })).toBe('refused');
    }
    expect(count('wrong-origin')).toBe(5);

    const socket = websocket();
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
    await start({ limits: 'handshakeSeconds=3' });
    const half = connectTcp(server.port, '127.0.0.1');
    half.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgr');
    const silent = connectTcp(server.port, '127.0.0.1');
    const ungreeted = websocket();
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

describe('messages that no page sends', () => {
  const event = (...data: unknown[]) => pack({ type: 2, nsp: '/', data });
  const proto = () => {
    const text = Buffer.from(event('plant', { _proto_: { polluted: 1 } })).toString('latin1');
    return Buffer.from(text.replace('\xa7_proto_', '\xa9__proto__'), 'latin1');
  };

  test.each<[string, RejectionReason, () => Uint8Array | string]>([
    ['noise', 'malformed', () => Uint8Array.from([0xc1, 1, 2, 3])],
    ['text', 'malformed', () => '42["join"]'],
    ['text that is not even a packet of Engine.IO', 'malformed', () => 'xyz'],
    ['ten thousand nested lists', 'malformed', () => new Uint8Array(10_000).fill(0x91)],
    ['lengths that lie', 'malformed', () => Uint8Array.from([0xdd, 255, 255, 255, 255])],
    ['an expression', 'malformed', () => Uint8Array.from([0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0])],
    ['another namespace', 'malformed', () => pack({ type: 0, nsp: '/admin' })],
    ['an acknowledgement', 'malformed', () => pack({ type: 3, nsp: '/', id: 1, data: [] })],
    ['100 kB', 'too-large', () => new Uint8Array(100_000)],
  ])('%s closes that connection alone', async (_, reason, message) => {
    await start();
    const socket = await greeted();
    socket.send(message());
    await closed(socket);
    expect(count(reason)).toBe(1);
    await expectAnswered();
  });

  test('leaving and joining again within one connection closes it', async () => {
    await start();
    const socket = await greeted();
    socket.send(pack({ type: 1, nsp: '/' }));
    await closed(socket);
    await expectUnharmed();
  });

  test('repeated joins change nothing', async () => {
    await start();
    const visitor = await join('10.0.0.1', 'Ada');
    for (let i = 0; i < 50; i++) {
      visitor.say('join', { protocol: PROTOCOL_VERSION, room: 'garden', name: 'Eve' });
    }
    await visitor.until(() => reasons(visitor).length === 50);
    expect(new Set(reasons(visitor))).toEqual(new Set(['already-joined']));
    const late = await join('10.0.0.2');
    const names = late.welcome!.participants.map(({ name }) => name);
    expect(names.filter((name) => name === 'Ada')).toHaveLength(1);
    expect(names).not.toContain('Eve');
  });

  test('repeated joins do not count against the limits of the address', async () => {
    await start({ limits: 'joinsAtOnce=2,joinsPerSecond=0' });
    const visitor = await join('10.0.0.1', 'Ada');
    for (let i = 0; i < 20; i++) {
      visitor.say('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
    }
    await visitor.until(() => reasons(visitor).length === 20);
    await join('10.0.0.1', 'Bo');
    await expectUnharmed();
  });

  test('the joins of one address are limited', async () => {
    await start({ limits: 'joinsAtOnce=2,joinsPerSecond=0' });
    await join();
    await join();
    const third = new Visitor(server.port, from('10.0.0.1'));
    left.push(() => third.leave());
    third.say('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
    await third.next(({ name }) => name === 'rejected');
    expect(reasons(third)).toEqual(['too-many-joins']);
    await join('10.0.0.2');
  });

  test('identity, energy and ownership are decided by the server alone', async () => {
    await start();
    const visitor = await join('10.0.0.1', 'Ada');
    const plant = { id: 77, x: 20, y: 20, seed: { from: 'prior' } };
    const you = neighbour.welcome!.you;
    for (const forged of [{ by: you }, { owner: 3 }, { planter: you }, { energy: 1e9 }]) {
      visitor.say('plant', { ...plant, ...forged });
    }
    visitor.say('cursor', { id: you.id, x: 1, y: 1, tool: 'look' });
    visitor.say('join', { protocol: PROTOCOL_VERSION, room: 'garden', id: you.id });
    await visitor.until(() => reasons(visitor).length === 6);
    expect(new Set(reasons(visitor))).toEqual(new Set(['bad-message']));
    const { engine } = visitor.socket.io as unknown as {
      engine: { write(data: Uint8Array): void };
    };
    engine.write(proto());
    await visitor.until(() => reasons(visitor).length === 7);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    await visitor.ask('plant', { x: 100, y: 70, seed: { from: 'prior' } });
    const organism = server.world.rooms.get('garden')!.organisms.at(-1);
    expect(organism?.planter).toEqual(visitor.welcome!.you);
  });
});

test('an offensive name is not shown, and only its participant is told', async () => {
  await start();
  const rude = await join('10.0.0.1', 'Fuck3r');
  expect(await rude.next(({ name }) => name === 'notice')).toEqual({ notice: 'name-hidden' });
  expect(rude.welcome!.you.name).toBe('');
  const polite = await join('10.0.0.2', 'Ada');
  expect(polite.welcome!.you.name).toBe('Ada');
  await expectUnharmed();
  for (const visitor of [polite, neighbour]) {
    expect(visitor.heard.some(({ name }) => name === 'notice')).toBe(false);
  }
});
