/** Presence over real sockets: welcomes, beacons, names and keepsakes. */

import { RoomModel } from '../../client/room/room-model.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { afterTest } from '../support/closing.ts';
import { suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const { server, room, join, connect } = await suiteServer({ size: '160x96', 'tick-rate': 60 });

const asIndex = (index: number) => ({ from: 'gallery', index }) as const;

/** @returns the organism that was born of it */
const plant = async (visitor: Visitor, x: number, y: number, seed: object = asIndex(105)) =>
  room.viewOf(await visitor.plant(x, y, seed))!;

test('who comes during a tick is welcomed once its changes are stored, and told each of them once', async () => {
  const ada = await join('Ada');
  const organism = await ada.grow(20, 70);
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
    const { id: organism } = await plant(ada, 20, 20);
    expect(await ada.ask('beacon', { organism })).not.toHaveProperty('reason');
    const { hue } = ada.welcome!.you;
    for (const visitor of [ada, bo]) {
      await visitor.until(() => visitor.all('beacon').length > 0);
      expect(visitor.all('beacon')).toEqual([{ organism, hue }]);
    }
  });

  test("is refused with a reason for another's organism, and when there are too many", async () => {
    const [ada, bo] = [await join(), await join()];
    const { id: organism } = await plant(ada, 60, 20);
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
    expect((await plant(ada, 100, 20)).planter).toMatchObject({ id, name: 'Ada Lovelace' });
    const late = await join();
    const named = expect.objectContaining({ id, name: 'Ada Lovelace' });
    expect(late.welcome!.participants).toContainEqual(named);
    expect(await ada.ask('name', { name: '' })).not.toHaveProperty('reason');
    await knows(bo, id, '');
  });

  test('followed at once by leaving is announced as left to everybody', async () => {
    const [ada, bo] = [await join(), await join()];
    const { id } = ada.welcome!.you;
    ada.send('name', { id: 1, name: 'Ada' });
    ada.leave();
    await bo.until(() => bo.all('people').some(({ left }) => left.includes(id)));
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

describe('a keepsake', () => {
  test("plants the same creature again, under its kind's name, also by somebody else", async () => {
    const [ada, bo] = [await join(), await join()];
    const { id, kind } = await plant(ada, 140, 20);
    const { token } = (await ada.ask('keep', { organism: id })) as Event<'accepted'>;
    const again = await plant(bo, 60, 70, { from: 'token', token });
    expect(again).toMatchObject({ origin: 'keepsake', kind, parents: [] });
    const [first, second] = [id, again.id].map(
      (organism) => room.previewSeed({ from: 'organism', organism }, 0).latent,
    );
    expect(Math.max(...first.map((value, i) => Math.abs(value - second[i])))).toBeLessThan(0.005);
    const { token: kept } = (await bo.ask('keep', { organism: again.id })) as Event<'accepted'>;
    expect(kept).toBe(token);
  });
});
