/** A touch table: ten participants over one connection. */

import { RINGS } from '../../shared/limits.ts';
import type { Event, RingEvent, RingEventName } from '../../shared/protocol/events.ts';
import { SMALL } from '../support/organisms.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const SEED = { from: 'gallery', index: 3 } as const;
const ENERGY = { newcomer: 40, plant: 10, damagePerCell: 0.01, refillPerSecond: 0.001 };

const suite = suiteServer({
  ...SMALL,
  ...{ size: '320x192', 'tick-rate': 60, capacity: 1 },
  energy: Object.entries(ENERGY)
    .map((one) => one.join('='))
    .join(),
});
const host = suite.then(({ server }) => hostOf(server));
let tables = 0;

const passOf = (path: string): string => new URLSearchParams(path.split('?')[1]).get('pass')!;

async function addTable() {
  const { id, path } = await (await host).call('addWall', { name: `T${++tables}`, table: true });
  expect(path).toMatch(/^\/table\/garden\?pass=\w{12}$/);
  return { wall: id!, pass: passOf(path) };
}

const open = async (pass: string, session = 1): Promise<Visitor> =>
  (await suite).join(undefined, { as: 'table', pass, session });

/** What a table has heard for a ring, of one event, oldest first. */
function told<N extends RingEventName>(table: Visitor, ring: number, name: N): RingEvent<N>[] {
  const all = table.all('ring').filter((one) => one.ring === ring && one.name === name);
  return all.map(({ message }) => message as RingEvent<N>);
}

/** Opens a ring. @returns what it is told */
async function enter(table: Visitor, ring: number, more: object = {}) {
  const before = told(table, ring, 'seated').length;
  table.say('enter', { ring, ...more });
  await table.until(() => told(table, ring, 'seated').length > before);
  return told(table, ring, 'seated').at(-1)!;
}

let id = 0;

/** Sends a command of a ring. @returns its answer */
async function act(table: Visitor, ring: number, name: string, message: object) {
  const own = ++id;
  const answer = () =>
    [...told(table, ring, 'accepted'), ...told(table, ring, 'rejected')].find(
      (one) => one.id === own,
    ) as Partial<Event<'rejected'> & Event<'accepted'>>;
  table.say('ring', { ring, name, message: { id: own, ...message } });
  await table.until(() => answer() !== undefined);
  return answer();
}

const place = (ring: number) => ({ x: 32 + 64 * (ring % 5), y: ring < 5 ? 48 : 144 });

test('ten rings beside a full room are ten participants, with hand, energy and answers of their own', async () => {
  const { join, connect, room } = await suite;
  const phone = await join('Ada');
  const { pass } = await addTable();
  const table = await open(pass);
  const rings = [...Array(RINGS).keys()];
  const seats = await Promise.all(rings.map((ring) => enter(table, ring)));
  expect(new Set(seats.map(({ you }) => you.id)).size).toBe(RINGS);
  expect(seats.every(({ energy }) => energy.level === ENERGY.newcomer)).toBe(true);
  // The phone has taken the room's only seat, so another has to wait.
  const late = connect();
  late.requestJoin({});
  expect(await late.next(({ name }) => name === 'waiting')).toMatchObject({ ahead: 0 });

  for (const ring of rings) {
    const { x, y } = place(ring);
    const { energy } = await act(table, ring, 'plant', { x, y, seed: SEED });
    expect(energy).toBeCloseTo(ENERGY.newcomer - ENERGY.plant, 1);
  }
  await table.until(() => table.life.filter(({ what }) => what === 'grown').length === RINGS);
  const own = (ring: number) =>
    [...room.organisms].find(({ planter }) => planter.id === seats[ring].you.id)!;
  expect(own(7)).toMatchObject(place(7));
  const [a, b] = [own(0).id, own(1).id];
  const crossed = await act(table, 4, 'cross', { a, b, mix: 0.5 });
  const hand = { from: 'hand', seed: crossed.seed!.id };
  // Nobody else has this seed.
  const spot = { x: 160, y: 96 };
  expect(await act(table, 3, 'plant', { ...spot, seed: hand })).toMatchObject({
    reason: 'no-such-seed',
  });
  expect(await act(table, 2, 'keep', { organism: own(2).id })).toHaveProperty('token');
  expect(await act(table, 9, 'damage', { radius: 2, points: [0, 0] })).not.toHaveProperty('reason');
  expect((await act(table, 4, 'plant', { ...spot, seed: hand })).reason).toBeUndefined();

  // Frames and events for everybody reach the table once; the phone sees no more than ten people.
  await table.sees(room.grid.planes);
  const ticks = table.all('life').map(({ tick }) => tick);
  expect(new Set(ticks).size).toBe(ticks.length);
  await phone.until(() => new Set(phone.all('people').flatMap((one) => one.joined)).size === RINGS);
  expect(new Set(table.all('ring').map(({ name }) => name))).toEqual(
    new Set(['seated', 'accepted', 'rejected']),
  );
});

test('a ring that resumes is the same participant; a forgotten one is a new device with one seed', async () => {
  const { pass } = await addTable();
  const table = await open(pass);
  const first = await enter(table, 0, { session: 5 });
  const other = await enter(table, 1);
  for (let i = 0; i < 4; i++) await act(table, 0, 'damage', { radius: 8, points: [0, 0] });
  const spent = told(table, 0, 'accepted').at(-1)!.energy!;
  expect(spent).toBeLessThan(ENERGY.newcomer);
  table.leave();

  const back = await open(pass);
  const again = await enter(back, 0, { session: 5, resume: first.resume, mark: first.mark });
  expect(again.you).toEqual(first.you);
  expect(again.energy.level).toBeCloseTo(spent);
  // Its token is its own: on another ring it brings the same participant along, and no second one.
  const moved = await enter(back, 2, { resume: again.resume, mark: first.mark });
  expect(moved.you.id).toBe(first.you.id);
  await back.until(() => told(back, 0, 'left').length > 0);
  expect(told(back, 0, 'left')).toEqual([{ reason: 'replaced' }]);

  back.say('forget', { ring: 2 });
  const next = await enter(back, 2);
  expect(next.you.id).not.toBe(first.you.id);
  expect(next.mark).not.toBe(first.mark);
  // The ring shares a newcomer's energy with those who used it before, but has enough for one seed.
  back.say('forget', { ring: 2 });
  const poor = await enter(back, 2);
  expect(poor.energy.level).toBeCloseTo(ENERGY.plant, 0);
  const kept = await enter(back, 1, { resume: other.resume });
  expect(kept.energy.level).toBeCloseTo(ENERGY.newcomer, 1);
});

test('a second table with the same pass is told; a page that returns replaces its own connection', async () => {
  const { connect } = await suite;
  const { pass } = await addTable();
  const first = await open(pass, 7);
  await enter(first, 0);
  const refused = async (wishes: object): Promise<string> => {
    const other = connect();
    other.requestJoin({ as: 'table', ...wishes });
    const reason = await other.refusal();
    // Whoever is no table opens no ring.
    other.say('enter', { ring: 1 });
    await other.until(() => other.all('rejected').length > 1);
    expect(other.all('rejected')[1].reason).toBe('not-joined');
    return reason;
  };
  expect(await refused({ pass, session: 8 })).toBe('table-taken');
  expect(await refused({ pass })).toBe('table-taken');
  expect(await refused({ pass: 'wrong' })).toBe('no-such-table');
  const wall = await (await host).call('addWall', { name: 'not a table' });
  expect(await refused({ pass: passOf(wall.path) })).toBe('no-such-table');
  expect(told(first, 0, 'left')).toEqual([]);
  const again = await open(pass, 7);
  expect(await first.refusal()).toBe('replaced');
  await enter(again, 0);
});

test('the host bans a ring until it is forgotten, and blocks or removes a table', async () => {
  const { pass, wall } = await addTable();
  const table = await open(pass);
  const [ring, neighbour] = [await enter(table, 0), await enter(table, 1)];
  const visitors = (await (await host).call('room')).visitors;
  expect(visitors.filter((one) => one.table === `T${tables}`).map((one) => one.id)).toEqual([
    ring.you.id,
    neighbour.you.id,
  ]);
  // Even a ban of the address means only this person: all rings have the same.
  await (await host).call('ban', { participant: ring.you.id, address: true, minutes: null });
  await table.until(() => told(table, 0, 'left').length === 1);
  table.say('enter', { ring: 0, resume: ring.resume, mark: ring.mark });
  await table.until(() => told(table, 0, 'left').length === 2);
  expect(told(table, 0, 'left').map(({ reason }) => reason)).toEqual(['sent-away', 'sent-away']);
  expect((await enter(table, 0)).you.id).not.toBe(ring.you.id);
  expect(told(table, 1, 'left')).toEqual([]);

  const block = async (blocked: boolean) => (await host).call('blockTable', { blocked }, { wall });
  await block(true);
  await table.until(() => told(table, 1, 'left').length === 1);
  table.say('enter', { ring: 2 });
  await table.until(() => told(table, 2, 'left').length === 1);
  expect(told(table, 2, 'left')).toEqual([{ reason: 'table-blocked' }]);
  const { wallList } = await (await host).call('room');
  expect(wallList.find((one) => one.id === wall)).toMatchObject({
    table: true,
    blocked: true,
    screens: 1,
  });
  await block(false);
  await enter(table, 2);

  await (await host).call('removeWall', {}, { wall });
  expect(await table.refusal()).toBe('no-such-table');
});

test('a flood of one ring slows no other, and what is no command of a ring is refused', async () => {
  const { connect, join } = await suite;
  const { pass } = await addTable();
  const table = await open(pass);
  await enter(table, 0);
  await enter(table, 1);
  for (let i = 0; i < 500; i++)
    table.say('ring', { ring: 0, name: 'cursor', message: { x: 1, y: 1, tool: 'plant' } });
  await table.until(() => told(table, 0, 'rejected').some(({ reason }) => reason === 'too-fast'));
  expect((await act(table, 1, 'plant', { x: 160, y: 20, seed: SEED })).reason).not.toBe('too-fast');
  for (const [message, reason] of [
    [{ ring: 1, name: 'report', message: { id: 1, organism: 1 } }, 'bad-message'],
    [{ ring: 1, name: 'name', message: { id: 1, name: 'Eve' } }, 'bad-message'],
    [{ ring: RINGS, name: 'keep', message: {} }, 'bad-message'],
  ] as const) {
    const before = table.all('rejected').length;
    table.say('ring', message);
    await table.until(() => table.all('rejected').length > before);
    expect(table.all('rejected').at(-1)!.reason).toBe(reason);
  }
  expect(await act(table, 1, 'keep', { organism: 0 })).toMatchObject({ reason: 'bad-message' });
  expect(await act(table, 5, 'keep', { organism: 1 })).toMatchObject({ reason: 'not-joined' });
  // A phone with the pass is no ring.
  const phone = connect();
  phone.requestJoin({ pass, ring: 3 } as object);
  expect(await phone.refusal()).toBe('bad-message');
  const wall = await join(undefined, { as: 'wall' });
  wall.say('enter', { ring: 0 });
  expect(await wall.refusal()).toBe('not-joined');
});
