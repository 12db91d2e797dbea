import type { networkInterfaces } from 'node:os';
import {
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from '../../../server/composition/listen.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Network interfaces as Node.js reports them, by their IPv4 addresses. */
const networks = (all: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(all).map(([name, address]) => [
      name,
      [
        { address: 'fe80::1', family: 'IPv6', internal: false },
        { address, family: 'IPv4', internal: name === 'lo' },
      ],
    ]),
  ) as unknown as ReturnType<typeof networkInterfaces>;

describe("this machine's addresses", () => {
  test('typical home and venue addresses come first; loopback is left out', () => {
    const all = { lo: '127.0.0.1', eth1: '203.0.113.9', eth2: '10.0.0.5', wlan0: '192.168.1.20' };
    expect(networkAddresses(networks(all))).toEqual(['192.168.1.20', '10.0.0.5', '203.0.113.9']);
  });

  test.each([
    'br-4f2a',
    'docker0',
    'tailscale0',
    'veth1a2b',
    'vEthernet (WSL)',
    'virbr0',
    'vmnet8',
    'VMware Network Adapter VMnet8',
    'vboxnet0',
    'wg0',
  ])('virtual interfaces come last: %s', (name) => {
    const found = networkAddresses(networks({ [name]: '192.168.122.1', eth0: '10.20.0.7' }));
    expect(found).toEqual(['10.20.0.7', '192.168.122.1']);
  });

  test.each(['br0', 'en0', 'enp3s0', 'eth0', 'wlan0', 'Wi-Fi', 'Ethernet'])(
    'real interfaces are not taken for virtual ones: %s',
    (name) => {
      const found = networkAddresses(networks({ docker0: '172.17.0.1', [name]: '172.20.0.7' }));
      expect(found).toEqual(['172.20.0.7', '172.17.0.1']);
    },
  );

  test('virtual and link-local addresses are not for phones', () => {
    const made = { docker0: '172.17.0.1', tailscale0: '100.64.0.9', eth0: '169.254.7.7' };
    expect(venueAddresses(networks(made))).toEqual([]);
    expect(venueAddresses(networks({ ...made, 'br-lan': '192.168.8.1' }))).toEqual(['192.168.8.1']);
  });

  test('link-local addresses come after assigned ones', () => {
    const all = { eth0: '169.254.7.7', eth1: '198.51.100.2', docker0: '172.17.0.1' };
    expect(networkAddresses(networks(all))).toEqual(['198.51.100.2', '169.254.7.7', '172.17.0.1']);
  });
});

describe('where a server is reached', () => {
  const addresses = ['192.168.1.20', '10.8.0.2'];

  test.each(['0.0.0.0', '::'])('at all addresses, if it listens on all: %s', (address) => {
    expect(networkOrigins({ address, port: 8080 }, addresses)).toEqual([
      'http://192.168.1.20:8080',
      'http://10.8.0.2:8080',
    ]);
    expect(networkOrigins({ address, port: 8080 }, [])).toEqual([]);
    expect(localOrigin({ address, port: 8080 })).toBe('http://localhost:8080');
  });

  test.each([
    ['10.8.0.2', 'http://10.8.0.2:80'],
    ['fd00::2', 'http://[fd00::2]:80'],
  ])('at the address that it listens on, and at no other: %s', (address, origin) => {
    expect(networkOrigins({ address, port: 80 }, addresses)).toEqual([origin]);
    expect(localOrigin({ address, port: 80 })).toBe(origin);
  });

  test.each([
    ['127.0.0.1', 'http://localhost:8080'],
    ['::1', 'http://localhost:8080'],
    ['127.0.1.1', 'http://127.0.1.1:8080'],
  ])('by its own machine alone, if it listens on loopback: %s', (address, origin) => {
    expect(networkOrigins({ address, port: 8080 }, addresses)).toEqual([]);
    expect(localOrigin({ address, port: 8080 })).toBe(origin);
  });
});

test('the watcher reports each lasting change within twenty seconds, until it is stopped', async () => {
  const clock = new FakeClock();
  let origin = '';
  const heard: string[] = [];
  const end = watchOrigin(
    clock,
    () => origin,
    () => heard.push(origin),
  );
  await clock.advance(60_000);
  expect(heard).toEqual([]);
  for (const next of ['http://192.168.1.20:8080', 'http://192.168.1.31:8080', '']) {
    origin = next;
    await clock.advance(20_000);
    expect(heard.at(-1)).toBe(next);
    await clock.advance(60_000);
  }
  // A short interruption does not count.
  origin = 'http://10.0.0.5:8080';
  await clock.advance(10_000);
  origin = '';
  await clock.advance(60_000);
  expect(heard).toHaveLength(3);
  end();
  origin = 'http://10.0.0.5:8080';
  await clock.advance(60_000);
  expect(heard).toHaveLength(3);
  expect(clock.waiting).toBe(0);
});
