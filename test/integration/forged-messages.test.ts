/** Messages that no page sends, over real sockets: what they close, and what they cannot change. */
import { pack } from 'msgpackr';
import type { RejectionReason } from '../../server/realtime/limits/connection-limits.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { closed, greetedSocket, reasons, startThrong } from '../support/strangers.ts';

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

  test('repeated joins change nothing', async () => {
    const { join } = await startThrong();
    const visitor = await join('10.0.0.1', 'Ada');
    for (let i = 0; i < 50; i++) {
      visitor.requestJoin({ name: 'Eve' });
    }
    await visitor.until(() => reasons(visitor).length === 50);
    expect(new Set(reasons(visitor))).toEqual(new Set(['already-joined']));
    const late = await join('10.0.0.2');
    const names = late.welcome!.participants.map(({ name }) => name);
    expect(names.filter((name) => name === 'Ada')).toHaveLength(1);
    expect(names).not.toContain('Eve');
  });

  test('repeated joins do not count against the limits of the address', async () => {
    const { join, expectUnharmed } = await startThrong({
      limits: 'joinsAtOnce=2,joinsPerSecond=0',
    });
    const visitor = await join('10.0.0.1', 'Ada');
    for (let i = 0; i < 20; i++) {
      visitor.requestJoin();
    }
    await visitor.until(() => reasons(visitor).length === 20);
    await join('10.0.0.1', 'Bo');
    await expectUnharmed();
  });

  test('the joins of one address are limited', async () => {
    const { join, connect } = await startThrong({ limits: 'joinsAtOnce=2,joinsPerSecond=0' });
    await join();
    await join();
    const third = connect('10.0.0.1');
    third.requestJoin();
    await third.next(({ name }) => name === 'rejected');
    expect(reasons(third)).toEqual(['too-many-joins']);
    await join('10.0.0.2');
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
