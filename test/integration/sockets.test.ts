/**
 * Real sockets against a real server: joining, planting, seeing the same, and every way of being
 * refused.
 */

import { createPlanes } from '../../shared/codec/chunks.ts';
import { unpackPointer } from '../../shared/protocol/pointers.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { equalPlanes } from '../support/compare.ts';
import { suiteServer } from '../support/suite.ts';

const { room, join, connect } = await suiteServer({
  ...{ rooms: 'garden,small', size: '128x96', 'tick-rate': 60, energy: 'off' },
});

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
    await a.plant(40, 40, seed);
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
    const { you } = b.welcome!;
    const joined = () => a.all('people').flatMap((people) => people.joined);
    await a.until(() => joined().length > 0);
    expect(joined()).toEqual([you]);
    b.send('cursor', { x: 3, y: 4, tool: 'damage' });
    await a.until(() => a.all('cursors').length > 0);
    const cursor = { id: you.id, x: 3, y: 4, tool: 'damage' };
    expect(a.all('cursors')[0].map(unpackPointer)).toEqual([cursor]);
    await a.until(() => a.all('pace').length > 0);
    expect(a.all('pace')[0]).toMatchObject({ tickRate: 60 });
    b.leave();
    await a.until(() => a.all('people').some(({ left }) => left.includes(you.id)));
  });
});

describe('refusals', () => {
  const greeting = { protocol: PROTOCOL_VERSION, room: 'garden' };
  const seed = { from: 'prior' };

  test('planting before joining', async () => {
    const visitor = connect();
    visitor.say('plant', { id: 1, x: 20, y: 20, seed });
    expect(await visitor.refusal()).toBe('not-joined');
  });

  const at = { x: 20, y: 20 };
  const tokenOf = (token: string) => ({ ...at, seed: { from: 'token', token } });
  const latent = (...numbers: number[]) => ({ ...at, seed: { from: 'latent', latent: numbers } });
  test.each([
    ['an unknown message', 'explode', {}, 'unknown-message'],
    ['an event name of Object.prototype', 'constructor', {}, 'unknown-message'],
    ['joining twice', 'join', { ...greeting, room: 'small' }, 'already-joined'],
    ['a plant without a place', 'plant', { seed }, 'bad-message'],
    ['a text for a number', 'plant', { x: '20', y: 20, seed }, 'bad-message'],
    ['NaN', 'plant', { x: Number.NaN, y: 20, seed }, 'bad-message'],
    ['infinity', 'plant', { x: Number.POSITIVE_INFINITY, y: 20, seed }, 'bad-message'],
    ['a huge coordinate', 'plant', { x: 1e300, y: 20, seed }, 'bad-message'],
    ['half a cell', 'plant', { x: 20.5, y: 20, seed }, 'bad-message'],
    ['a place off the grid', 'plant', { x: 5, y: 20, seed }, 'off-grid'],
    ['a place far off the grid', 'plant', { x: -4000, y: 20, seed }, 'off-grid'],
    [
      'no such creature',
      'plant',
      { ...at, seed: { from: 'gallery', index: 9999 } },
      'no-such-seed',
    ],
    [
      'a seed not in the hand',
      'plant',
      { ...at, seed: { from: 'hand', seed: 77 } },
      'no-such-seed',
    ],
    ['a token that is too short', 'plant', tokenOf('abc'), 'bad-token'],
    ['a token of another kind', 'plant', tokenOf('A'.repeat(204)), 'bad-token'],
    ['a huge token', 'plant', tokenOf('A'.repeat(12_000)), 'bad-message'],
    ['a token with a space', 'plant', tokenOf('a b'), 'bad-message'],
    ['a short latent', 'plant', latent(1, 2), 'bad-latent'],
    ['a latent with NaN', 'plant', latent(Number.NaN), 'bad-message'],
    ['a seed of another kind', 'plant', { ...at, seed: { from: 'heaven' } }, 'bad-message'],
    ['an extra field', 'plant', { ...at, seed, owner: 3 }, 'bad-message'],
    ['a stroke of odd length', 'damage', { radius: 2, points: [1, 2, 3] }, 'bad-message'],
    ['a stroke without points', 'damage', { radius: 2, points: [] }, 'bad-message'],
    ['a stroke off the grid', 'damage', { radius: 2, points: [1, 2, 500, 2] }, 'bad-point'],
    ['a stroke with NaN', 'damage', { radius: 2, points: [1, Number.NaN] }, 'bad-message'],
    ['a giant brush', 'damage', { radius: 1e9, points: [1, 2] }, 'bad-message'],
    ['1,000 points', 'damage', { radius: 2, points: Array(2_000).fill(1) }, 'bad-message'],
    ['keeping the dead', 'keep', { organism: 4_000 }, 'no-such-organism'],
    ['a beacon on the dead', 'beacon', { organism: 4_000 }, 'no-such-organism'],
    ['reporting the dead', 'report', { organism: 4_000 }, 'no-such-organism'],
    ['reporting nobody', 'report', { organism: 0 }, 'bad-message'],
    ['a long name', 'name', { name: 'x'.repeat(300) }, 'bad-message'],
    ['crossing with the dead', 'cross', { a: 4_000, b: 4_001, mix: 0.5 }, 'no-such-organism'],
    ['a mix beyond one', 'cross', { a: 1, b: 1, mix: 1.5 }, 'bad-message'],
  ])('%s is refused by name and changes nothing', async (_, name, message, reason) => {
    const visitor = await join();
    const state = () => JSON.stringify(room.organisms.map(({ id, wounds }) => [id, wounds]));
    const before = state();
    visitor.say(name, name === 'join' ? message : { id: 5, ...message });
    await visitor.refusal();
    expect(visitor.all('rejected')).toMatchObject([{ reason, ...(name !== 'join' && { id: 5 }) }]);
    expect(state()).toBe(before);
  });

  test("planting on another participant's cells", async () => {
    const a = await join();
    await a.plant(60, 78, seed);
    const b = await join();
    const answer = await b.ask('plant', { x: 61, y: 78, seed });
    expect(answer).toMatchObject({ reason: 'occupied' });
  });

  test('a visitor who reconnects in time keeps identity and seeds, and receives only what has changed', async () => {
    const a = await join('Ada');
    const seen = await join();
    const id = await a.grow(100, 40, { from: 'gallery', index: 3 });
    await a.until(() => room.awake === 0);
    const { you, resume } = a.welcome!;
    const crossed = (await a.ask('cross', { a: id, b: id, mix: 0.5 })) as { seed: { id: number } };
    await a.sees(room.grid.planes);
    const holds = a.model.holds()!;
    a.leave();
    await seen.until(() => seen.all('people').some(({ left }) => left.includes(you.id)));
    const again = await join('Eve', { resume, holds });
    expect(again.welcome!.you).toEqual(you);
    expect(again.welcome!.resume).not.toBe(resume);
    expect(again.all('frame')[0].length).toBeLessThan(200);
    const held = { from: 'hand', seed: crossed.seed.id };
    const answer = await again.ask('plant', { x: 1, y: 1, seed: held });
    expect(answer).toMatchObject({ reason: 'off-grid' });
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
});
