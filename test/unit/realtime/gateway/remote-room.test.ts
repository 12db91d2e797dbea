import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage } from '../../../../server/cluster/bus/bus.ts';
import { busChannels, GATEWAY_TIMES } from '../../../../server/realtime/gateway/messages.ts';
import { RemoteSession } from '../../../../server/realtime/gateway/remote-room.ts';
import { Allowance, DEFAULT_LIMITS } from '../../../../server/realtime/limits/connection-limits.ts';
import { TableRings } from '../../../../server/realtime/sessions/table-rings.ts';
import type { Event } from '../../../../shared/protocol/events.ts';
import { POINTER_INTERVAL, unpackPointer } from '../../../../shared/protocol/pointers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import { arrived, Gateway, Owner, pass, TABLE } from '../../../support/remote-rooms.ts';
import { HandRoom } from '../../../support/rooms.ts';
import { LossyBus, startLinked } from './linked-rooms.ts';

/** Connections of one server in a room of another. */

const { beat, begin, silence } = GATEWAY_TIMES;
const seed = { from: 'gallery', index: 0 } as const;

/** Servers of a later release: each message has a field and an item more, and each item a field. */
class LaterBus extends LocalBus {
  /** Links that were opened. */
  openings = 0;

  override publish(...[channel, bytes]: Parameters<Bus['publish']>): void {
    const message = decodeMessage(v.looseObject({ number: v.optional(v.number()) }), bytes) as
      | { items?: object[]; number?: number }
      | undefined;
    if (!message?.items) {
      super.publish(channel, bytes);
      return;
    }
    if (channel === busChannels('test').toRoom && message.number === 0) this.openings++;
    const items = [{ what: 'later' }, ...message.items.map((item) => ({ ...item, later: 1 }))];
    super.publish(channel, encodeMessage({ ...message, items, later: 1 }));
  }
}

test('what a later release says besides is ignored, and costs nobody the link', async () => {
  const [clock, bus] = [new FakeClock(), new LaterBus()];
  const owner = await Owner.start(bus, { clock });
  const gateway = new Gateway(bus, clock, 'a');
  await arrived(clock);
  const anna = await gateway.enter('Anna');
  await anna.says('plant', { id: 77, x: 10, y: 10, seed });
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
    if (channel === busChannels('test').news) told++;
    return false;
  };
  const owner = await Owner.start(bus, { clock, isHere: false });
  await clock.advance(2 * begin);
  expect(told).toBe(0);
  owner.isHere = true;
  await clock.advance(begin);
  expect(told).toBe(1);
});

test('a command that the room refuses is refused with its own id, and one that is malformed too', async () => {
  const { owner, a } = await startLinked();
  const anna = await a.enter('Anna');
  await anna.says('beacon', { id: 5, organism: 99 });
  expect(anna.heard.at(-1)).toEqual({
    name: 'refused',
    message: { reason: 'no-such-organism', id: 5 },
  });
  await anna.says('plant', { id: 6, x: 0.5, y: 0, seed });
  expect(anna.heard.at(-1)).toEqual({ name: 'refused', message: { reason: 'bad-message', id: 6 } });
  expect(owner.server.seats.size).toBe(1);
});

test('an answer to what the page has not asked for reaches it, as of a drawing sent before a reload', async () => {
  const { clock, owner, a } = await startLinked();
  const anna = await a.enter('Anna');
  const client = owner.server.seats.memberOf(anna.welcome!.you.id)!;
  client.send('accepted', { id: 0 });
  client.send('rejected', { id: 0, reason: 'not-here' });
  await arrived(clock);
  expect(anna.all('accepted')).toEqual([{ id: 0 }]);
  expect(anna.all('rejected')).toEqual([{ id: 0, reason: 'not-here' }]);
});

test('a place that becomes free during a tick is given when the tick ends, and who comes waits as long', async () => {
  const { clock, owner, a } = await startLinked();
  const guests = Array.from({ length: 9 }, (_, i) => a.join(`${i}`));
  await arrived(clock);
  const next = guests[8];
  expect(next.all('waiting')).toHaveLength(1);
  owner.server.tickInProgress.begin();
  guests[0].session.leave();
  const wall = await a.enter('', { as: 'wall' });
  expect([next.welcome, wall.all('wall')]).toEqual([undefined, []]);
  await owner.tick();
  expect(next.welcome).toMatchObject({ you: { name: '8' }, room: { tick: owner.room.tick } });
  expect(wall.all('wall')).toHaveLength(1);
});

test('who comes during the last tick of a room that stops is refused', async () => {
  const { clock, owner, a } = await startLinked();
  owner.server.tickInProgress.begin();
  const anna = await a.enter('Anna');
  owner.isHere = false;
  owner.server.disconnectAll('elsewhere');
  await arrived(clock);
  expect(owner.server.seats.size).toBe(0);
  expect(anna.welcome).toBeUndefined();
  expect(owner.server.tickInProgress.ended).toBeUndefined();
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
  await pass(clock, beat);
  const carl = await gateway.enter('Carl');
  expect(carl.welcome).toBeDefined();
});

test('what is for everybody goes to a server once, however many connections it has', async () => {
  const { clock, bus, owner, a } = await startLinked();
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

test('a refused command without an id is refused, and whoever sent it stays', async () => {
  const { owner, a } = await startLinked();
  const watching = await a.enter('', { as: 'spectator' });
  watching.say('busy', { busy: true });
  await watching.says('busy', { busy: true });
  expect(watching.all('rejected').map(({ reason }) => reason)).toEqual([
    'only-watches',
    'only-watches',
  ]);
  expect(watching.heard.map(({ name }) => name)).not.toContain('disconnected');
  expect(a.room.size).toBe(1);
  await watching.leaves();
  expect(owner.server.spectators.size).toBe(0);
});

test('a refused join is forgotten where the room runs', async () => {
  const { clock, owner, a } = await startLinked();
  owner.server.policy.isClosed = true;
  const [anna, eva] = [a.join('Anna'), a.join('', { as: 'spectator' })];
  await arrived(clock);
  const refused = { name: 'refused', message: { reason: 'room-closed' } };
  expect([anna.heard, eva.heard]).toEqual([[refused], [refused]]);
  expect(owner.access!.connections.size).toBe(0);
});

test('a join that a server has given up leaves its place in the room', async () => {
  const { clock, bus, owner, a } = await startLinked();
  // The room hears the server, but not the other way round.
  bus.loses = (channel) => !channel.endsWith(':in');
  const anna = await a.enter('Anna');
  expect(owner.server.seats.size).toBe(1);
  await pass(clock, silence + beat);
  expect(anna.heard).toEqual([{ name: 'refused', message: { reason: 'elsewhere' } }]);
  expect(owner.server.seats.size).toBe(0);
  expect(owner.access!.connections.size).toBe(0);
});

test('what a page showed when it came counts for its first frames only', async () => {
  const { clock, owner, a } = await startLinked();
  const anna = await a.enter('Anna', { holds: Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0) });
  // As after the host has taken something back.
  owner.server.admission.resendWelcomes();
  await arrived(clock);
  expect(a.opened[0].added).toEqual([
    { viewer: anna, held: Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0) },
    { viewer: anna, held: undefined },
  ]);
});

test('a room that is made anew with another size has a picture', async () => {
  const { clock, bus, owner, a } = await startLinked();
  await a.enter('Anna');
  owner.server.disconnectAll('room-closed');
  owner.access!.close();
  const hand = new HandRoom({ width: 64, height: 32 });
  await Owner.start(bus, { clock, epoch: 2, hand });
  await clock.advance(beat);
  const bert = await a.enter('Bert');
  expect(a.opened).toMatchObject([
    { isClosed: true },
    { size: { width: 64, height: 32 }, added: [{ viewer: bert }], isClosed: false },
  ]);
});

test('where visitors point goes to the room together, and only the latest place of each', async () => {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const owner = await Owner.start(bus, { clock });
  const gateway = new Gateway(bus, clock, 'a');
  await arrived(clock);
  const [anna, bert] = [gateway.join('Anna'), gateway.join('Bert')];
  const wall = await gateway.enter('', { as: 'wall' });
  let messages = 0;
  await bus.subscribe(busChannels('test').toRoom, () => {
    messages++;
  });
  for (const x of [1, 2, 3.3]) {
    anna.say('cursor', { x, y: 4, tool: 'plant' });
    await bert.says('cursor', x < 3 ? { x: 9, y: 9, tool: 'damage' } : { tool: 'look' });
  }
  expect(messages).toBe(1);
  await pass(clock, POINTER_INTERVAL);
  expect(messages).toBe(2);
  await owner.tick();
  expect(wall.all('cursors').map((told) => told.map(unpackPointer))).toEqual([
    [
      { id: anna.welcome!.you.id, x: 3.25, y: 4, tool: 'plant' },
      { id: bert.welcome!.you.id, tool: 'look' },
    ],
  ]);
});

/** A touch table at one server, whose room another server runs. */

describe('table rings', () => {
  const seed = { from: 'gallery', index: 0 } as const;

  async function setUp() {
    const linked = await startLinked();
    const { a, clock } = linked;
    const table = await a.enter('', { ...TABLE, session: 7 });
    const told: Event<'ring'>[] = [];
    let connections = 100;
    const rings = new TableRings({
      rooms: { open: (_, client) => new RemoteSession(++connections, client, a.room) },
      ...{ room: 'test', pass: TABLE.pass },
      newAllowance: () => new Allowance(DEFAULT_LIMITS, clock),
      send: (message) => told.push(message),
    });
    const of = <N extends Event<'ring'>['name']>(ring: number, name: N) =>
      told
        .filter((one) => one.ring === ring && one.name === name)
        .map(({ message }) => message as Record<string, unknown>);
    const plant = (ring: number, id: number, x: number): void =>
      rings.handle('ring', { ring, name: 'plant', message: { id, x, y: 10, seed } });
    for (const ring of [0, 1]) rings.handle('enter', { ring, session: 3 });
    await arrived(clock);
    return { ...linked, table, rings, told, of, plant };
  }

  test('after a fail-over, rings go on as who they were, and their commands are executed once', async () => {
    const { clock, bus, owner, table, of, plant } = await setUp();
    const before = [0, 1].map((ring) => of(ring, 'seated')[0].you);
    // The owner ends before it has answered.
    plant(1, 5, 20);
    await arrived(clock);
    owner.isHere = false;
    owner.access!.close();
    const next = await Owner.start(bus, { clock, epoch: 2, hand: owner.hand });
    await pass(clock, GATEWAY_TIMES.beat);
    expect(table.all('wall')).toHaveLength(2);
    expect([0, 1].map((ring) => of(ring, 'seated').at(-1)!.you)).toEqual(before);
    expect(next.server.seats.participants).toEqual(before);
    await next.tick();
    expect(of(1, 'accepted')).toMatchObject([{ id: 5 }]);
    expect(next.room.organisms).toHaveLength(1);
  });
});
