import type { networkInterfaces } from 'node:os';
import { createTickLoop, shutdownPhases } from '../../../server/composition/create-server.ts';
import {
  type ListenTarget,
  listen,
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from '../../../server/composition/listen.ts';
import { openHostRecords } from '../../../server/composition/open-storage.ts';
import { ProcessEnd, runShutdownPhases } from '../../../server/composition/process-end.ts';
import { STALL } from '../../../server/operations/watches.ts';
import { type Log, silentLog } from '../../../server/platform/log.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { World } from '../../../server/world/world.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { IDLE_ENGINE } from '../../support/registry-options.ts';
import { SPECIES } from '../../support/rooms.ts';

/** Bans and seats of walls that two servers change, with one store. */

/** A store that takes nothing while a test wants it. */
class FailingStore extends Store {
  isFull = false;

  override async putServerRecord(name: string, value: unknown): Promise<void> {
    if (this.isFull) throw new Error('the disk is full');
    await super.putServerRecord(name, value);
  }
}

let now = 1_000;

async function openTwo() {
  const store = new FailingStore(openMemory());
  const open = () =>
    openHostRecords(store, true, new Uint8Array(32), {
      ...{ clock: new FakeClock(), date: () => now++, log: silentLog },
    });
  return { store, open, a: await open(), b: await open() };
}

const ban = (name: string) => ({
  ...{ room: 'garden', participant: 7, name, device: name, address: '', wholeAddress: false },
});
const by = (device: string) => ({ participant: undefined, device, address: '' });

test('what one server bans and another bans or lifts at the same time all counts', async () => {
  const { a, b, open } = await openTwo();
  a.bans.add(ban('ann'));
  b.bans.add(ban('ben'));
  a.bans.add(ban('cem'));
  const walls = [a, b].map(({ wallSeats }, i) => wallSeats.add('garden', `Foyer ${i}`));
  for (const one of [a, b, a, b, a]) await one.refresh();
  a.bans.lift(a.bans.all.find(({ name }) => name === 'ann')!.id);
  b.bans.add(ban('dan'));
  for (const one of [a, b, a, b, a]) await one.refresh();
  const names = ['ben', 'cem', 'dan'];
  for (const { bans, wallSeats } of [a, b, await open()]) {
    expect(
      wallSeats
        .of('garden')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(walls.map(({ id }) => id).sort());
    expect(bans.all.map(({ name }) => name).sort()).toEqual(names);
    expect(new Set(bans.all.map(({ id }) => id)).size).toBe(3);
    expect(bans.isBanned('attic', by('ben'))).toBe(true);
    expect(bans.isBanned('attic', by('ann'))).toBe(false);
  }
});

test('a server is told of those whom another one has banned, and once', async () => {
  const { a, b } = await openTwo();
  let told = 0;
  b.bans.on('added', () => {
    told++;
  });
  const { id } = a.bans.add(ban('ann'));
  for (const one of [a, b, b]) await one.refresh();
  expect(told).toBe(1);
  b.bans.add(ban('ben'));
  a.bans.lift(id);
  for (const one of [a, b, a, b]) await one.refresh();
  expect(told).toBe(2);
});

test('a ban that could not be stored holds, and is stored as soon as it can be', async () => {
  const { a, b, store } = await openTwo();
  store.isFull = true;
  a.bans.add(ban('ann'));
  await expect(a.refresh()).rejects.toThrow('the disk is full');
  expect(a.bans.isBanned('attic', by('ann'))).toBe(true);
  store.isFull = false;
  b.bans.add(ban('ben'));
  for (const one of [b, a, b, a, b]) await one.refresh();
  for (const { bans } of [a, b]) expect(bans.all.map(({ name }) => name)).toEqual(['ben', 'ann']);
});

test("a room's walls are lost when another server takes it over, and nobody else's are", async () => {
  const { a, b } = await openTwo();
  const foyer = a.wallSeats.add('garden', 'Foyer');
  const stairs = b.wallSeats.add('attic', 'Stairs');
  a.wallSeats.appeared(foyer.id);
  b.wallSeats.appeared(stairs.id);
  for (const one of [a, b, a, b, a]) await one.refresh();
  expect(a.wallSeats.of('attic')).toMatchObject([{ pass: stairs.pass, lost: null }]);
  await b.refresh('garden');
  await b.refresh();
  expect(b.wallSeats.of('garden')[0].lost).not.toBeNull();
  expect(b.wallSeats.of('attic')[0].lost).toBeNull();
  await a.refresh();
  expect(a.wallSeats.of('garden')).toEqual(b.wallSeats.of('garden'));
});

/** Where a server listens, how phones reach it, and what the host reads about it. */

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
  [
    at({ host: '198.51.100.7' }),
    'EADDRNOTAVAIL',
    'no-such-address',
    /198\.51\.100\.7 is not .*0\.0/,
  ],
  [at({ host: 'no.such' }), 'ENOTFOUND', 'no-such-address', /^--host: no\.such is not /],
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

test('phases run in order, also after one that fails; its error is thrown at the end', async () => {
  const said: string[] = [];
  const done: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (event, sentence) => said.push(`${event} ${sentence}`),
    error: (event, sentence) => said.push(`${event} ${sentence}`),
  };
  const phase = (name: string, run = async () => {}) => ({
    name,
    run: async () => {
      await run();
      done.push(name);
    },
  });
  const failing = phase('two', async () => {
    throw new Error('no');
  });
  await expect(runShutdownPhases([phase('one'), failing, phase('three')], log)).rejects.toThrow(
    'no',
  );
  expect(done).toEqual(['one', 'three']);
  expect(said).toEqual([
    'phase Closing: one.',
    'phase-failed Closing: the shutdown step "two" failed: no',
    'phase Closing: three.',
  ]);
});

test('rooms are given up when they and the host records are stored, or cannot be', async () => {
  const done: string[] = [];
  const noted = (what: string) => () =>
    new Promise<void>((go) => {
      setImmediate(() => {
        done.push(what);
        go();
      });
    });
  const closable = { close: () => {} };
  const phases = (host: () => Promise<void>) =>
    shutdownPhases({
      sockets: { ...closable, stopAdmitting: () => {} },
      ticker: { stop: async () => {} },
      deferredWork: { run: () => {} },
      previews: [{ stop: noted('previews'), close: noted('a drawing') }],
      journalWriter: { saveAll: noted('rooms stored'), close: async () => {} },
      serverRooms: { releaseAll: noted('given up') },
      host: { close: host },
      ...{ relay: closable, hooks: closable, engine: closable, later: {} },
    } as never);
  await runShutdownPhases(phases(noted('host stored')), silentLog);
  // Another server goes on with the rooms while a drawing is still refined here.
  expect(done).toEqual(['previews', 'rooms stored', 'host stored', 'given up', 'a drawing']);
  done.length = 0;
  const failing = phases(() => Promise.reject(new Error('the disk is full')));
  await expect(runShutdownPhases(failing, silentLog)).rejects.toThrow('the disk is full');
  expect(done).toEqual(['previews', 'rooms stored', 'given up', 'a drawing']);
});

function start() {
  const clock = new FakeClock();
  const said: (string | number)[] = [];
  let closed = (): void => {};
  const end = new ProcessEnd({
    ...{ clock, exit: (code) => said.push(code) },
    log: { ...silentLog, error: (event) => said.push(event) },
    close: () => {
      said.push('closing');
      return new Promise((resolve) => void (closed = resolve));
    },
    onFailure: () => said.push('failed'),
  });
  return { clock, said, end, closed: () => closed() };
}

test('a signal during a restart does not cut it short, and a second one does', async () => {
  const { clock, said, end, closed } = start();
  end.begin(75);
  await clock.advance(5_000);
  end.signal();
  await clock.advance(500);
  // The same one, forwarded by npm.
  end.signal();
  expect(said).toEqual(['closing']);
  await clock.advance(1_000);
  end.signal();
  expect(said).toEqual(['closing', 1]);
  closed();
  await clock.advance(0);
  expect(said).toEqual(['closing', 1, 75]);
});

test('closing that takes too long is cut short', async () => {
  const { clock, said, end } = start();
  end.signal();
  await clock.advance(20_000);
  expect(said).toEqual(['closing', 'closing-too-slow', 1]);
});

const never = (): Promise<never> => new Promise(() => {});

/** @returns why the ticks of a room cannot go on, in which somebody plants */
async function failureOf(change: (world: World) => void): Promise<string[]> {
  const clock = new FakeClock();
  const failures: string[] = [];
  const world = new World({ ...IDLE_ENGINE, step: async () => [] } as never);
  change(world);
  const onFatal = ({ message }: Error): void => void failures.push(message);
  const base = { world, clock, previews: [], options: { onFatal }, later: {} } as never;
  const { ticker } = createTickLoop(
    base,
    undefined,
    () => new Map(),
    () => undefined,
  );
  const size = { width: 16, height: 16, maxOrganisms: 4 };
  const room = world.open({ ...size, name: 'garden', seed: 1, species: SPECIES });
  const seed = { from: 'gallery', index: 0 } as const;
  room.enqueue(1, { what: 'plant', by: HOUSE, x: 8, y: 8, seed });
  ticker.add(room, 15);
  await clock.advance(2 * STALL);
  return failures;
}

test('a tick that waits for the disk is not taken for a stalled engine', async () => {
  expect(await failureOf((world) => Object.assign(world, { journal: never }))).toEqual([
    expect.stringMatching(
      /^A tick could not be stored, because the disk of the data folder .* does not answer\. /,
    ),
  ]);
  expect(await failureOf(({ engine }) => Object.assign(engine, { step: never }))).toEqual([
    'engine: failed: a tick did not end, because the engine does not respond',
  ]);
});
