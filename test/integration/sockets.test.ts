/**
 * Real sockets against a real server: joining, planting, seeing the same, beacons, names, and every
 * way of being refused.
 */
import { RoomModel } from '../../client/room/room-model.ts';
import { createPlanes } from '../../shared/codec/chunks.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { afterTest } from '../support/closing.ts';
import { equalPlanes } from '../support/compare.ts';
import { suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const { server, room, join, connect } = await suiteServer({
  ...{ rooms: 'garden,small', size: '320x96', 'tick-rate': 60, energy: 'off' },
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
    expect(equalPlanes(c.planes!, createPlanes(320, 96))).toBe(false);
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
  const of = (from: string, more: object) => ({ ...at, seed: { from, ...more } });
  test.each([
    ['an unknown message', 'explode', {}, 'unknown-message'],
    ['joining twice', 'join', { ...greeting, room: 'small' }, 'already-joined'],
    ['a plant without a place', 'plant', { seed }, 'bad-message'],
    ['NaN', 'plant', { x: Number.NaN, y: 20, seed }, 'bad-message'],
    ['half a cell', 'plant', { x: 20.5, y: 20, seed }, 'bad-message'],
    ['a place off the grid', 'plant', { x: 5, y: 20, seed }, 'off-grid'],
    ['no such creature', 'plant', of('gallery', { index: 9999 }), 'no-such-seed'],
    ['a seed not in the hand', 'plant', of('hand', { seed: 77 }), 'no-such-seed'],
    ['a token that is too short', 'plant', of('token', { token: 'abc' }), 'bad-token'],
    ['a token of another kind', 'plant', of('token', { token: 'A'.repeat(204) }), 'bad-token'],
    ['a huge token', 'plant', of('token', { token: 'A'.repeat(12_000) }), 'bad-message'],
    ['a short latent', 'plant', of('latent', { latent: [1, 2] }), 'bad-latent'],
    ['a stroke of odd length', 'damage', { radius: 2, points: [1, 2, 3] }, 'bad-message'],
    ['a stroke off the grid', 'damage', { radius: 2, points: [1, 2, 500, 2] }, 'bad-point'],
    ['keeping the dead', 'keep', { organism: 4_000 }, 'no-such-organism'],
    ['a beacon on the dead', 'beacon', { organism: 4_000 }, 'no-such-organism'],
    ['reporting the dead', 'report', { organism: 4_000 }, 'no-such-organism'],
    ['reporting nobody', 'report', { organism: 0 }, 'bad-message'],
    ['a long name', 'name', { name: 'x'.repeat(300) }, 'bad-message'],
    ['crossing with the dead', 'cross', { a: 4_000, b: 4_001, mix: 0.5 }, 'no-such-organism'],
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

const asIndex = (index: number) => ({ from: 'gallery', index }) as const;

/** @returns the organism that was born of it */
const plant = async (visitor: Visitor, x: number, y: number, seed: object = asIndex(105)) =>
  room.viewOf(await visitor.plant(x, y, seed))!;

test('who comes during a tick is welcomed once its changes are stored, and told each of them once', async () => {
  const ada = await join('Ada');
  const organism = await ada.grow(180, 70);
  const { kind } = room.viewOf(organism)!;
  const { world } = server;
  let store = (): void => {};
  const stored = new Promise<void>((resolve) => {
    store = resolve;
  });
  afterTest(() => {
    world.journal = undefined;
    store();
  });
  const begun = new Promise<void>((begin) => {
    world.journal = async (ticks) => {
      if (ticks.every(({ events }) => events.length === 0)) return;
      begin();
      await stored;
    };
  });
  const turned = ada.ask('transform', { organism, seed: asIndex(3) });
  await begun;
  const bo = connect();
  const model = new RoomModel(() => {});
  bo.socket.onAny((name: string, message: unknown) => model.receive(name, message));
  bo.requestJoin();
  // One more join is refused at once, so the first has been read by then.
  bo.requestJoin();
  expect(await bo.refusal()).toBe('already-joined');
  expect(bo.welcome).toBeUndefined();
  store();
  expect(await turned).not.toHaveProperty('reason');
  await bo.until(() => (bo.tick ?? 0) > (bo.welcome?.room.tick ?? Infinity) + 2);
  expect(model.organisms.get(organism)).toMatchObject({ was: [kind] });
});

describe('a beacon', () => {
  test('is shown to everybody, in the hue of the organism’s planter', async () => {
    const [ada, bo] = [await join('Ada'), await join('Bo')];
    const { id: organism } = await plant(ada, 180, 20);
    expect(await ada.ask('beacon', { organism })).not.toHaveProperty('reason');
    const { hue } = ada.welcome!.you;
    for (const visitor of [ada, bo]) {
      await visitor.until(() => visitor.all('beacon').length > 0);
      expect(visitor.all('beacon')).toEqual([{ organism, hue }]);
    }
  });

  test("is refused with a reason for another's organism, and when there are too many", async () => {
    const [ada, bo] = [await join(), await join()];
    const { id: organism } = await plant(ada, 220, 20);
    expect(await bo.ask('beacon', { organism })).toMatchObject({ reason: 'not-yours' });
    expect(ada.all('beacon')).toEqual([]);
    const answers: (Event<'accepted'> | Event<'rejected'>)[] = [];
    for (let i = 0; i < 12; i++) answers.push(await ada.ask('beacon', { organism }));
    expect(answers[0]).not.toHaveProperty('reason');
    expect(answers).toContainEqual(expect.objectContaining({ reason: 'too-fast' }));
  });
});

describe('a name', () => {
  const knows = (visitor: Visitor, id: number, name: string) => {
    const told = () => visitor.all('people').flatMap(({ joined }) => joined);
    return visitor.until(() => told().some((one) => one.id === id && one.name === name));
  };

  test('given in the room is announced to everybody, and shown with later organisms', async () => {
    const [ada, bo] = [await join(), await join('Bo')];
    const { id } = ada.welcome!.you;
    expect(await ada.ask('name', { name: '  Ada\u0000 Lovelace ' })).not.toHaveProperty('reason');
    for (const visitor of [ada, bo]) await knows(visitor, id, 'Ada Lovelace');
    expect((await plant(ada, 260, 20)).planter).toMatchObject({ id, name: 'Ada Lovelace' });
    const late = await join();
    const named = expect.objectContaining({ id, name: 'Ada Lovelace' });
    expect(late.welcome!.participants).toContainEqual(named);
    expect(await ada.ask('name', { name: '' })).not.toHaveProperty('reason');
    await knows(bo, id, '');
  });

  test('is refused when offensive or changed too often; the old one stays', async () => {
    const [ada, bo] = [await join('Ada'), await join()];
    const { id } = ada.welcome!.you;
    expect(await ada.ask('name', { name: 'sh1thead' })).toMatchObject({ reason: 'bad-name' });
    const answers: unknown[] = [];
    for (let i = 0; i < 12; i++) answers.push(await ada.ask('name', { name: `Ada ${i}` }));
    expect(answers).toContainEqual(expect.objectContaining({ reason: 'too-fast' }));
    expect(bo.welcome!.participants).toContainEqual(expect.objectContaining({ id, name: 'Ada' }));
  });
});
