import { Packr } from 'msgpackr';
import type { Bus } from '../../../../server/cluster/bus/bus.ts';
import {
  AddressLimits,
  SHARED_LIMITS,
  SharedLimits,
} from '../../../../server/realtime/limits/address-limits.ts';
import { DEFAULT_LIMITS } from '../../../../server/realtime/limits/connection-limits.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';

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
  for (const bytes of [[], [0xc1], [0x93, 1, 2, 3]]) bus.publish('limits', Uint8Array.from(bytes));
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
