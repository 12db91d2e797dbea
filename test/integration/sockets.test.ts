/**
 * Real sockets against a real server: joining, planting, seeing the same, and every way of being
 * refused.
 */

import { createPlanes } from '../../shared/codec/chunks.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { unpackPointer } from '../../shared/protocol/pointers.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { equalPlanes } from '../support/compare.ts';
import { startServer } from '../support/server.ts';
import { suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const { room, join, connect } = await suiteServer({
  ...{ rooms: 'garden,small', size: '128x96', 'tick-rate': 60, energy: 'off' },
});

const reasonOf = (message: unknown) => (message as { reason?: string }).reason;

describe('a room over sockets', () => {
  test('a visitor who names a room in the handshake is admitted at once, or rejected with a reason', async () => {
    const greet = (wanted: unknown) => connect({}, { join: wanted });
    const wish = { protocol: PROTOCOL_VERSION, room: 'garden', name: 'Ada' };
    const ada = greet(wish);
    await ada.until(() => ada.tick !== undefined);
    expect(ada.welcome!.you.name).toBe('Ada');
    const refused = (wanted: unknown) => greet(wanted).refusal();
    expect(await refused({ ...wish, room: 'nowhere' })).toBe('no-such-room');
    expect(await refused({ ...wish, protocol: 0 })).toBe('protocol-version');
    for (const nonsense of [null, 7, 'garden', [], {}, { ...wish, more: 1 }]) {
      expect(await refused(nonsense)).toBe('bad-message');
    }
    // Joining is possible only once.
    ada.send('join', wish);
    expect(await ada.refusal()).toBe('already-joined');
  });

  test('both visitors see an organism grow and fall asleep, and a late third sees the same', async () => {
    const [a, b] = [await join('Ada'), await join('Bo')];
    const seed = { from: 'gallery', index: 105 };
    expect(await a.ask('plant', { x: 40, y: 40, seed })).not.toHaveProperty('reason');
    await Promise.all(
      [a, b].map((visitor) =>
        visitor.until(() => visitor.life.some(({ what }) => what === 'asleep')),
      ),
    );
    for (const { life } of [a, b]) {
      expect(life.map(({ what }) => what)).toEqual([
        'born',
        ...Array(4).fill('divided'),
        'grown',
        'asleep',
      ]);
    }
    const c = await join();
    for (const one of [a, b, c]) {
      await one.sees(room.grid.planes);
      expect(one.lost).toBe(0);
    }
    expect(c.welcome!.organisms).toMatchObject([
      { phase: 'asleep', stage: 32, planter: { name: 'Ada' } },
    ]);
    expect(equalPlanes(c.planes!, createPlanes(128, 96))).toBe(false);
  });

  test('participants, cursors and pace are broadcast', async () => {
    const a = await join('Ada');
    const b = await join('Bo');
    const joined = await a.next(({ name, message }) => {
      return name === 'people' && (message as { joined: unknown[] }).joined.length > 0;
    });
    // Visitors of the test before may be told to have left in the same breath.
    expect(joined).toMatchObject({ joined: [b.welcome!.you] });
    b.send('cursor', { x: 3, y: 4, tool: 'damage' });
    const cursors = (await a.next(({ name }) => name === 'cursors')) as Event<'cursors'>;
    expect(cursors.map(unpackPointer)).toEqual([
      { id: b.welcome!.you.id, x: 3, y: 4, tool: 'damage' },
    ]);
    expect(await a.next(({ name }) => name === 'pace')).toMatchObject({ tickRate: 60 });
    b.leave();
    await a.until(() =>
      a.heard.some(({ name, message }) => {
        const { left } = message as { left?: number[] };
        return name === 'people' && left?.includes(b.welcome!.you.id) === true;
      }),
    );
  });

  test('crossing two organisms gives a seed that grows', async () => {
    const a = await join();
    await a.ask('plant', { x: 100, y: 20, seed: { from: 'prior' } });
    await a.until(() => a.life.some(({ what }) => what === 'born'));
    const [first] = room.organisms.slice(-1);
    const answer = await a.ask('cross', { a: first.id, b: first.id, mix: 0.5 });
    const { seed } = answer as { seed: { id: number } };
    const planted = await a.ask('plant', { x: 100, y: 70, seed: { from: 'hand', seed: seed.id } });
    expect(planted).not.toHaveProperty('reason');
    expect(room.organisms.at(-1)).toMatchObject({ origin: 'cross', parents: [first.id, first.id] });
  });
});

describe('refusals', () => {
  test.each([
    ['another protocol version', 'join', { protocol: 99, room: 'garden' }, 'protocol-version'],
    ['an unknown room', 'join', { protocol: PROTOCOL_VERSION, room: 'nowhere' }, 'no-such-room'],
    [
      'a room name with a path',
      'join',
      { protocol: PROTOCOL_VERSION, room: '../etc' },
      'bad-message',
    ],
    [
      'planting before joining',
      'plant',
      { id: 1, x: 20, y: 20, seed: { from: 'prior' } },
      'not-joined',
    ],
  ])('%s', async (_, name, message, reason) => {
    const visitor = connect();
    visitor.say(name, message);
    expect(reasonOf(await visitor.next((heard) => heard.name === 'rejected'))).toBe(reason);
    if (reason === 'protocol-version')
      await visitor.next(({ name: event }) => event === 'disconnect');
  });

  const plantAt = (x: unknown, y: unknown, seed: unknown = { from: 'prior' }) => ({ x, y, seed });
  test.each([
    ['an unknown message', 'explode', {}, 'unknown-message'],
    ['an event name of Object.prototype', 'constructor', {}, 'unknown-message'],
    ['joining twice', 'join', { protocol: PROTOCOL_VERSION, room: 'small' }, 'already-joined'],
    ['a plant without a place', 'plant', { seed: { from: 'prior' } }, 'bad-message'],
    ['a text for a number', 'plant', plantAt('20', 20), 'bad-message'],
    ['NaN', 'plant', plantAt(Number.NaN, 20), 'bad-message'],
    ['infinity', 'plant', plantAt(Number.POSITIVE_INFINITY, 20), 'bad-message'],
    ['a huge coordinate', 'plant', plantAt(1e300, 20), 'bad-message'],
    ['half a cell', 'plant', plantAt(20.5, 20), 'bad-message'],
    ['a place off the grid', 'plant', plantAt(5, 20), 'off-grid'],
    ['a place far off the grid', 'plant', plantAt(-4000, 20), 'off-grid'],
    [
      'a gallery entry that is not there',
      'plant',
      plantAt(20, 20, { from: 'gallery', index: 9999 }),
      'no-such-seed',
    ],
    [
      'a seed not in the hand',
      'plant',
      plantAt(20, 20, { from: 'hand', seed: 77 }),
      'no-such-seed',
    ],
    ['a short latent', 'plant', plantAt(20, 20, { from: 'latent', latent: [1, 2] }), 'bad-latent'],
    [
      'a latent with NaN',
      'plant',
      plantAt(20, 20, { from: 'latent', latent: [Number.NaN] }),
      'bad-message',
    ],
    ['a seed of another kind', 'plant', plantAt(20, 20, { from: 'heaven' }), 'bad-message'],
    ['an extra field', 'plant', { ...plantAt(20, 20), owner: 3 }, 'bad-message'],
    ['a stroke of odd length', 'damage', { radius: 2, points: [1, 2, 3] }, 'bad-message'],
    ['a stroke without points', 'damage', { radius: 2, points: [] }, 'bad-message'],
    ['a stroke off the grid', 'damage', { radius: 2, points: [1, 2, 500, 2] }, 'bad-point'],
    ['a stroke with NaN', 'damage', { radius: 2, points: [1, Number.NaN] }, 'bad-message'],
    ['a giant brush', 'damage', { radius: 1e9, points: [1, 2] }, 'bad-message'],
    ['1,000 points', 'damage', { radius: 2, points: Array(2_000).fill(1) }, 'bad-message'],
    ['crossing with the dead', 'cross', { a: 4_000, b: 4_001, mix: 0.5 }, 'no-such-organism'],
    ['a mix beyond one', 'cross', { a: 1, b: 1, mix: 1.5 }, 'bad-message'],
  ])('%s is refused by name and changes nothing', async (_, name, message, reason) => {
    const visitor = await join();
    const before = JSON.stringify(room.organisms.map(({ id, wounds }) => [id, wounds]));
    visitor.say(name, name === 'join' ? message : { id: 5, ...message });
    const answer = (await visitor.next((heard) => heard.name === 'rejected')) as { id?: number };
    expect(reasonOf(answer)).toBe(reason);
    if (name !== 'join') expect(answer.id).toBe(5);
    expect(JSON.stringify(room.organisms.map(({ id, wounds }) => [id, wounds]))).toBe(before);
  });

  test("planting on another participant's cells", async () => {
    const a = await join();
    await a.ask('plant', { x: 60, y: 78, seed: { from: 'prior' } });
    const b = await join();
    const answer = await b.ask('plant', { x: 61, y: 78, seed: { from: 'prior' } });
    expect(reasonOf(answer)).toBe('occupied');
  });

  test('a full room takes no more organisms than it may, and no more participants', async () => {
    const little = await startServer({
      size: '128x96',
      'max-organisms': 1,
      capacity: 1,
      'tick-rate': 60,
    });
    const a = await Visitor.join(little.port);
    await a.ask('plant', { x: 20, y: 20, seed: { from: 'prior' } });
    // Of one planter's organisms, all fresh, the newest makes room (DEP-6).
    await a.ask('plant', { x: 80, y: 20, seed: { from: 'prior' } });
    const stays = little.world.rooms
      .get('garden')!
      .organisms.filter(({ phase }) => phase !== 'departing');
    expect(stays).toMatchObject([{ x: 80 }]);
    const line = [0, 1].map(() => {
      const visitor = new Visitor(little.port);
      visitor.say('join', { protocol: PROTOCOL_VERSION, room: 'garden' });
      return visitor;
    });
    const ahead = (n: number) => (heard: { name: string; message: unknown }) =>
      heard.name === 'waiting' && (heard.message as { ahead: number }).ahead === n;
    const first = await Promise.any(line.map((one) => one.next(ahead(0)).then(() => one)));
    const second = line.find((one) => one !== first)!;
    await second.next(ahead(1));
    first.say('cursor', { x: 1, y: 1, tool: 'look' });
    expect(await first.refusal()).toBe('not-joined');
    a.leave();
    await first.until(() => first.tick !== undefined);
    await second.next(ahead(0));
    for (const one of line) one.leave();
    await little.close();
  });

  test('a visitor who reconnects in time keeps identity and seeds, and receives only what has changed', async () => {
    const a = await join('Ada');
    const seen = await join();
    await a.ask('plant', { x: 100, y: 40, seed: { from: 'gallery', index: 3 } });
    await a.until(() => room.awake === 0 && a.life.some(({ what }) => what === 'asleep'));
    const { you, resume } = a.welcome!;
    const [{ id }] = room.organisms.slice(-1);
    const crossed = (await a.ask('cross', { a: id, b: id, mix: 0.5 })) as { seed: { id: number } };
    await a.sees(room.grid.planes);
    const holds = a.decoder!.holds()!;
    a.leave();
    await seen.next(({ name, message }) => {
      return name === 'people' && (message as { left: number[] }).left.includes(you.id);
    });
    const again = await join('Eve', { resume, holds });
    expect(again.welcome!.you).toEqual(you);
    expect(again.welcome!.resume).not.toBe(resume);
    const frames = again.heard.filter(({ name }) => name === 'frame');
    expect((frames[0].message as Uint8Array).length).toBeLessThan(200);
    const seed = { from: 'hand', seed: crossed.seed.id };
    expect(reasonOf(await again.ask('plant', { x: 1, y: 1, seed }))).toBe('off-grid');
    const other = await join('Mallory', { resume });
    expect(other.welcome!.you.id).not.toBe(you.id);
  });

  test('a visitor who reconnects replaces an old connection that hangs', async () => {
    const a = await join('Ada');
    const { you, resume } = a.welcome!;
    const again = await join(undefined, { resume });
    expect(again.welcome!.you).toEqual(you);
    expect(await a.refusal()).toBe('replaced');
    await a.next(({ name }) => name === 'disconnect');
    expect(again.socket.connected).toBe(true);
  });

  test.each([
    ['10 MB', { id: 1, filler: new Uint8Array(10_000_000) }],
    ['a stroke of 100,000 points', { id: 1, radius: 2, points: Array(200_000).fill(1.5) }],
  ])('%s in one message ends the connection and harms nobody else', async (_, message) => {
    const [bad, good] = [await join(), await join()];
    bad.say('damage', message);
    await bad.next(({ name }) => name === 'disconnect');
    const tick = good.tick!;
    await good.until(() => good.tick! > tick);
  });
});
