/** OSC that comes in, also for rooms of other servers, and the socket that sends. */
import { encodeMessage as encodeForBus } from '../../../server/cluster/bus/bus.ts';
import { openOsc, openSender } from '../../../server/osc/open-osc.ts';
import { encodeMessage, int } from '../../../server/osc/osc-codec.ts';
import { OscInput } from '../../../server/osc/osc-input.ts';
import { silentLog } from '../../../server/platform/log.ts';
import {
  DEFAULT_LIMITS,
  RejectionCounts,
} from '../../../server/realtime/limits/connection-limits.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';
import { OscReceiver } from '../../support/receivers.ts';

function open(allowed?: readonly string[]) {
  const rejections = new RejectionCounts();
  const paused: string[] = [];
  const input = new OscInput({
    ...{ allowed, rejections, clock: new FakeClock(), limits: DEFAULT_LIMITS },
    rooms: {
      roomServers: new Map(['hall', 'yard'].map((room) => [room, {} as never])),
      ...{ names: ['hall', 'yard'], isElsewhere: () => false },
    },
    // It is never done.
    pause: (room) => {
      paused.push(room);
      return new Promise(() => {});
    },
  });
  const send = (from: string): void =>
    void input.receive(encodeMessage({ address: '/vivarium/*/pause', args: [int(1)] }), from);
  return { rejections, paused, send };
}

test('what is for all rooms reaches each, also while one does not answer', () => {
  const { paused, send } = open();
  send('127.0.0.1');
  expect(paused).toEqual(['hall', 'yard']);
});

test.each([
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
  ['192.0.2.7', '::ffff:192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['fe80::1', 'fe80::1%eth0'],
])('%s allows the sender %s, and no other', (allowed, sender) => {
  const { rejections, paused, send } = open(['192.0.2.9', allowed]);
  for (const other of ['192.0.2.8', '2001:db8::2', '::ffff:192.0.2.8']) send(other);
  expect([rejections.totals()['wrong-sender'], paused]).toEqual([3, []]);
  send(sender);
  expect(paused).toHaveLength(2);
});

const names = ['hall', 'yard'];

test('it reaches a room wherever it runs, once; no server knows a room that there is not', async () => {
  const [clock, bus] = [new FakeClock(), new LocalBus()];
  const paused: string[] = [];
  const open = async (own: string) => {
    const rejections = new RejectionCounts();
    const osc = await openOsc({
      ...{ out: undefined, in: { host: '127.0.0.1', port: 0 }, bus, clock, rejections },
      ...{ hooks: {} as never, limits: DEFAULT_LIMITS as never, log: {} as never },
      rooms: {
        ...{ names, roomServers: new Map([[own, {} as never]]) },
        isElsewhere: (room) => room !== own && names.includes(room),
      },
      pause: (room) => void paused.push(`${room} at the server of ${own}`),
    });
    afterTest(() => osc.close());
    return { port: osc.port!, rejections };
  };
  const [hall, yard] = [await open('hall'), await open('yard')];
  const box = await OscReceiver.open();
  afterTest(() => box.close());
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((go) => setTimeout(go, 1));
  };
  for (const [room, all] of [
    ['yard', 1],
    ['hall', 2],
    ['*', 4],
  ] as const) {
    box.send(hall.port, `/vivarium/${room}/pause`, int(1));
    await until(() => paused.length >= all);
  }
  box.send(hall.port, '/vivarium/attic/pause', int(1));
  await until(() => hall.rejections.totals()['no-such-room'] > 0);
  // What is no datagram to this release is ignored.
  const datagram = Uint8Array.of(1, 2, 3);
  bus.publish('osc', encodeForBus({ node: 'other', datagram }));
  await new Promise(setImmediate);
  const [inHall, inYard] = ['hall at the server of hall', 'yard at the server of yard'];
  expect(paused.sort()).toEqual([inHall, inHall, inYard, inYard]);
  expect(yard.rejections.totals()['no-such-room']).toBe(0);
});

const LOOK_UP_INTERVAL = 15_000;

test('a host that is unknown at first is found later, and followed to another address', async () => {
  const box = await OscReceiver.open();
  afterTest(() => box.close());
  const clock = new FakeClock();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
  let address: string | undefined;
  const find = async () => {
    if (address === undefined) throw new Error('unknown');
    return { address, family: 4 };
  };
  const sender = openSender({ host: 'lights.local', port: box.port }, clock, log, find);
  const say = (word: string): void => sender.send(encodeMessage({ address: word, args: [] }));
  await clock.advance(3 * LOOK_UP_INTERVAL);
  say('/lost');
  expect(warnings).toEqual(['osc-not-sent']);

  address = '192.0.2.1';
  await clock.advance(LOOK_UP_INTERVAL);
  address = '127.0.0.1';
  await clock.advance(LOOK_UP_INTERVAL);
  say('/first');
  await box.next('/first');

  // Names are unknown again; the address is still the right one.
  address = undefined;
  await clock.advance(3 * LOOK_UP_INTERVAL);
  say('/second');
  await box.next('/second');
  expect(box.heard.map((message) => message.address)).toEqual(['/first', '/second']);
  expect(warnings).toHaveLength(1);
  await sender.close();
  expect(clock.waiting).toBe(0);
});

test('an address is not looked up again', async () => {
  const clock = new FakeClock();
  const sender = openSender({ host: '::1', port: 9 }, clock, silentLog);
  await clock.advance(LOOK_UP_INTERVAL);
  expect(clock.waiting).toBe(0);
  await sender.close();
});
