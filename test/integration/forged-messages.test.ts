/**
 * Messages and WebSocket frames that no page sends, over real sockets: what they close, and what
 * they cannot change. A full run sends a million random messages.
 */
import { pack } from 'msgpackr';
import {
  DEFAULT_LIMITS,
  type RejectionReason,
} from '../../server/realtime/limits/connection-limits.ts';
import { FRAME_LIMITS } from '../../server/realtime/limits/websocket-engine.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { copyPlanes, equalPlanes } from '../support/compare.ts';
import { isFull } from '../support/needs.ts';
import { UNLIMITED } from '../support/server.ts';
import { closed, greetedSocket, malformed, reasons, startThrong } from '../support/strangers.ts';

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
    const { server, count, expectAnswered } = await startThrong();
    const socket = await greetedSocket(server.port);
    socket.send(message());
    await closed(socket);
    expect(count(reason)).toBe(1);
    await expectAnswered();
  });

  test('leaving and joining again within one connection closes it', async () => {
    const { server, expectUnharmed } = await startThrong();
    const socket = await greetedSocket(server.port);
    socket.send(pack({ type: 1, nsp: '/' }));
    await closed(socket);
    await expectUnharmed();
  });

  test('repeated joins change nothing, and do not count against the limits of the address', async () => {
    const { join, expectUnharmed } = await startThrong({
      limits: 'joinsAtOnce=2,joinsPerSecond=0',
    });
    const visitor = await join('10.0.0.1', 'Ada');
    for (let i = 0; i < 20; i++) visitor.requestJoin({ name: 'Eve' });
    await visitor.until(() => reasons(visitor).length === 20);
    expect(new Set(reasons(visitor))).toEqual(new Set(['already-joined']));
    const late = await join('10.0.0.1', 'Bo');
    const names = late.welcome!.participants.map(({ name }) => name);
    expect(names.sort()).toEqual(['Ada', 'Bo', 'Nina']);
    await expectUnharmed();
  });

  test('identity, energy and ownership are decided by the server alone', async () => {
    const { server, neighbour, join } = await startThrong();
    const visitor = await join('10.0.0.1', 'Ada');
    const plant = { id: 77, x: 20, y: 20, seed: { from: 'prior' } };
    const you = neighbour.welcome!.you;
    for (const forged of [{ by: you }, { owner: 3 }, { planter: you }, { energy: 1e9 }]) {
      visitor.say('plant', { ...plant, ...forged });
    }
    const turn = { id: 78, organism: 1, seed: { from: 'prior' } };
    for (const forged of [{ by: you }, { kind: 'Cow' }])
      visitor.say('transform', { ...turn, ...forged });
    visitor.say('cursor', { id: you.id, x: 1, y: 1, tool: 'look' });
    visitor.say('join', { protocol: PROTOCOL_VERSION, room: 'garden', id: you.id });
    await visitor.until(() => reasons(visitor).length === 8);
    expect(new Set(reasons(visitor))).toEqual(new Set(['bad-message']));
    const { engine } = visitor.socket.io as unknown as {
      engine: { write(data: Uint8Array): void };
    };
    engine.write(proto());
    await visitor.until(() => reasons(visitor).length === 9);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    await visitor.ask('plant', { x: 100, y: 70, seed: { from: 'prior' } });
    const organism = server.world.rooms.get('garden')!.organisms.at(-1);
    expect(organism?.planter).toEqual(visitor.welcome!.you);
  });
});

test('an offensive name is not shown, and only its participant is told', async () => {
  const { neighbour, join, expectUnharmed } = await startThrong();
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

// They count against the connection's limits.
describe('WebSocket frames below the protocol', () => {
  test('pings that are few in bytes but many in number end with the connection; a neighbour notices nothing', async () => {
    const { server, count, expectUnharmed } = await startThrong({});
    const { framesPerSecond, burstSeconds } = DEFAULT_LIMITS;
    const pings = 5_000;
    const begun = performance.now();
    const answered = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await greetedSocket(server.port);
        let pongs = 0;
        socket.on('pong', () => pongs++);
        const end = closed(socket);
        // 30 kB: within what one may send.
        for (let i = 0; i < pings; i++) socket.ping('');
        await end;
        return pongs;
      }),
    );
    expect(count('too-many-frames')).toBe(20);
    expect(count('too-much-data')).toBe(0);
    const regained = ((performance.now() - begun) / 1000) * framesPerSecond;
    const most = framesPerSecond * burstSeconds + regained;
    expect(Math.max(...answered)).toBeLessThanOrEqual(most);
    await expectUnharmed();
  });

  test('a message that never ends is given up after few fragments, whatever its connection may send', async () => {
    const limits = `${UNLIMITED},framesPerSecond=1e6,bytesPerSecond=1e9`;
    const { server, count } = await startThrong({ limits });
    const socket = await greetedSocket(server.port);
    const end = closed(socket);
    for (let i = 0; i < FRAME_LIMITS.maxFragments + 1; i++) {
      socket.send('x', { fin: false, binary: true });
    }
    await end;
    expect(count('too-many-fragments')).toBe(1);
  });
});

const MESSAGES = isFull ? 1_000_000 : 8_000;
const BATCH = 500;

test(`${MESSAGES} random messages: each is refused, the room is unchanged, a neighbour is answered`, async () => {
  const random = createRandom(31);
  const { server, neighbour, join } = await startThrong({ limits: UNLIMITED });
  const room = server.world.rooms.get('garden')!;
  const visitor = await join();
  const organisms = JSON.stringify(room.organisms);
  const planes = copyPlanes(room.grid.planes);
  const reasons = new Map<string, number>();
  let refused = 0;
  visitor.socket.prependAny((name: string, { reason }: { reason: string }) => {
    if (name !== 'rejected') return;
    refused++;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  });
  for (let sent = 0; sent < MESSAGES; sent += BATCH) {
    for (let i = 0; i < BATCH; i++) visitor.say(...malformed(random));
    await visitor.until(() => refused >= sent + BATCH || !visitor.socket.connected);
    expect(visitor.socket.connected).toBe(true);
    visitor.heard.length = 0;
    neighbour.heard.length = 0;
  }
  expect(refused).toBe(MESSAGES);
  expect([...reasons.keys()].sort()).toEqual(['bad-message', 'unknown-message']);
  expect(JSON.stringify(room.organisms)).toBe(organisms);
  expect(equalPlanes(room.grid.planes, planes)).toBe(true);
  expect(server.rejectionCounts.totals()).toMatchObject(Object.fromEntries(reasons));
  const tick = neighbour.tick!;
  await neighbour.until(() => neighbour.tick! > tick);
  const answer = await neighbour.ask('cross', { a: 4_000, b: 4_001, mix: 0.5 });
  expect(answer).toMatchObject({ reason: 'no-such-organism' });
}, 1_800_000);
