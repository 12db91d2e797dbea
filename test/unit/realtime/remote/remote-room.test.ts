/** Connections of one server in a room of another, over a bus that may lose messages. */
import * as v from 'valibot';
import type { Bus } from '../../../../server/bus/bus.ts';
import { decodeMessage, encodeMessage } from '../../../../server/bus/bus-messages.ts';
import { LocalBus } from '../../../../server/bus/local-bus.ts';
import { roomChannel } from '../../../../server/realtime/remote/messages.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { arrived, Gateway, Owner } from '../../../support/remote-rooms.ts';
import { HandRoom } from '../../../support/rooms.ts';

const { beat, begin, silence } = DEFAULTS.cluster.sessions;
const seed = { from: 'gallery', index: 0 } as const;

/** Servers of a later release: each message has a field and an item more, and each item a field. */
class LaterBus extends LocalBus {
  /** Links that were opened. */
  openings = 0;

  override publish(...[channel, bytes]: Parameters<Bus['publish']>): void {
    const message = decodeMessage(v.looseObject({}), bytes) as { items?: object[] } | undefined;
    if (!message?.items) {
      super.publish(channel, bytes);
      return;
    }
    if (channel === roomChannel('test') && 'opening' in message) this.openings++;
    const items = [{ what: 'later' }, ...message.items.map((item) => ({ ...item, later: 1 }))];
    super.publish(channel, encodeMessage({ ...message, items, later: 1 }));
  }
}

/** A bus whose messages a test counts and loses. */
class LossyBus extends LocalBus {
  loses: (channel: string) => boolean = () => false;
  readonly sizes: number[] = [];

  override publish(...[channel, message]: Parameters<Bus['publish']>): void {
    this.sizes.push(message.length);
    if (!this.loses(channel)) super.publish(channel, message);
  }
}

async function start() {
  const clock = new FakeClock();
  const bus = new LossyBus();
  const owner = await Owner.start(bus, { clock });
  const [a, b] = [new Gateway(bus, clock, 'a'), new Gateway(bus, clock, 'b')];
  await arrived(clock);
  return { clock, bus, owner, a, b };
}

test('visitors of two servers see each other, and what each of them plants', async () => {
  const { clock, owner, a, b } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  const bert = b.join('Bert');
  await arrived(clock);
  expect(bert.welcome).toMatchObject({
    you: { name: 'Bert' },
    participants: [{ name: 'Anna' }, {}],
  });
  await owner.tick();
  expect(anna.all('people').at(-1)).toMatchObject({ joined: [{ name: 'Bert' }], left: [] });
  anna.say('plant', { id: 77, x: 10, y: 10, seed });
  await arrived(clock);
  await owner.tick();
  expect(anna.all('accepted')).toMatchObject([{ id: 77 }]);
  expect(bert.all('accepted')).toEqual([]);
  const born = [{ what: 'born', organism: { planter: { name: 'Anna' } } }];
  expect(bert.all('life')).toMatchObject([{ events: born }]);
  expect(anna.all('life')).toMatchObject([{ events: born }]);
});

test('what a later release says besides is ignored, and costs nobody the link', async () => {
  const [clock, bus] = [new FakeClock(), new LaterBus()];
  const owner = await Owner.start(bus, { clock });
  const gateway = new Gateway(bus, clock, 'a');
  await arrived(clock);
  const anna = gateway.join('Anna');
  await arrived(clock);
  anna.say('plant', { id: 77, x: 10, y: 10, seed });
  await arrived(clock);
  await owner.tick();
  await clock.advance(3 * beat);
  expect(anna.all('accepted')).toMatchObject([{ id: 77 }]);
  expect(bus.openings).toBe(1);
});

test('an owner that may not show the room yet tells only then that it runs here', async () => {
  const clock = new FakeClock();
  const bus = new LossyBus();
  let told = 0;
  bus.loses = (channel) => {
    if (channel === 'frames:test:tick') told++;
    return false;
  };
  const owner = await Owner.start(bus, { clock, isHere: false });
  await clock.advance(2 * begin);
  expect(told).toBe(0);
  owner.isHere = true;
  await clock.advance(begin);
  expect(told).toBe(1);
  await clock.advance(2 * beat);
  expect(told).toBe(1);
});

test('a command that the room refuses is refused with its own id, and one that is malformed too', async () => {
  const { clock, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  anna.say('beacon', { id: 5, organism: 99 });
  await arrived(clock);
  expect(anna.heard.at(-1)).toEqual({
    name: 'refused',
    message: { reason: 'no-such-organism', id: 5 },
  });
  anna.say('plant', { id: 6, x: 0.5, y: 0, seed });
  await arrived(clock);
  expect(anna.heard.at(-1)).toEqual({ name: 'refused', message: { reason: 'bad-message', id: 6 } });
  expect(owner.server.size).toBe(1);
});

test('who leaves has a reserved slot, and comes back at another server as who they were', async () => {
  const { clock, owner, a, b } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  anna.session.leave();
  await arrived(clock);
  expect(owner.server.size).toBe(0);
  const back = b.join('Anna', { resume: anna.welcome!.resume });
  await arrived(clock);
  expect(back.welcome!.you.id).toBe(anna.welcome!.you.id);
});

test('the participants of a server that has fallen silent leave', async () => {
  const { clock, bus, owner, a, b } = await start();
  a.join('Anna');
  b.join('Bert');
  await clock.advance(beat);
  await arrived(clock);
  expect(owner.server.size).toBe(2);
  a.room.close();
  bus.loses = (channel) => channel.includes('a-');
  await clock.advance(silence + beat);
  expect(owner.server.slots.participants).toMatchObject([{ name: 'Bert' }]);
});

test('a new owner gets everybody back as who they were, and does once what was not answered', async () => {
  const { clock, bus, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  anna.say('name', { id: 1, name: 'Anne' });
  await arrived(clock);
  const { you } = anna.welcome!;
  // The room goes on elsewhere from what is kept: its state.
  owner.isHere = false;
  anna.say('plant', { id: 2, x: 10, y: 10, seed });
  await arrived(clock);
  owner.access!.close();
  const next = await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await clock.advance(beat);
  await arrived(clock);
  expect(anna.all('welcome')).toHaveLength(2);
  expect(anna.welcome!.you).toEqual({ ...you, name: 'Anne' });
  expect(anna.heard.map(({ name }) => name)).not.toContain('disconnected');
  await next.tick();
  expect(anna.all('accepted').map(({ id }) => id)).toEqual([1, 2]);
  expect(next.room.organisms).toHaveLength(1);
  anna.say('plant', { id: 3, x: 20, y: 10, seed });
  await arrived(clock);
  await next.tick();
  expect(anna.all('accepted').map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('when an answer is lost, everybody joins again, and nothing is done twice', async () => {
  const { clock, bus, owner, a } = await start();
  const anna = a.join('Anna');
  const wall = a.join('', { as: 'wall' });
  await arrived(clock);
  anna.say('plant', { id: 9, x: 10, y: 10, seed });
  await arrived(clock);
  bus.loses = (channel) => channel.startsWith('session:link');
  await owner.tick();
  expect(anna.all('accepted')).toEqual([]);
  bus.loses = () => false;
  await clock.advance(2 * beat);
  await arrived(clock);
  await owner.tick();
  expect(anna.all('accepted')).toMatchObject([{ id: 9 }]);
  expect(owner.room.organisms).toHaveLength(1);
  expect(anna.all('welcome').map(({ you }) => you.id)).toEqual([1, 1]);
  expect(wall.all('wall')).toHaveLength(2);
  expect([owner.server.size, owner.server.walls.size]).toEqual([1, 1]);
});

test('a command that is lost on its way is sent again', async () => {
  const { clock, bus, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  bus.loses = (channel) => channel.endsWith(':in');
  anna.say('plant', { id: 4, x: 10, y: 10, seed });
  await arrived(clock);
  bus.loses = () => false;
  await clock.advance(2 * beat);
  await arrived(clock);
  await owner.tick();
  expect(anna.all('accepted')).toMatchObject([{ id: 4 }]);
});

test('an owner that goes on after another one has the room is not heard', async () => {
  const { clock, bus, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  const next = await Owner.start(bus, { clock, epoch: 2, hand: new HandRoom() });
  await clock.advance(beat);
  await arrived(clock);
  expect(next.server.size).toBe(1);
  const before = anna.heard.length;
  owner.server.host.setEnergy(DEFAULTS.energy);
  owner.server.broadcastSettings();
  await owner.tick();
  expect(anna.heard).toHaveLength(before);
});

test('where no server has the room, a join is refused, and the page may try again', async () => {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const gateway = new Gateway(bus, clock, 'a');
  const anna = gateway.join('Anna');
  await clock.advance(silence + beat);
  expect(anna.heard).toEqual([{ name: 'refused', message: { reason: 'elsewhere' } }]);
  expect(() => gateway.join('Bert')).toThrow('elsewhere');
  await Owner.start(bus, { clock });
  await clock.advance(beat);
  await arrived(clock);
  const carl = gateway.join('Carl');
  await arrived(clock);
  expect(carl.welcome).toBeDefined();
});

test('what is for everybody goes to a server once, however many connections it has', async () => {
  const { clock, bus, owner, a } = await start();
  const visitors = Array.from({ length: 8 }, (_, i) => a.join(`${i}`));
  await arrived(clock);
  await owner.tick();
  bus.sizes.length = 0;
  owner.server.broadcastSettings();
  await arrived(clock);
  expect(bus.sizes).toHaveLength(1);
  const one = bus.sizes[0];
  for (const visitor of visitors.slice(2)) visitor.session.leave();
  await arrived(clock);
  await owner.tick();
  bus.sizes.length = 0;
  owner.server.broadcastSettings();
  await arrived(clock);
  expect(bus.sizes).toEqual([one]);
});

test('who is in a room that is closed is told so, even if the message is lost', async () => {
  const { clock, bus, owner, a, b } = await start();
  const [anna, bert] = [a.join('Anna'), b.join('Bert')];
  const wall = a.join('', { as: 'wall' });
  await arrived(clock);
  bus.loses = (channel) => channel.startsWith('session:link:b-');
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
  const { clock, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  owner.server.disconnectAll('elsewhere');
  owner.access!.close();
  await clock.advance(2 * silence);
  expect(anna.heard.map(({ name }) => name)).not.toContain('disconnected');
});

test('a refused command without an id is refused, and whoever sent it stays', async () => {
  const { clock, owner, a } = await start();
  const watching = a.join('', { as: 'spectator' });
  await arrived(clock);
  watching.say('busy', { busy: true });
  watching.say('busy', { busy: true });
  await arrived(clock);
  expect(watching.all('rejected').map(({ reason }) => reason)).toEqual([
    'only-watches',
    'only-watches',
  ]);
  expect(watching.heard.map(({ name }) => name)).not.toContain('disconnected');
  expect(a.room.size).toBe(1);
  watching.session.leave();
  await arrived(clock);
  expect(owner.server.spectators.size).toBe(0);
});

test('a refused join is forgotten where the room runs', async () => {
  const { clock, owner, a } = await start();
  owner.server.policy.isClosed = true;
  const [anna, eva] = [a.join('Anna'), a.join('', { as: 'spectator' })];
  await arrived(clock);
  const refused = { name: 'refused', message: { reason: 'room-closed' } };
  expect([anna.heard, eva.heard]).toEqual([[refused], [refused]]);
  expect(owner.access!.connections.size).toBe(0);
});

test('a join that a server has given up leaves its place in the room', async () => {
  const { clock, bus, owner, a } = await start();
  // The room hears the server, but not the other way round.
  bus.loses = (channel) => !channel.endsWith(':in');
  const anna = a.join('Anna');
  await arrived(clock);
  expect(owner.server.size).toBe(1);
  await clock.advance(silence + beat);
  await arrived(clock);
  expect(anna.heard).toEqual([{ name: 'refused', message: { reason: 'elsewhere' } }]);
  expect(owner.server.size).toBe(0);
  expect(owner.access!.connections.size).toBe(0);
});

test('what a page showed when it came counts for its first frames only', async () => {
  const { clock, owner, a } = await start();
  const anna = a.join('Anna', { holds: Uint8Array.of(1, 0, 2, 0) });
  await arrived(clock);
  // As after the host has taken something back.
  owner.server.admission.resendWelcomes();
  await arrived(clock);
  expect(a.opened[0].added).toEqual([
    { viewer: anna, held: [1, 2] },
    { viewer: anna, held: undefined },
  ]);
});

test('a frame that is drawn before the welcome of a new link confirms no resume token', async () => {
  const { clock, bus, owner, a, b } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  anna.say('received', { tick: 1 });
  await clock.advance(beat);
  await arrived(clock);
  const { resume, you } = anna.welcome!;
  bus.loses = (channel) => channel.startsWith('session:link');
  anna.say('received', { tick: 2 });
  owner.access!.close();
  await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await clock.advance(beat);
  anna.say('received', { tick: 3 });
  await clock.advance(beat);
  await arrived(clock);
  expect(anna.all('welcome')).toHaveLength(1);
  bus.loses = () => false;
  const back = b.join('Anna', { resume });
  await clock.advance(beat);
  await arrived(clock);
  expect(back.welcome!.you.id).toBe(you.id);
});

test('a room that is made anew with another size has a picture', async () => {
  const { clock, bus, owner, a } = await start();
  a.join('Anna');
  await arrived(clock);
  owner.server.disconnectAll('room-closed');
  owner.access!.close();
  const hand = new HandRoom({ width: 64, height: 32 });
  await Owner.start(bus, { clock, epoch: 2, hand });
  await clock.advance(beat);
  const bert = a.join('Bert');
  await arrived(clock);
  expect(a.opened).toMatchObject([
    { isClosed: true },
    { size: { width: 64, height: 32 }, added: [{ viewer: bert }], isClosed: false },
  ]);
});

test('what the room would do twice is refused after a lost answer', async () => {
  const { clock, bus, owner, a, b } = await start();
  const [anna, bert] = [a.join('Anna'), b.join('Bert')];
  await arrived(clock);
  anna.say('plant', { id: 1, x: 10, y: 10, seed });
  await arrived(clock);
  await owner.tick();
  const [{ id: organism }] = owner.room.organisms;
  bus.loses = (channel) => channel.startsWith('session:link:a-');
  anna.say('beacon', { id: 2, organism });
  await arrived(clock);
  bus.loses = () => false;
  await clock.advance(2 * beat);
  await arrived(clock);
  expect(anna.heard.filter(({ name }) => name === 'refused')).toEqual([
    { name: 'refused', message: { reason: 'room-busy', id: 2 } },
  ]);
  expect(bert.all('beacon')).toHaveLength(1);
});

test('after a new welcome, a page that is zoomed out is sent its whole picture again', async () => {
  const { clock, bus, owner, a } = await start();
  const [near, far] = [a.join('near'), a.join('far')];
  await arrived(clock);
  const view = { x: 0, y: 0, width: 32, height: 24, best: 'full', hidden: false } as const;
  near.say('look', { ...view, pixels: 2 });
  far.say('look', { ...view, pixels: 0.5 });
  bus.loses = (channel) => channel.startsWith('session:link');
  owner.server.broadcastSettings();
  await arrived(clock);
  bus.loses = () => false;
  await clock.advance(2 * beat);
  await arrived(clock);
  expect(near.all('welcome')).toHaveLength(2);
  expect(a.opened[0].resynced).toMatchObject([{ viewer: far }]);
});

test('in a full room, those who watch or wait keep their places over a new link', async () => {
  const { clock, bus, owner, a, b } = await start();
  owner.server.admission.setCapacity(1);
  const anna = a.join('Anna');
  await arrived(clock);
  const waiting = ['Bert', 'Carl'].map((name) => a.join(name));
  await arrived(clock);
  const last = b.join('Dora');
  const { maxWalls } = DEFAULTS.room;
  const walls = Array.from({ length: maxWalls }, () => a.join('', { as: 'wall' }));
  await arrived(clock);
  bus.loses = (channel) => channel.startsWith('session:link:a-');
  owner.server.broadcastSettings();
  await arrived(clock);
  bus.loses = () => false;
  await clock.advance(2 * beat);
  await arrived(clock);
  await owner.tick();
  for (const wall of walls) {
    expect(wall.all('wall')).toHaveLength(2);
    expect(wall.heard.map(({ name }) => name)).not.toContain('disconnected');
  }
  expect(owner.server.walls.size).toBe(maxWalls);
  expect([...waiting, last].map((one) => one.all('waiting').at(-1)!.ahead)).toEqual([0, 1, 2]);
  anna.session.leave();
  await arrived(clock);
  expect(waiting[0].welcome!.you.name).toBe('Bert');
});

test('when a lease has ended, pages go on with the picture that they have', async () => {
  const { clock, bus, owner, a } = await start();
  const anna = a.join('Anna');
  await arrived(clock);
  owner.isHere = false;
  owner.server.disconnectAll('elsewhere');
  await arrived(clock);
  owner.access!.close();
  await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
  await clock.advance(beat);
  await arrived(clock);
  expect(anna.all('welcome')).toHaveLength(2);
  expect(a.opened.map(({ added }) => added.length)).toEqual([1]);
});
