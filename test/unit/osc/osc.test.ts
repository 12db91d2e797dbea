import { readFileSync } from 'node:fs';
import { encodeMessage as encodeForBus } from '../../../server/cluster/bus/bus.ts';
import type { RoomLifeEvent } from '../../../server/extensions/extension.ts';
import { openOsc, openSender } from '../../../server/osc/open-osc.ts';
import {
  decodeOsc,
  encodeBundle,
  encodeMessage,
  float,
  int,
  type OscArgument,
  OscError,
  type OscMessage,
  text,
} from '../../../server/osc/osc-codec.ts';
import { OscInput } from '../../../server/osc/osc-input.ts';
import { OscOutput, OUTPUT } from '../../../server/osc/osc-output.ts';
import { silentLog } from '../../../server/platform/log.ts';
import {
  DEFAULT_LIMITS,
  RejectionCounts,
} from '../../../server/realtime/limits/connection-limits.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';
import { OscReceiver } from '../../support/receivers.ts';

const bytes = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words, 'latin1'));

/** A bundle of elements that are bytes already. */
function bundle(...elements: readonly Uint8Array[]): Uint8Array {
  const parts = elements.flatMap((one) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(one.length);
    return [size, one];
  });
  return Uint8Array.from(Buffer.concat([bytes('#bundle\0\0\0\0\0\0\0\0\x01'), ...parts]));
}

const word = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((some) => some.replaceAll('\0', ''));
const argument: fc.Arbitrary<OscArgument> = fc.oneof(
  fc.integer().map(int),
  fc.float({ noNaN: true }).map(float),
  word.map(text),
  fc.double({ noNaN: true }).map((value) => ({ type: 'double' as const, value })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ type: 'bigint' as const, value })),
  fc.constantFrom<OscArgument>({ type: 'true', value: true }, { type: 'false', value: false }),
);
const message: fc.Arbitrary<OscMessage> = fc.record({
  address: word.map((some) => `/${some}`),
  args: fc.array(argument, { maxLength: 6 }),
});
/** Bytes, and the messages in them. */
const packet = fc.array(message, { maxLength: 4 }).map((messages) => ({
  messages,
  // The last two in a bundle of their own.
  written: bundle(
    ...messages.slice(0, -2).map(encodeMessage),
    encodeBundle(messages.slice(Math.max(0, messages.length - 2))),
  ),
}));

test("messages are encoded as in the specification's examples", () => {
  expect(encodeMessage({ address: '/oscillator/4/frequency', args: [float(440)] })).toEqual(
    bytes('/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0'),
  );
  expect(
    encodeMessage({
      address: '/foo',
      args: [int(1000), int(-1), text('hello'), float(1.234), float(5.678)],
    }),
  ).toEqual(
    bytes(
      '/foo\0\0\0\0,iisff\0\0\0\0\x03\xe8\xff\xff\xff\xffhello\0\0\0\x3f\x9d\xf3\xb6\x40\xb5\xb2\x2d',
    ),
  );
  expect(encodeBundle([{ address: '/a', args: [] }])).toEqual(
    bytes('#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0'),
  );
});

test('encoded messages are decoded in order, however they are bundled', () => {
  forAll(message, (one) => {
    const written = encodeMessage(one);
    expect(written.length % 4).toBe(0);
    expect(decodeOsc(written)).toEqual([one]);
  });
  forAll(packet, ({ messages, written }) => {
    expect(decodeOsc(written)).toEqual(messages);
  });
});

test('a message without a type string has no values', () => {
  expect(decodeOsc(bytes('/go\0'))).toEqual([{ address: '/go', args: [] }]);
});

test('values that OSC cannot represent are refused', () => {
  expect(() => encodeMessage({ address: '/foo', args: [text('a\0b')] })).toThrow('NULL');
  expect(() => int(2 ** 31)).toThrow(RangeError);
  expect(() => int(0.5)).toThrow(RangeError);
});

test.each([
  ['nothing', ''],
  ['no address', 'foo\0'],
  ['an address without end', '/foo'],
  ['no types', '/foo\0\0\0\0foo\0'],
  ['an unknown type', '/foo\0\0\0\0,?\0\0'],
  ['a missing value', '/foo\0\0\0\0,i\0\0'],
  ['a blob longer than the packet', '/foo\0\0\0\0,b\0\0\x7f\xff\xff\xff'],
  ['a blob of negative length', '/foo\0\0\0\0,b\0\0\xff\xff\xff\xf0'],
  ['a bundle without time', '#bundle\0'],
  ['a bundle that ends in a size', '#bundle\0\0\0\0\0\0\0\0\x01\0\0'],
  ['an element longer than its bundle', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x40'],
  ['an element of no length', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\0'],
  ['a broken element', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x0c/foo\0\0\0\0,?\0\0'],
  ['a bundle by another name', '\xef\xbb\xbf#bundle\0\0\0\0\0\0\0\0\0\x01'],
])('%s is refused, wherever it lies in its buffer', (_, sent) => {
  const pool = new Uint8Array(4_096).fill(7);
  pool.set(bytes(sent), 100);
  for (const one of [bytes(sent), pool.subarray(100, 100 + sent.length)]) {
    expect(() => decodeOsc(one)).toThrow(expect.objectContaining({ reason: 'malformed' }));
  }
});

test('bundles too deep or too full, and messages of too many values, are refused', () => {
  const one: OscMessage = { address: '/a', args: [] };
  let deep = encodeMessage(one);
  for (let i = 0; i < 3_000; i++) {
    deep = bundle(deep);
    if (i === 3) expect(decodeOsc(deep)).toEqual([one]);
    if (i === 4 || i === 2_999) {
      expect(() => decodeOsc(deep)).toThrow(expect.objectContaining({ reason: 'too-deep' }));
    }
  }
  const full = (count: number) => encodeBundle(Array.from({ length: count }, () => one));
  expect(decodeOsc(full(256))).toHaveLength(256);
  // Bundles that hold nothing count as well.
  const empty = bundle(...Array.from({ length: 257 }, () => encodeBundle([])));
  const many = encodeMessage({ address: '/a', args: Array.from({ length: 257 }, () => int(1)) });
  for (const packed of [full(257), empty, many]) {
    expect(() => decodeOsc(packed)).toThrow(expect.objectContaining({ reason: 'too-many' }));
  }
});

test('any bytes are decoded or refused with an OscError', () => {
  const readOrRefuse = (some: Uint8Array): void => {
    try {
      decodeOsc(some);
    } catch (error) {
      expect(error).toBeInstanceOf(OscError);
    }
  };
  forRuns(2_000, fc.uint8Array({ maxLength: 80 }), readOrRefuse);
  // Real packets with some bytes changed, cut or put in.
  const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
  forRuns(
    2_000,
    packet,
    fc.array(change, { maxLength: 4 }),
    fc.nat(8),
    ({ written }, changes, cut) => {
      const some = written.slice();
      for (const { at, byte } of changes) some[at % some.length] = byte;
      readOrRefuse(some.subarray(0, some.length - cut));
      readOrRefuse(Uint8Array.from([...some, ...some.subarray(0, cut)]));
    },
  );
});

/** OSC that comes in, also for rooms of other servers, and the socket that sends. */

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

/** Messages are sent within limits; OSC.md, these messages, and the sketches agree. */

const read = (file: string): string =>
  readFileSync(new URL(`../../../server/osc/${file}`, import.meta.url), 'utf8');

/** The rows of a section of OSC.md: address and values. */
function rows(part: string): { address: string; values: string[] }[] {
  const text = read('OSC.md')
    .split(/^## /m)
    .find((one) => one.startsWith(part))!;
  const found = text.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm);
  return [...found].map(([, address, values]) => ({ address, values: values.split(', ') }));
}

/** Sends every kind of message once. */
function sentMessages(): { address: string; types: string[] }[] {
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), new FakeClock());
  const room = 'garden';
  const happenings: RoomLifeEvent[] = [
    { what: 'born', organism: { id: 1, x: 1, y: 1, kind: 'Taco', planter: { hue: 3 } } as never },
    { what: 'grown', id: 1 },
    { what: 'wounded', id: 1, by: 1, wounds: 1 },
    { what: 'healed', id: 1, healed: 1 },
    { what: 'sensed', id: 1 },
    { what: 'expressing', id: 1, kind: 'Taco' },
    { what: 'transformed', id: 1, by: 1, kind: 'Taco', origin: 'gallery', parents: [] },
    { what: 'grafted', id: 1, by: 1, kind: 'Taco', parts: [] },
    { what: 'departing', id: 1 },
    { what: 'renewed', id: 1, phase: 'awake' },
    { what: 'died', id: 1, cause: 'broken' },
    { what: 'crossed', parents: [1, 2], by: 1, seed: 1 },
    { what: 'generation', number: 2, heirs: [3, 4] },
  ];
  out.onRoomOpened({ room, width: 1, height: 1 } as never);
  for (const event of happenings) out.onLife({ room, tick: 1, event });
  out.onFigures({
    ...{ room, tick: 1, organisms: 1, awake: 1, people: 1, tickRate: 15, actual: 15, slow: false },
    ...{ colour: [0, 0, 0], living: 0 },
  });
  out.refused(room, 'plant', 'off-grid');
  for (let i = 0; i < 2_000; i++) out.onLife({ room, tick: 1, event: { what: 'grown', id: 1 } });
  (out as unknown as { rate: { take: () => boolean } }).rate.take = () => true;
  out.onTick({ room } as never);
  const messages = sent.flatMap(decodeOsc);
  const byAddress = new Map(messages.map((one) => [one.address.split('/')[3], one]));
  return [...byAddress].map(([address, { args }]) => ({
    address,
    types: args.map(({ type }) => type.charAt(0)),
  }));
}

const documentedOut = rows('Out');
const words = new Set([...documentedOut, ...rows('In')].map(({ address }) => address));

test('OSC.md lists each message that is sent, with its values', () => {
  const documented = documentedOut.map(({ address, values }) => ({
    address,
    types: values.map((value) => value.charAt(1)),
  }));
  const sorted = (list: { address: string }[]) =>
    [...list].sort((a, b) => a.address.localeCompare(b.address));
  expect(sorted(documented)).toEqual(sorted(sentMessages()));
});

test.each(['vivarium.pde', 'vivarium.maxpat', 'touchdesigner.py'])(
  '%s uses only documented messages',
  (file) => {
    const text = read(`sketches/${file}`);
    const spoken = [
      ...text.matchAll(/\/vivarium\/garden\/(\w+)/g),
      ...text.matchAll(/what\.equals\("(\w+)"\)|\bto\("(\w+)"\)|what == '(\w+)'/g),
      ...text.matchAll(/ROOM \+ '\/(\w+)'/g),
    ].map((match) => match.slice(1).find((word) => word !== undefined)!);
    expect(spoken.length).toBeGreaterThan(5);
    for (const word of spoken) expect(words).toContain(word);
    // All of them show kinds, which a transformation changes.
    expect(spoken).toContain('transformed');
  },
);

const { messagesPerSecond, datagramBytes } = OUTPUT;

test('a flood is limited to the rate, and the number of dropped messages is sent', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const tick = (): void => out.onTick({ room: 'garden' } as never);
  const flood = 10_000;
  for (let id = 1; id <= flood; id++) {
    out.onLife({ room: 'garden', tick: 1, event: { what: 'grown', id } });
  }
  tick();
  const heard = () => sent.flatMap(decodeOsc);
  expect(heard().length).toBe(2 * messagesPerSecond);
  for (const bytes of sent) expect(bytes.length).toBeLessThanOrEqual(datagramBytes);
  // Full datagrams: not one for each message.
  expect(sent.length).toBeLessThan(heard().length / 20);
  await clock.advance(100);
  tick();
  expect(heard().at(-1)).toEqual({
    address: '/vivarium/garden/dropped',
    args: [int(flood - 2 * messagesPerSecond)],
  });
});

test('while no room ticks, the queue does not grow without end', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const refusals = 10 * messagesPerSecond;
  for (let i = 0; i < refusals; i++) {
    out.refused('garden', 'plant', 'no-such-room');
    await clock.advance(1_000 / messagesPerSecond);
  }
  out.onTick({ room: 'garden' } as never);
  const heard = sent.flatMap(decodeOsc);
  expect(heard).toHaveLength(2 * messagesPerSecond + 1);
  expect(heard.at(-1)!.args).toEqual([int(refusals - 2 * messagesPerSecond)]);
});

test('falling asleep and waking up are not sent', () => {
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), new FakeClock());
  for (const what of ['asleep', 'awake'] as const) {
    out.onLife({ room: 'garden', tick: 1, event: { what, id: 1 } });
  }
  out.onTick({ room: 'garden' } as never);
  expect(sent).toEqual([]);
});
