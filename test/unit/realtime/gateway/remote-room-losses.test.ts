/** A room of another server while messages, links and owners are lost. */

import * as v from 'valibot';
import { GATEWAY_TIMES } from '../../../../server/realtime/gateway/messages.ts';
import { MAX_WALLS } from '../../../../server/realtime/sessions/walls.ts';
import { roomState } from '../../../../server/world/room-state.ts';
import { arrived, type Connection, Owner, pass } from '../../../support/remote-rooms.ts';
import { HandRoom, SPECIES } from '../../../support/rooms.ts';
import { startLinked } from './linked-rooms.ts';

const { beat, begin, silence } = GATEWAY_TIMES;
const seed = { from: 'gallery', index: 0 } as const;

test('the participants of a server that has fallen silent leave', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  a.join('Anna');
  b.join('Bert');
  await pass(clock, beat);
  expect(owner.server.seats.size).toBe(2);
  a.room.close();
  bus.loses = (channel) => channel.endsWith(':to:a');
  await clock.advance(silence + beat);
  expect(owner.server.seats.participants).toMatchObject([{ name: 'Bert' }]);
});

test('when an answer is lost, everybody joins again, and nothing is done twice', async () => {
  const { clock, bus, owner, a } = await startLinked();
  const anna = a.join('Anna');
  const wall = await a.enter('', { as: 'wall' });
  await anna.says('plant', { id: 9, x: 10, y: 10, seed });
  bus.loses = (channel) => channel.includes(':to:');
  await owner.tick();
  expect(anna.all('accepted')).toEqual([]);
  bus.loses = () => false;
  await pass(clock, 2 * beat);
  await owner.tick();
  expect(anna.all('accepted')).toMatchObject([{ id: 9 }]);
  expect(owner.room.organisms).toHaveLength(1);
  expect(anna.all('welcome').map(({ you }) => you.id)).toEqual([1, 1]);
  expect(wall.all('wall')).toHaveLength(2);
  expect([owner.server.seats.size, owner.server.walls.size]).toEqual([1, 1]);
});

test('what a page sends again over another server, to a new owner, is done once', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  const session = 7;
  b.join('Bert');
  const before = await a.enter('Anna', { session });
  const { resume, you } = before.welcome!;
  const say = (page: Connection, id: number, x: number) =>
    page.say('plant', { id, x, y: 10, seed });
  say(before, 1, 10);
  await arrived(clock);
  // Its answer is lost with the line, and the owner ends.
  bus.loses = (channel) => channel.includes(':to:');
  await owner.tick();
  before.session.leave();
  owner.isHere = false;
  owner.access!.close();
  bus.loses = () => false;
  const from = v.parse(roomState, owner.room.export());
  const next = await Owner.start(bus, {
    ...{ clock, epoch: 2, hand: new HandRoom({ species: SPECIES, from }) },
  });
  await pass(clock, beat);
  const back = await b.enter('Anna', { session, resume });
  expect(back.welcome).toMatchObject({ you: { id: you.id } });
  // What it sends twice, as after the welcome of a new link, is asked once.
  for (const id of [1, 2, 2]) say(back, id, 10 * id);
  await arrived(clock);
  await next.tick();
  expect(back.all('accepted').map(({ id }) => id)).toEqual([1, 2]);
  expect(back.all('rejected')).toEqual([]);
  expect(next.room.organisms.map(({ x }) => x)).toEqual([10, 20]);
  // Another page of the same visitor counts from 1 again.
  back.session.leave();
  const reloaded = await a.enter('Anna', { session: 8, resume: back.welcome!.resume });
  say(reloaded, 1, 28);
  await arrived(clock);
  await next.tick();
  expect(next.room.organisms).toHaveLength(3);
});

test('who is in a room that is closed is told so, even if the message is lost', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  const [anna, bert] = [a.join('Anna'), b.join('Bert')];
  const wall = await a.enter('', { as: 'wall' });
  bus.loses = (channel) => channel.endsWith(':to:b');
  owner.server.disconnectAll('room-closed');
  owner.access!.close();
  await arrived(clock);
  const told = { name: 'disconnected', message: 'room-closed' };
  expect(anna.heard.at(-1)).toEqual(told);
  expect(wall.heard.at(-1)).toEqual(told);
  expect(bert.heard.at(-1)).not.toEqual(told);
  b.over = 'room-closed';
  await clock.advance(silence + beat);
  expect(bert.heard.at(-1)).toEqual(told);
});

test('while no server has a room that should run, its pages wait', async () => {
  const { clock, owner, a } = await startLinked();
  const anna = await a.enter('Anna');
  owner.server.disconnectAll('elsewhere');
  owner.access!.close();
  await clock.advance(2 * silence);
  expect(anna.heard.map(({ name }) => name)).not.toContain('disconnected');
});

test('a frame that is drawn before the welcome of a new link confirms no resume token', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  const anna = await a.enter('Anna');
  anna.say('received', { tick: 1 });
  await pass(clock, beat);
  const { resume, you } = anna.welcome!;
  bus.loses = (channel) => channel.includes(':to:');
  anna.say('received', { tick: 2 });
  owner.access!.close();
  await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await clock.advance(beat);
  anna.say('received', { tick: 3 });
  await pass(clock, beat);
  expect(anna.all('welcome')).toHaveLength(1);
  bus.loses = () => false;
  const back = b.join('Anna', { resume });
  await pass(clock, beat);
  expect(back.welcome!.you.id).toBe(you.id);
});

test('what the room would do twice is refused after a lost answer', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  const [anna, bert] = [a.join('Anna'), b.join('Bert')];
  await arrived(clock);
  await anna.says('plant', { id: 1, x: 10, y: 10, seed });
  await owner.tick();
  const [{ id: organism }] = owner.room.organisms;
  bus.loses = (channel) => channel.endsWith(':to:a');
  await anna.says('beacon', { id: 2, organism });
  bus.loses = () => false;
  await pass(clock, 2 * beat);
  expect(anna.heard.filter(({ name }) => name === 'refused')).toEqual([
    { name: 'refused', message: { reason: 'room-busy', id: 2 } },
  ]);
  expect(bert.all('beacon')).toHaveLength(1);
});

test('after a new welcome, a page that is zoomed out is sent its whole picture again', async () => {
  const { clock, bus, owner, a } = await startLinked();
  const [near, far] = [a.join('near'), a.join('far')];
  await arrived(clock);
  const view = { x: 0, y: 0, width: 32, height: 24, best: 'full', hidden: false } as const;
  near.say('look', { ...view, pixels: 2 });
  far.say('look', { ...view, pixels: 0.5 });
  bus.loses = (channel) => channel.includes(':to:');
  owner.server.broadcastSettings();
  await arrived(clock);
  bus.loses = () => false;
  await pass(clock, 2 * beat);
  expect(near.all('welcome')).toHaveLength(2);
  expect(a.opened[0].resynced).toMatchObject([{ viewer: far }]);
});

type Linked = Awaited<ReturnType<typeof startLinked>>;

/** A message to a gateway is lost. */
async function loseNews({ bus, owner, clock }: Linked): Promise<void> {
  bus.loses = (channel) => channel.endsWith(':to:a');
  owner.server.broadcastSettings();
  await arrived(clock);
}

/** The room is full: one is in, two wait at their gateway and one at another, and all walls are up. */
async function fillRoom({ clock, owner, a, b }: Linked) {
  owner.server.admission.setCapacity(1);
  const anna = await a.enter('Anna');
  const waiting = ['Bert', 'Carl'].map((name) => a.join(name));
  await arrived(clock);
  const last = b.join('Dora');
  const walls = Array.from({ length: MAX_WALLS }, () => a.join('', { as: 'wall' }));
  await arrived(clock);
  return { anna, waiting, last, walls };
}

/** A message to the room is lost. */
async function loseCommand({ bus }: Linked, anna: Connection): Promise<void> {
  bus.loses = (channel) => channel.endsWith(':in');
  await anna.says('name', { id: 1, name: 'Anne' });
}

/** A message to a gateway is lost, and then the opening of its new link. */
async function loseOpening(linked: Linked): Promise<void> {
  await loseNews(linked);
  linked.bus.loses = (channel) => channel.endsWith(':in');
  await pass(linked.clock, beat);
}

test.each<[string, boolean, (linked: Linked, anna: Connection) => Promise<void>]>([
  ['after a message to their server was lost', false, loseNews],
  ['after a message to the room was lost', false, loseCommand],
  ['after the opening of the new link was lost too', false, loseOpening],
  ['where an extension decides about each join', true, loseNews],
])('in a full room, those who watch or wait keep their places %s', async (_, isAsked, lose) => {
  const linked = await startLinked();
  const { clock, bus, owner } = linked;
  const others = ['joined', 'left', 'active', 'command', 'draw'].map((hook) => [hook, () => {}]);
  const hooks = { ...Object.fromEntries(others), join: () => Promise.resolve() };
  if (isAsked) owner.server.hooks = hooks as typeof owner.server.hooks;
  const { anna, waiting, last, walls } = await fillRoom(linked);
  await lose(linked, anna);
  bus.loses = () => false;
  await pass(clock, 2 * beat);
  await owner.tick();
  for (const wall of walls) {
    expect(wall.all('wall')).toHaveLength(2);
    expect(wall.heard.map(({ name }) => name)).not.toContain('disconnected');
  }
  expect([owner.server.seats.size, owner.server.walls.size]).toEqual([1, walls.length]);
  expect([...waiting, last].map((one) => one.all('waiting').at(-1)!.ahead)).toEqual([0, 1, 2]);
  await anna.leaves();
  expect(waiting[0].welcome!.you.name).toBe('Bert');
});

test('at a new owner, those who were in a full room are in it alone, and the line is as it was', async () => {
  const linked = await startLinked();
  const { clock, bus, owner, a, b } = linked;
  owner.server.admission.setCapacity(2);
  const anna = await a.enter('Anna');
  const bert = await b.enter('Bert');
  const line: Connection[] = [];
  for (const [gateway, name] of [
    [b, 'Carl'],
    [a, 'Dora'],
    [b, 'Eve'],
    [a, 'Fay'],
  ] as const) {
    line.push(gateway.join(name));
    await clock.advance(1);
  }
  await owner.tick();
  const ahead = () => line.map((one) => one.all('waiting').at(-1)!.ahead);
  expect(ahead()).toEqual([0, 1, 2, 3]);

  owner.server.disconnectAll('elsewhere');
  owner.access!.close();
  const next = await Owner.start(bus, { clock, epoch: 2, hand: owner.hand, isHere: false });
  next.server.admission.setCapacity(2);
  next.isHere = true;
  const late = a.join('Gus');
  await pass(clock, beat);
  await next.tick();
  expect(next.server.seats.participants.map(({ name }) => name).sort()).toEqual(['Anna', 'Bert']);
  expect([anna, bert].map((one) => one.all('welcome').length)).toEqual([2, 2]);
  expect([...ahead(), late.all('waiting').at(-1)!.ahead]).toEqual([0, 1, 2, 3, 4]);

  // Who does not come back gives way.
  await bert.leaves();
  expect(line[0].welcome!.you.name).toBe('Carl');
});

test('who has got a place without hearing of it keeps it', async () => {
  const { clock, bus, owner, a, b } = await startLinked();
  owner.server.admission.setCapacity(1);
  const anna = await b.enter('Anna');
  const bert = await a.enter('Bert');
  const carl = await b.enter('Carl');
  bus.loses = (channel) => channel.endsWith(':to:a');
  await anna.leaves();
  expect(bert.welcome).toBeUndefined();
  bus.loses = () => false;
  await pass(clock, 2 * beat);
  expect(owner.server.seats.participants).toEqual([bert.welcome!.you]);
  expect(carl.welcome).toBeUndefined();
});

test('when a lease has ended, pages go on as who they were, with the picture that they have', async () => {
  const { clock, bus, owner, a } = await startLinked();
  const anna = await a.enter('Anna');
  const { you } = anna.welcome!;
  await anna.says('name', { id: 1, name: 'Anne' });
  owner.isHere = false;
  owner.server.disconnectAll('elsewhere');
  await arrived(clock);
  owner.access!.close();
  await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await pass(clock, beat);
  expect(anna.all('welcome')).toHaveLength(2);
  expect(anna.welcome!.you).toEqual({ ...you, name: 'Anne' });
  expect(a.opened.map(({ added }) => added.length)).toEqual([1]);
});

/** Has a crowd come back to a new owner. @returns the bytes that go over the bus until all are in */
async function comeBack(crowd: number): Promise<number> {
  const { clock, bus, owner, a } = await startLinked();
  owner.server.admission.setCapacity(crowd);
  const visitors = Array.from({ length: crowd }, (_, i) => a.join(`Guest ${i}`));
  await arrived(clock);
  visitors[0].say('plant', { id: 1, x: 10, y: 10, seed });
  await arrived(clock);
  await owner.tick();
  owner.access!.close();
  const next = await Owner.start(bus, { clock, epoch: 2, hand: owner.hand, isHere: false });
  next.server.admission.setCapacity(crowd);
  for (const visitor of visitors) visitor.heard.length = 0;
  bus.sizes.length = 0;
  next.isHere = true;
  await pass(clock, begin);
  await next.tick();
  const all = next.server.seats.participants.map(({ id }) => id);
  expect(all).toHaveLength(crowd);
  for (const visitor of visitors) {
    const { you, organisms, participants } = visitor.welcome!;
    expect(organisms).toMatchObject([{ planter: { name: 'Guest 0' } }]);
    expect(participants).toContainEqual(you);
    const told = [...participants, ...visitor.all('people').flatMap(({ joined }) => joined)];
    expect([...new Set(told.map(({ id }) => id))].sort((x, y) => x - y)).toEqual(all);
  }
  expect(new Set(visitors.map(({ welcome }) => welcome!.you.id)).size).toBe(crowd);
  return bus.sizes.reduce((sum, size) => sum + size, 0);
}

test('what a crowd costs the bus when it comes back grows with the crowd, not with its square', async () => {
  const few = await comeBack(32);
  expect(await comeBack(128)).toBeLessThan(6 * few);
});
