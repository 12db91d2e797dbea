/** Where a server listens, how phones reach it, and what the host reads about it. */
import type { networkInterfaces } from 'node:os';
import {
  type ListenTarget,
  listen,
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from '../../../server/composition/listen.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const failing = (place: ListenTarget, code: string): Promise<unknown> =>
  listen(place, async () => {
    throw Object.assign(new Error(`listen ${code}`), { code });
  });

const PAGES: ListenTarget = { flag: '--port', host: '0.0.0.0', port: 8080 };
const METRICS = { ...PAGES, flag: '--metrics', port: 9100 };
const at = (place: Partial<ListenTarget>): ListenTarget => ({ ...PAGES, ...place });

test.each([
  [PAGES, 'EADDRINUSE', 'port-taken', /^--port: .* port 8080\. .* --port 8081\.$/],
  [METRICS, 'EADDRINUSE', 'port-taken', /^--metrics: .* --metrics 9101\.$/],
  [at({ port: 65_535 }), 'EADDRINUSE', 'port-taken', /--port 1024\.$/],
  [at({ port: 80 }), 'EACCES', 'not-allowed', /^--port: .* port 80\. .*1024 .*CAP_NET_BIND/],
  [at({ port: 5_357 }), 'EACCES', 'not-allowed', /^--port: .* --port 5358\.$/],
  [at({ host: '198.51.100.7' }), 'EADDRNOTAVAIL', 'no-such-address', /198\.51\.100\.7\. .*0\.0/],
  [at({ host: 'no.such' }), 'ENOTFOUND', 'no-such-address', /^--host: .*no\.such\./],
] as const)('%j, %s: names the flag, and a remedy', async (place, code, reason, sentence) => {
  const error = { name: 'ListenError', reason, message: expect.stringMatching(sentence) };
  await expect(failing(place, code)).rejects.toMatchObject(error);
});

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

test('typical home and venue addresses come first, link-local ones last, loopback not at all', () => {
  const all = { lo: '127.0.0.1', eth0: '169.254.7.7', eth1: '203.0.113.9', eth2: '10.0.0.5' };
  expect(networkAddresses(networks({ ...all, wlan0: '192.168.1.20' }))).toEqual([
    ...['192.168.1.20', '10.0.0.5', '203.0.113.9', '169.254.7.7'],
  ]);
});

const VIRTUAL = [
  ...['br-4f2a', 'docker0', 'tailscale0', 'veth1a2b', 'vEthernet (WSL)', 'virbr0', 'vmnet8'],
  ...['VMware Network Adapter VMnet8', 'vboxnet0', 'wg0'],
];

test('virtual interfaces come last, and real ones are not taken for them', () => {
  for (const name of VIRTUAL) {
    const found = networkAddresses(networks({ [name]: '192.168.122.1', eth0: '10.20.0.7' }));
    expect([name, found]).toEqual([name, ['10.20.0.7', '192.168.122.1']]);
  }
  for (const name of ['br0', 'en0', 'enp3s0', 'eth0', 'wlan0', 'Wi-Fi', 'Ethernet']) {
    const found = networkAddresses(networks({ docker0: '172.17.0.1', [name]: '172.20.0.7' }));
    expect([name, found]).toEqual([name, ['172.20.0.7', '172.17.0.1']]);
  }
});

test('virtual and link-local addresses are not for phones', () => {
  const made = { docker0: '172.17.0.1', tailscale0: '100.64.0.9', eth0: '169.254.7.7' };
  expect(venueAddresses(networks(made))).toEqual([]);
  expect(venueAddresses(networks({ ...made, 'br-lan': '192.168.8.1' }))).toEqual(['192.168.8.1']);
});

const ALL = ['http://192.168.1.20:80', 'http://10.8.0.2:80'];

test.each([
  ['0.0.0.0', ALL, 'http://localhost:80'],
  ['::', ALL, 'http://localhost:80'],
  ['10.8.0.2', ['http://10.8.0.2:80'], 'http://10.8.0.2:80'],
  ['fd00::2', ['http://[fd00::2]:80'], 'http://[fd00::2]:80'],
  ['127.0.0.1', [], 'http://localhost:80'],
  ['::1', [], 'http://localhost:80'],
  ['127.0.1.1', [], 'http://127.0.1.1:80'],
])(
  'a server that listens at %s is reached from the network, and locally',
  (address, origins, own) => {
    const bound = { address, port: 80 };
    expect(networkOrigins(bound, ['192.168.1.20', '10.8.0.2'])).toEqual(origins);
    expect(localOrigin(bound)).toBe(own);
  },
);

test('the watcher reports each lasting change within twenty seconds, until it is stopped', async () => {
  const clock = new FakeClock();
  let origin = '';
  const heard: string[] = [];
  const end = watchOrigin(
    clock,
    () => origin,
    () => heard.push(origin),
  );
  const change = async (to: string, duration: number): Promise<void> => {
    origin = to;
    await clock.advance(duration);
  };
  await change('', 60_000);
  expect(heard).toEqual([]);
  for (const next of ['http://192.168.1.20:8080', 'http://192.168.1.31:8080', '']) {
    await change(next, 20_000);
    expect(heard.at(-1)).toBe(next);
    await change(next, 60_000);
  }
  // A short interruption does not count.
  await change('http://10.0.0.5:8080', 10_000);
  await change('', 60_000);
  end();
  await change('http://10.0.0.5:8080', 60_000);
  expect(heard).toHaveLength(3);
  expect(clock.waiting).toBe(0);
});

const ONNX = { name: 'onnx', device: 'CPU (ONNX Runtime)' };
