import { Packr, pack, Unpackr } from 'msgpackr';
import type { Bus } from '../../../../server/cluster/bus/bus.ts';
import { TokenBucket } from '../../../../server/platform/queues.ts';
import {
  chargeCommand,
  type MessageName,
} from '../../../../server/realtime/commands/client-messages.ts';
import {
  AddressLimits,
  addressKey,
  SHARED_LIMITS,
  SharedLimits,
} from '../../../../server/realtime/limits/address-limits.ts';
import {
  ConnectionRateLimiter,
  DEFAULT_LIMITS,
  hostCheck,
  isAllowedOrigin,
  RejectionCounts,
} from '../../../../server/realtime/limits/connection-limits.ts';
import { FrameMeter, isWellFormed } from '../../../../server/realtime/limits/websocket-engine.ts';
import { REASONS } from '../../../../shared/protocol/reasons.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import fc, { anyText, forAll, forRuns } from '../../../support/property.ts';

const limits = DEFAULT_LIMITS;

test('a token bucket never gives more than its size and what has been refilled', () => {
  forAll(
    fc.array(fc.tuple(fc.nat(500), fc.nat(30)), { maxLength: 200 }),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 100 }),
    (wishes, perSecond, size) => {
      const bucket = new TokenBucket(perSecond, size, 0);
      let now = 0;
      let given = 0;
      for (const [wait, amount] of wishes) {
        now += wait;
        if (bucket.take(amount, now)) given += amount;
        expect(given).toBeLessThanOrEqual(size + (now / 1000) * perSecond + 1e-6);
      }
    },
  );
});

test('a token bucket tells how long to wait for an amount', () => {
  const bucket = new TokenBucket(4, 2, 0);
  expect(bucket.wait(2, 0)).toBe(0);
  bucket.take(2, 0);
  expect(bucket.wait(1, 0)).toBe(250);
  expect(bucket.take(1, 249)).toBe(false);
  expect(bucket.take(1, 250)).toBe(true);
  expect(bucket.wait(3, 250)).toBe(Number.POSITIVE_INFINITY);
});

describe('addresses', () => {
  test('an address is blocked only if no other client uses it, and only for a while', () => {
    const addresses = new AddressLimits({ ...limits, banSeconds: 5 });
    addresses.connect('a', 0);
    addresses.connect('a', 0);
    expect(addresses.ban('a', 0)).toBe(false);
    expect(addresses.connect('a', 1)).toBeUndefined();
    addresses.connect('b', 0);
    expect(addresses.ban('b', 0)).toBe(true);
    addresses.close('b');
    expect(addresses.connect('b', 4_999)).toBe('banned');
    expect(addresses.connect('b', 5_000)).toBeUndefined();
  });

  test('addresses without connections are forgotten', () => {
    const addresses = new AddressLimits({ ...limits, connections: 100 });
    const refused = Array.from({ length: 30_000 }, (_, i) => {
      const outcome = addresses.connect(`address ${i}`, i);
      addresses.close(`address ${i}`);
      return outcome;
    }).filter(Boolean);
    expect(refused).toEqual([]);
    expect((addresses as unknown as { entries: Map<string, unknown> }).entries.size).toBeLessThan(
      10_200,
    );
  });

  test.each([
    ['192.168.1.4', '192.168.1.4'],
    ['::ffff:192.168.1.4', '192.168.1.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s has the key %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

const allowed = ['https://museum.example'];
test.each([
  [undefined, true],
  ['http://garden.local:8080', true],
  ['https://garden.local:8080', true],
  ['http://GARDEN.local:8080', false],
  ['http://garden.local', false],
  ['http://xgarden.local:8080', false],
  ['http://garden.local:8080.evil.example', false],
  ['http://garden.local:8080@evil.example', false],
  ['ftp://garden.local:8080', false],
  ['https://museum.example', true],
  ['https://museum.example.evil.example', false],
  ['http://museum.example', false],
  ['https://museum.example/', false],
  ['', false],
  ['*', false],
])('a page of origin %p may connect: %p', (origin, welcome) => {
  expect(isAllowedOrigin({ origin, host: 'garden.local:8080' }, allowed)).toBe(welcome);
});
describe('a rate limiter', () => {
  const setUp = (changes: Partial<Record<keyof typeof limits, number>> = {}) => {
    const clock = new FakeClock();
    const own = { ...limits, ...changes };
    const addresses = new AddressLimits(own);
    addresses.connect('a', clock.now());
    const rejections = new RejectionCounts();
    const rateLimiter = new ConnectionRateLimiter('a', {
      ...{ limits: own, clock, rejections, addresses },
    });
    return { clock, addresses, rejections, rateLimiter };
  };
  const stroke = (points: number) => ({ id: 1, radius: 2, points: Array(2 * points).fill(1) });

  test('counts the points of strokes, however many messages they come in', () => {
    for (const size of [1, 8, 64]) {
      const { rateLimiter } = setUp({ strokePointsPerSecond: 128, commandsPerSecond: 1e6 });
      let points = 0;
      const flood = () => {
        for (;;) {
          chargeCommand(rateLimiter, 'damage', stroke(size));
          points += size;
        }
      };
      expect(flood).toThrow('too-fast');
      expect(points).toBe(128 * limits.burstSeconds);
    }
  });

  test('what a busy page sends passes for an hour, even when ten seconds of it arrive at once', async () => {
    const { rateLimiter, clock, rejections } = setUp();
    for (let second = 0; second < 3_600; second += 10) {
      // Twenty stroke messages and fifteen cursors a second, sixty acknowledgements.
      for (let i = 0; i < 200; i++) chargeCommand(rateLimiter, 'damage', stroke(12));
      for (let i = 0; i < 150; i++) chargeCommand(rateLimiter, 'cursor', {});
      for (let i = 0; i < 950; i++) rateLimiter.charge('messagesPerSecond');
      chargeCommand(rateLimiter, 'resync', {});
      expect(rateLimiter.take('bytesPerSecond', 300_000)).toBe(true);
      // Pongs of Engine.IO.
      expect(rateLimiter.take('framesPerSecond', 2)).toBe(true);
      await clock.advance(10_000);
    }
    expect(Object.values(rejections.totals()).every((count) => count === 0)).toBe(true);
  });

  test('each kind of message has its own rate', () => {
    const { rateLimiter } = setUp();
    const flood = (name: MessageName) => () => {
      for (let i = 0; i < 1_000; i++) chargeCommand(rateLimiter, name, {});
    };
    for (const name of ['cursor', 'resync', 'beacon'] as const) {
      expect(flood(name)).toThrow(`${name}sPerSecond`);
    }
    expect(flood('plant')).toThrow('commandsPerSecond');
    expect(() => {
      for (let i = 0; i < 10_000; i++) rateLimiter.charge('messagesPerSecond');
    }).toThrow('messagesPerSecond');
    expect(rateLimiter.take('bytesPerSecond', 1e7)).toBe(false);
  });

  test('tolerates many rejections over time, but not as many at once', async () => {
    const { rateLimiter, clock, rejections, addresses } = setUp({ refusals: 20 });
    for (let i = 0; i < 100; i++) {
      expect(rateLimiter.rejected('occupied')).toBe(false);
      await clock.advance(500);
    }
    let borne = 0;
    while (!rateLimiter.rejected('too-fast')) borne++;
    expect(borne).toBe(20);
    expect(rejections.totals()).toMatchObject({ occupied: 100, 'too-fast': 21, abuse: 1 });
    expect(addresses.connect('a', clock.now())).toBe('banned');
  });
});

test('rejections have an entry for every reason from the start', () => {
  const totals = new RejectionCounts().totals();
  for (const reason of REASONS) expect(totals).toHaveProperty([reason], 0);
});

let origins = ['http://192.168.1.5:8080'];
const isForUs = hostCheck(['play.museum.example', '203.0.113.7'], () => origins);
const allows = (host: string | undefined): boolean => isForUs({ headers: { host } } as never);

const OURS = ['play.museum.example', 'Play.Museum.Example:443', '203.0.113.7:8080', 'localhost'];
const OURS_TOO = ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', '192.168.1.5:8080'];
const OTHERS = ['evil.example', 'evil.example:8080', 'evil@localhost', 'localhost/evil', '[::2]'];
const LONGER = ['play.museum.example.evil.example', 'evil.play.museum.example'];

test.each([
  ...[...OURS, ...OURS_TOO, '192.168.1.5'].map((host) => [host, true] as const),
  ...[...OTHERS, ...LONGER, '192.168.1.6:8080', '', undefined].map(
    (host) => [host, false] as const,
  ),
])('a request for the host %p is answered: %p', (host, isAllowed) => {
  expect(allows(host)).toBe(isAllowed);
});

test('a new network address is allowed at once', () => {
  origins = ['http://10.0.0.9:8080'];
  expect(allows('10.0.0.9:8080')).toBe(true);
  expect(allows('192.168.1.5:8080')).toBe(false);
});

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly length: number;
}

/** A masked frame, as clients send them. */
function framed({ fin, opcode, length }: Frame): Buffer {
  const width = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + width + 4, 0xff);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (width === 0 ? length : width === 2 ? 126 : 127);
  if (width === 2) head.writeUInt16BE(length, 2);
  if (width === 8) head.writeBigUInt64BE(BigInt(length), 2);
  // Payloads that look like headers must not be taken for any.
  return Buffer.concat([head, Buffer.alloc(length, 0x89)]);
}

const anyFrame = fc.record({
  fin: fc.boolean(),
  opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
  length: fc.oneof(fc.nat(10), fc.nat(200), fc.constantFrom(125, 126, 127, 65_535, 65_536)),
});

test('frames are counted by their headers, however the data is split', () => {
  forAll(
    fc.array(anyFrame, { maxLength: 20 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9_000 })), {
      minLength: 1,
    }),
    (frames, cuts) => {
      const wire = Buffer.concat(frames.map(framed));
      const meter = new FrameMeter(64);
      const sum = { bytes: 0, others: 0 };
      for (let at = 0, i = 0; at < wire.length; i++) {
        const piece = wire.subarray(at, at + cuts[i % cuts.length]);
        const { bytes, others } = meter.push(piece);
        sum.bytes += bytes;
        sum.others += others;
        at += piece.length;
      }
      const costs = frames.map((frame) => Math.max(64, framed(frame).length));
      const isMessage = ({ fin, opcode }: Frame) => fin && (opcode === 0 || opcode === 2);
      expect(sum).toEqual({
        bytes: costs.reduce((total, cost) => total + cost, 0),
        others: frames.filter((frame) => !isMessage(frame)).length,
      });
    },
  );
});

describe('shared limits', () => {
  const ADDRESS = '203.0.113.7';
  const limits = {
    ...DEFAULT_LIMITS,
    ...{ connectionsPerAddress: 4, joinsPerSecond: 1, joinsAtOnce: 4, banSeconds: 30 },
  };

  /** Two servers that count together, and hear each other. */
  async function servers() {
    const clock = new FakeClock();
    const bus = new LocalBus();
    const all = ['a', 'b'].map((node) => {
      const addresses = new AddressLimits(limits, true);
      /** Whether the others hear this server. */
      const link = { isUp: true };
      const own: Bus = Object.create(bus, {
        publish: { value: (...of: Parameters<Bus['publish']>) => link.isUp && bus.publish(...of) },
      });
      const sharing = new SharedLimits({ bus: own, clock, node, addresses });
      return { addresses, sharing, link };
    });
    const [a, b] = all.map(({ addresses }) => addresses);
    await clock.advance(0);
    return { clock, bus, all, a, b };
  }

  test('an address has as many joins at two servers as at one', async () => {
    const { clock, a, b } = await servers();
    for (let i = 0; i < 4; i++) expect(a.join(ADDRESS, clock.now())).toBe(true);
    await clock.advance(SHARED_LIMITS.every);
    expect(b.join(ADDRESS, clock.now())).toBe(false);
    expect(b.join('198.51.100.1', clock.now())).toBe(true);
    // It refills as fast as at one server.
    await clock.advance(1_000);
    expect([a, b].map((one) => one.join(ADDRESS, clock.now()))).toContain(true);
    await clock.advance(SHARED_LIMITS.every);
    expect([a, b].map((one) => one.join(ADDRESS, clock.now()))).toEqual([false, false]);
  });

  test('an address has as many connections at two servers as at one, and those of a server that is gone do not count', async () => {
    const { clock, all, a, b } = await servers();
    for (let i = 0; i < 3; i++) expect(a.connect(ADDRESS, clock.now())).toBeUndefined();
    await clock.advance(SHARED_LIMITS.every);
    expect(b.connect(ADDRESS, clock.now())).toBeUndefined();
    expect(b.connect(ADDRESS, clock.now())).toBe('too-many-connections');
    await clock.advance(SHARED_LIMITS.every);
    expect(a.connect(ADDRESS, clock.now())).toBe('too-many-connections');
    all[0].link.isUp = false;
    await clock.advance(SHARED_LIMITS.silence - SHARED_LIMITS.every);
    expect(b.connect(ADDRESS, clock.now())).toBe('too-many-connections');
    await clock.advance(SHARED_LIMITS.every);
    expect(b.connect(ADDRESS, clock.now())).toBeUndefined();
  });

  test('what a server reserves of its own connections has nothing to do with those of others', async () => {
    const clock = new FakeClock();
    const small = { ...limits, connections: 10, connectionsPerAddress: 40 };
    const [a, b] = [new AddressLimits(small, true), new AddressLimits(small, true)];
    const connect = (to: AddressLimits, times: number) => {
      const reasons = Array.from({ length: times }, () => to.connect(ADDRESS, clock.now()));
      return reasons.filter((reason) => reason === undefined).length;
    };
    expect(connect(a, 10)).toBe(9);
    b.hear('a', a.takeReport(), clock.now());
    expect(connect(b, 10)).toBe(9);
  });

  test('who is banned at one server is banned at the other', async () => {
    const { clock, a, b } = await servers();
    a.connect(ADDRESS, clock.now());
    expect(a.ban(ADDRESS, clock.now())).toBe(true);
    await clock.advance(SHARED_LIMITS.every);
    expect(b.connect(ADDRESS, clock.now())).toBe('banned');
  });

  test('nobody is banned for what one of their address does at another server', async () => {
    const { clock, a, b } = await servers();
    a.connect(ADDRESS, clock.now());
    b.connect(ADDRESS, clock.now());
    // Before it has heard of the others.
    expect(a.ban(ADDRESS, clock.now())).toBe(true);
    await clock.advance(SHARED_LIMITS.every);
    expect(b.connect(ADDRESS, clock.now())).toBeUndefined();
    await clock.advance(SHARED_LIMITS.every);
    expect(a.connect(ADDRESS, clock.now())).toBeUndefined();
    a.close(ADDRESS);
    expect(a.ban(ADDRESS, clock.now())).toBe(false);
  });

  test('what is no report changes nothing', async () => {
    const { clock, bus, a } = await servers();
    const packr = new Packr({ useRecords: false });
    const told = { node: 'c', taken: [], open: [[ADDRESS, 4]], banned: [], lifted: [] };
    for (const bytes of [[], [0xc1], [0x93, 1, 2, 3]])
      bus.publish('limits', Uint8Array.from(bytes));
    for (const wrong of [
      { ...told, more: 1 },
      { ...told, open: [[ADDRESS, 4.5]] },
      { ...told, banned: [7] },
      { ...told, node: 'a' },
    ])
      bus.publish('limits', packr.pack(wrong));
    await clock.advance(0);
    expect(a.connect(ADDRESS, clock.now())).toBeUndefined();
    bus.publish('limits', packr.pack(told));
    await clock.advance(0);
    expect(a.connect(ADDRESS, clock.now())).toBe('too-many-connections');
  });
});

const packr = new Packr({ useRecords: false, moreTypes: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, moreTypes: false });
const bytes = (...values: number[]) => Uint8Array.from(values);

test('a message that a page packs is well-formed', () => {
  const value = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.double(),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      anyText({ maxLength: 400 }),
      fc.uint8Array({ maxLength: 300 }),
      // Of each length: what is in them is as good as any.
      fc.nat(70_000).map((length) => new Uint8Array(length).fill(length)),
      fc.constantFrom(null, undefined, true, false),
    ),
    node: fc.oneof(
      { maxDepth: 6 },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie('node'), { maxKeys: 5 }),
    ),
  })).node;
  forRuns(500, value, (message) => {
    expect(isWellFormed(packr.pack(message))).toBe(true);
  });
});

test('a message with keys that are not strings is rejected', () => {
  expect(isWellFormed(Uint8Array.from([129, 129, 0, 0, 0]))).toBe(false);
  expect(isWellFormed(Uint8Array.from([129, 161, 97, 0]))).toBe(true);
});

test('a well-formed message is decoded without an error', () => {
  let passed = 0;
  forRuns(20_000, fc.uint8Array({ maxLength: 40 }), (message) => {
    if (!isWellFormed(message)) return;
    passed++;
    unpackr.unpack(message);
  });
  expect(passed).toBeGreaterThan(100);
});

test.each([
  ['nothing', bytes()],
  ['an unused byte', bytes(0xc1)],
  ['two values', bytes(1, 2)],
  ['half a number', bytes(0xcb, 1, 2)],
  ['half a length', bytes(0xdd, 0, 0)],
  ['a cut string', bytes(0xd9, 200, 65)],
  ['a list of four thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
  ['a map of four thousand million', bytes(0xdf, 0xff, 0xff, 0xff, 0xff, 1)],
  [
    'lists in lists, each said to be long',
    Uint8Array.from({ length: 16_383 }, (_, i) => [0xdc, 0xff, 0xff][i % 3]),
  ],
  ['ten thousand nested lists', new Uint8Array(10_000).fill(0x91)],
  ['nine nested lists', bytes(...Array<number>(9).fill(0x91), 1)],
  ['a date', pack(new Date(0))],
  ['a regular expression', bytes(0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0)],
  ['a big number', bytes(0xd5, 0x42, 1, 2)],
  ['bundled strings with a cycle', bytes(0xd6, 0x62, 0xff, 0xff, 0xff, 0xf0)],
  ['records', bytes(0xd4, 0x72, 0x40, 0x91, 1)],
  ['an extension of any length', bytes(0xc7, 3, 9, 1, 2, 3)],
])('%s is rejected', (_, message) => {
  expect(isWellFormed(message)).toBe(false);
});
