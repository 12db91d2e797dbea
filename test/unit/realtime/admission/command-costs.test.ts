import { TokenBucket } from '../../../../server/platform/token-bucket.ts';
import { AddressLimits, addressKey } from '../../../../server/realtime/admission/address-limits.ts';
import { isAllowedOrigin } from '../../../../server/realtime/admission/connection-admission.ts';
import { ConnectionRateLimiter } from '../../../../server/realtime/admission/connection-rate-limiter.ts';
import { RejectionCounts } from '../../../../server/realtime/admission/rejection-counts.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { REASONS } from '../../../../shared/protocol/reasons.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import fc from '../../../support/property.ts';

const { limits } = DEFAULTS;

test('a bucket never gives more than its size and what has flowed in since', () => {
  fc.assert(
    fc.property(
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
    ),
  );
});

test('a bucket says how long one has to wait for so much', () => {
  const bucket = new TokenBucket(4, 2, 0);
  expect(bucket.wait(2, 0)).toBe(0);
  bucket.take(2, 0);
  expect(bucket.wait(1, 0)).toBe(250);
  expect(bucket.take(1, 249)).toBe(false);
  expect(bucket.take(1, 250)).toBe(true);
  expect(bucket.wait(3, 250)).toBe(Number.POSITIVE_INFINITY);
});

describe('addresses', () => {
  test('a class of 1,000 phones behind one address comes in at once; 10,000 in a second do not', () => {
    const book = new AddressLimits(limits);
    for (let i = 0; i < 1_000; i++) {
      expect(book.connect('10.0.0.1', i)).toBeUndefined();
      expect(book.join('10.0.0.1', i)).toBe(true);
    }
    const crowd = new AddressLimits(limits);
    const outcomes = Array.from({ length: 10_000 }, (_, i) => {
      const outcome = crowd.connect('10.0.0.2', i / 10);
      if (!outcome) crowd.close('10.0.0.2');
      return outcome;
    });
    const taken = outcomes.filter((outcome) => outcome === undefined).length;
    expect(taken).toBeLessThanOrEqual(limits.connectsAtOnce + limits.connectsPerSecond);
    expect(outcomes.at(-1)).toBe('too-fast');
    expect(crowd.open).toBe(0);
    // Another address is none the worse.
    expect(crowd.connect('10.0.0.3', 1_000)).toBeUndefined();
  });

  test('limits per address and in total; a closed connection makes room', () => {
    const book = new AddressLimits({ ...limits, connections: 3, connectionsPerAddress: 2 });
    expect([book.connect('a', 0), book.connect('a', 0)]).toEqual([undefined, undefined]);
    expect(book.connect('a', 0)).toBe('too-many-connections');
    expect(book.connect('b', 0)).toBeUndefined();
    expect(book.connect('c', 0)).toBe('too-many-connections');
    book.close('a');
    book.close('a');
    book.close('a');
    expect(book.open).toBe(1);
    expect(book.connect('c', 0)).toBeUndefined();
  });

  test('a client blocks its address only when alone on it, and only for a while', () => {
    const book = new AddressLimits({ ...limits, banSeconds: 5 });
    book.connect('a', 0);
    book.connect('a', 0);
    expect(book.ban('a', 0)).toBe(false);
    expect(book.connect('a', 1)).toBeUndefined();
    book.connect('b', 0);
    expect(book.ban('b', 0)).toBe(true);
    book.close('b');
    expect(book.connect('b', 4_999)).toBe('banned');
    expect(book.connect('b', 5_000)).toBeUndefined();
  });

  test('a million addresses are not remembered for ever', () => {
    const book = new AddressLimits({ ...limits, connections: 100 });
    const refused = Array.from({ length: 30_000 }, (_, i) => {
      const outcome = book.connect(`address ${i}`, i);
      book.close(`address ${i}`);
      return outcome;
    }).filter(Boolean);
    expect(refused).toEqual([]);
    expect((book as unknown as { entries: Map<string, unknown> }).entries.size).toBeLessThan(
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
  ])('%s is kept as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('origins', () => {
  const allowed = ['https://museum.example'];
  test.each([
    [undefined, true],
    ['http://garden.local:8080', true],
    ['https://garden.local:8080', true],
    ['http://GARDEN.local:8080', false],
    ['http://garden.local', false],
    ['http://garden.local:8081', false],
    ['http://xgarden.local:8080', false],
    ['http://garden.local:8080.evil.example', false],
    ['http://evil.example/garden.local:8080', false],
    ['http://garden.local:8080@evil.example', false],
    ['http://user@garden.local:8080', false],
    ['ftp://garden.local:8080', false],
    ['https://museum.example', true],
    ['https://museum.example.evil.example', false],
    ['http://museum.example', false],
    ['https://museum.example/', false],
    ['null', false],
    ['', false],
    ['*', false],
  ])('%p: %p', (origin, welcome) => {
    expect(isAllowedOrigin({ origin, host: 'garden.local:8080' }, allowed)).toBe(welcome);
  });
});

describe('a guard', () => {
  const setUp = (changes: Partial<Record<keyof typeof limits, number>> = {}) => {
    const clock = new FakeClock();
    const own = { ...limits, ...changes };
    const book = new AddressLimits(own);
    book.connect('a', clock.now());
    const rejections = new RejectionCounts();
    const rateLimiter = new ConnectionRateLimiter({
      key: 'a',
      limits: own,
      clock,
      rejections,
      addresses: book,
    });
    return { clock, book, refusals: rejections, guard: rateLimiter };
  };
  const stroke = (points: number) => ({ id: 1, radius: 2, points: Array(2 * points).fill(1) });

  test('counts the points of strokes, however they are packed', () => {
    for (const size of [1, 8, 64]) {
      const { guard: rateLimiter } = setUp({ strokePointsPerSecond: 128, commandsPerSecond: 1e6 });
      let points = 0;
      const flood = () => {
        for (;;) {
          rateLimiter.chargeCommand('damage', stroke(size));
          points += size;
        }
      };
      expect(flood).toThrow('too-fast');
      expect(points).toBe(128 * limits.burstSeconds);
    }
  });

  test('what a page of ours sends passes for an hour, also when ten seconds of it come at once', async () => {
    const { guard: rateLimiter, clock, refusals: rejections } = setUp();
    for (let second = 0; second < 3_600; second += 10) {
      // Twenty stroke messages and fifteen cursors a second, sixty acknowledgements.
      for (let i = 0; i < 200; i++) rateLimiter.chargeCommand('damage', stroke(12));
      for (let i = 0; i < 150; i++) rateLimiter.chargeCommand('cursor', {});
      for (let i = 0; i < 950; i++) rateLimiter.charge('messagesPerSecond');
      rateLimiter.chargeCommand('resync', {});
      expect(rateLimiter.take('bytesPerSecond', 300_000)).toBe(true);
      await clock.advance(10_000);
    }
    expect(Object.values(rejections.totals()).every((count) => count === 0)).toBe(true);
  });

  test('each thing has its own measure', () => {
    const { guard: rateLimiter } = setUp();
    expect(() => {
      for (let i = 0; i < 1_000; i++) rateLimiter.chargeCommand('cursor', {});
    }).toThrow('cursorsPerSecond');
    expect(() => {
      for (let i = 0; i < 1_000; i++) rateLimiter.chargeCommand('resync', {});
    }).toThrow('resyncsPerSecond');
    expect(() => {
      for (let i = 0; i < 100; i++) rateLimiter.chargeCommand('beacon', {});
    }).toThrow('beaconsPerSecond');
    expect(() => {
      for (let i = 0; i < 1_000; i++) rateLimiter.chargeCommand('plant', {});
    }).toThrow('commandsPerSecond');
    expect(() => {
      for (let i = 0; i < 10_000; i++) rateLimiter.charge('messagesPerSecond');
    }).toThrow('messagesPerSecond');
    expect(rateLimiter.take('bytesPerSecond', 1e7)).toBe(false);
  });

  test('bears with many refusals over time, not with as many at once', async () => {
    const { guard: rateLimiter, clock, refusals: rejections, book } = setUp({ refusals: 20 });
    for (let i = 0; i < 100; i++) {
      expect(rateLimiter.rejected('occupied')).toBe(false);
      await clock.advance(500);
    }
    let borne = 0;
    while (!rateLimiter.rejected('too-fast')) borne++;
    expect(borne).toBe(20);
    expect(rejections.totals()).toMatchObject({ occupied: 100, 'too-fast': 21, abuse: 1 });
    expect(book.connect('a', clock.now())).toBe('banned');
  });
});

test('refusals are there by name from the start', () => {
  const totals = new RejectionCounts().totals();
  for (const reason of Object.keys(REASONS)) expect(totals).toHaveProperty([reason], 0);
});
