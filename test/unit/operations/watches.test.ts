import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { DISK_INTERVAL, DiskWatch } from '../../../server/operations/disk-watch.ts';
import { createMetrics, serveMetrics } from '../../../server/operations/metrics.ts';
import { isService, RestartLimit } from '../../../server/operations/supervisor.ts';
import {
  DESCRIPTOR_INTERVAL,
  ExhaustionWatch,
  limitsWithin,
  readDescriptors,
  TickWatchdog,
} from '../../../server/operations/watches.ts';
import { type Log, silentLog, textLog } from '../../../server/platform/log.ts';
import { DEFAULT_LIMITS } from '../../../server/realtime/limits/connection-limits.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { LITTLE_DISK_SPACE } from '../../../shared/limits.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('the log warns once when space becomes low, and says once when there is enough', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  let free: number | undefined = 2 * LITTLE_DISK_SPACE;
  const freeOf = async () => {
    if (free === undefined) throw new Error('EIO');
    return free;
  };
  const watch = new DiskWatch('data', textLog(write, write), clock, freeOf);
  const pass = async (now: number | undefined) => {
    free = now;
    await clock.advance(DISK_INTERVAL);
    return watch.isFilling;
  };
  expect(await pass(LITTLE_DISK_SPACE)).toBe(false);
  expect(await pass(LITTLE_DISK_SPACE - 1)).toBe(true);
  expect(watch.free).toBe(LITTLE_DISK_SPACE - 1);
  expect(await pass(LITTLE_DISK_SPACE + 1)).toBe(true);
  expect(await pass(undefined)).toBe(true);
  expect(watch.free).toBeUndefined();
  expect(await pass(1.5 * LITTLE_DISK_SPACE)).toBe(false);
  expect(lines).toEqual([
    'disk-filling: Only 1023 MiB are free on the disk of the data folder. Free some space: if less than 128 MiB are free, the server stores nothing.',
    'The disk of the data folder has 1536 MiB of free space again.',
  ]);
  watch.stop();
  expect(clock.waiting).toBe(0);
});

const limits = DEFAULT_LIMITS;
const MINUTE = 60_000;

/** A server that can be started repeatedly; its store outlives it. */
function newServer(memory: 'kept' | 'none' = 'kept') {
  const store = memory === 'kept' ? new Store(openMemory()) : undefined;
  const clock = new FakeClock();
  const seen = { restarts: 0, lines: [] as string[], error: undefined as string | undefined };
  const log: Log = { ...silentLog, error: (_, line) => seen.lines.push(line) };
  const begin = (isSupervised = true) =>
    new ExhaustionWatch({
      ...{ clock, log, limit: new RestartLimit(store, clock, () => 1e12 + clock.now()) },
      probe: async () => {
        if (seen.error) throw Object.assign(new Error(seen.error), { code: seen.error });
      },
      restart: isSupervised ? () => seen.restarts++ : undefined,
    });
  return { clock, seen, begin };
}

test.each(['EMFILE', 'ENFILE'])('without descriptors (%s) it restarts, once', async (code) => {
  const { clock, seen, begin } = newServer();
  const watch = begin();
  await clock.advance(MINUTE);
  expect([watch.hasSome, seen.restarts]).toEqual([true, 0]);
  seen.error = code;
  await clock.advance(MINUTE);
  expect([watch.hasSome, seen.restarts]).toEqual([false, 1]);
  watch.stop();
  expect(clock.waiting).toBe(0);
});

test('a single failed check, or a missing file, does not count as exhaustion', async () => {
  const { clock, seen, begin } = newServer();
  const watch = begin();
  seen.error = 'EMFILE';
  await clock.advance(DESCRIPTOR_INTERVAL);
  for (const code of ['ENOENT', 'EIO', undefined]) {
    seen.error = code;
    await clock.advance(MINUTE);
  }
  expect([watch.hasSome, seen.restarts]).toEqual([true, 0]);
});

test('it restarts three times an hour at most', async () => {
  const { clock, seen, begin } = newServer();
  seen.error = 'EMFILE';
  for (let i = 1; i <= 6; i++) {
    const watch = begin();
    await clock.advance(5 * MINUTE);
    watch.stop();
    expect(seen.restarts).toBe(Math.min(i, 3));
  }
  expect(seen.lines.at(-1)).toContain('at most three times per hour');
  begin();
  await clock.advance(35 * MINUTE);
  expect(seen.restarts).toBe(4);
});

test('without a store, a process restarts only after its share of an hour', async () => {
  const { clock, seen, begin } = newServer('none');
  seen.error = 'EMFILE';
  const watch = begin();
  await clock.advance(19 * MINUTE);
  expect([watch.hasSome, seen.restarts]).toEqual([false, 0]);
  await clock.advance(2 * MINUTE);
  expect(seen.restarts).toBe(1);
});

test('without a supervisor it continues, and logs that once', async () => {
  const { clock, seen, begin } = newServer();
  seen.error = 'EMFILE';
  const watch = begin(false);
  await clock.advance(MINUTE);
  expect([watch.hasSome, seen.restarts]).toEqual([false, 0]);
  expect(seen.lines).toEqual([expect.stringContaining('No supervisor would restart the server')]);
});

test('the limit of connections leaves descriptors for pages and files', () => {
  const fitting = (limit: number, used = 40) =>
    limitsWithin(limits, silentLog, { limit, used }).connections;
  expect(limitsWithin(limits, silentLog, undefined)).toBe(limits);
  expect(fitting(524_288)).toBe(limits.connections);
  expect(fitting(1_024)).toBe(364);
  for (const limit of [128, 256, 1_024, 4_096, 20_000]) {
    expect(2 * fitting(limit)).toBeLessThanOrEqual(limit - 40 - Math.min(256, limit / 4));
  }
  expect(fitting(32)).toBe(1);
});

test('descriptors are read from /proc; undefined without a limit', () => {
  const text = (limit: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     
Max processes             127453               127453               processes 
Max open files            ${limit.padEnd(21)}524288               files     
`;
  expect(
    readDescriptors(
      () => text('1024'),
      () => 31,
    ),
  ).toEqual({ limit: 1_024, used: 31 });
  expect(readDescriptors(() => text('unlimited'))).toBeUndefined();
  const fail = () => {
    throw new Error('no such file');
  };
  expect(readDescriptors(fail)).toBeUndefined();
});

function start() {
  const clock = new FakeClock();
  const seen = { stalls: 0, beats: 0 };
  const onStalled = (): void => void seen.stalls++;
  const watchdog = new TickWatchdog(clock, onStalled, () => seen.beats++);
  return { clock, watchdog, seen };
}

test('heartbeats come while ticks end, and while none are due', async () => {
  const { clock, watchdog, seen } = start();
  await clock.advance(60_000);
  for (let i = 0; i < 60; i++) {
    await watchdog.during(clock.advance(900));
    await clock.advance(100);
  }
  expect(watchdog.isTicking).toBe(true);
  expect(seen).toEqual({ stalls: 0, beats: 120 });
});

test('a tick that does not end stops the heartbeat, and is reported once as stalled', async () => {
  const { clock, watchdog, seen } = start();
  void watchdog.during(new Promise(() => {}));
  await clock.advance(10_000);
  expect(watchdog.isTicking).toBe(false);
  expect(seen.stalls).toBe(0);
  await clock.advance(25_000);
  expect(seen.stalls).toBe(1);
  await clock.advance(100_000);
  expect(seen.stalls).toBe(1);
  expect(seen.beats).toBeLessThan(8);
});

test('a process that was suspended during a tick has not stalled', async () => {
  const { clock, watchdog, seen } = start();
  let end = (): void => {};
  void watchdog.during(
    new Promise<void>((resolve) => {
      end = resolve;
    }),
  );
  await clock.advance(1_500);
  clock.spend(30_000);
  await clock.advance(1_500);
  end();
  await clock.advance(5_000);
  expect(seen.stalls).toBe(0);
  expect(watchdog.isTicking).toBe(true);
  watchdog.stop();
});

/** Detects whether a supervisor restarts the server process. */

const names: Record<string, string> = {
  '700': 'npm start\n',
  '800': 'gnome-terminal-\n',
  '900': 'npmrc-editor\n',
};
const nameOf = (pid: string): string => names[pid] ?? '';

test.each([
  { NOTIFY_SOCKET: '/run/systemd/notify' },
  { SYSTEMD_EXEC_PID: '1000' },
  { SYSTEMD_EXEC_PID: '700' },
])('a process that systemd has started, directly or by npm, is a service: %j', (environment) => {
  expect(isService(environment, 1_000, nameOf)).toBe(true);
});

test("a process in a desktop terminal inherits systemd's environment, but is not a service", () => {
  for (const SYSTEMD_EXEC_PID of ['800', '900', '12', '', '../700', undefined]) {
    const environment = { INVOCATION_ID: 'f00d', NOTIFY_SOCKET: '', SYSTEMD_EXEC_PID };
    const terminal = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-7.scope\n';
    expect(isService(environment, 1_000, nameOf, () => terminal)).toBe(false);
  }
  expect(isService({}, 1_000, nameOf)).toBe(false);
});

test('under an old systemd, or started by a script, a service is recognised by its control group', () => {
  const INVOCATION_ID = 'f00d';
  const among = (group: string, environment = {}): boolean =>
    isService({ INVOCATION_ID, ...environment }, 1_000, nameOf, () => group);
  expect(among('0::/system.slice/vivarium.service\n')).toBe(true);
  const old =
    '12:cpu:/system.slice/vivarium.service\n1:name=systemd:/system.slice/vivarium.service\n';
  expect(among(old, { SYSTEMD_EXEC_PID: '800' })).toBe(true);
  const others = ['0::/system.slice/cron.service\n', '0::/user.slice/a.scope\n'];
  for (const group of ['', '0::/\n', ...others]) expect(among(group)).toBe(false);
  expect(isService({}, 1_000, nameOf, () => '0::/system.slice/vivarium.service\n')).toBe(false);
});

test('npm is recognised by its process title', async () => {
  const npm = spawn(process.execPath, [
    '--eval',
    "process.title = 'npm start'; console.log('named'); process.stdin.resume();",
  ]);
  const gone = once(npm, 'close');
  await once(npm.stdout, 'data');
  expect(isService({ SYSTEMD_EXEC_PID: `${npm.pid}` })).toBe(true);
  npm.stdin.end();
  await gone;
  expect(isService({ SYSTEMD_EXEC_PID: `${npm.pid}` })).toBe(false);
});

test('a heartbeat for which the system starts no process does not end the server', async () => {
  const server = spawn(process.execPath, [
    ...['--import', 'tsx', '--input-type=module', '--eval'],
    `import { findSupervisor } from './server/operations/supervisor.ts';
    // No program starts with an environment of this size.
    process.env.HUGE = 'x'.repeat(200_000);
    findSupervisor({ NOTIFY_SOCKET: '/nowhere' }).beat();`,
  ]);
  expect(await once(server, 'close')).toEqual([0, null]);
});

const ENGINE = { name: 'onnx', device: 'cpu' };

test('a closed or removed room has no metrics', async () => {
  const room = (name: string, size: number) => {
    const cells = { name, size: 1, awake: 1, tick: 9 };
    const walls = { upCount: 0, states: [] };
    return [name, { room: cells, seats: { size }, reports: { size: 0 }, walls }] as const;
  };
  const roomServers = new Map([room('garden', 3), room('attic', 2)]);
  const metrics = createMetrics({
    ...{ engine: ENGINE, roomServers: roomServers as never, rateOf: () => 15 },
    remote: () => [{ room: 'garden', server: 'gateway-a', connections: 5 }],
    cluster: () => ({ latency: 2, epochs: [{ room: 'garden', epoch: 7 }] }),
    ...{ rejections: () => ({}), alerts: () => [] },
    ...{ isPersisting: () => undefined, diskFree: () => undefined, setAside: () => undefined },
  });
  const figures = async () => (await metrics.text()).match(/^vivarium_room_participants.*$/gm);
  expect(await figures()).toEqual([
    'vivarium_room_participants{room="garden"} 3',
    'vivarium_room_participants{room="attic"} 2',
  ]);
  roomServers.delete('attic');
  roomServers.set(...room('garden', 4));
  expect(await figures()).toEqual(['vivarium_room_participants{room="garden"} 4']);
  const text = await metrics.text();
  expect(text).toMatch(/^vivarium_remote_connections\{room="garden",server="gateway-a"\} 5$/m);
  expect(text).toMatch(/^vivarium_lease_epoch\{room="garden"\} 7$/m);
  expect(text).toMatch(/^vivarium_bus_latency_seconds 0\.002$/m);
  expect(text).not.toContain('attic');
  roomServers.clear();
  expect(await figures()).toBeNull();
  metrics.close();
});

/** Node tells of each request that an HTTP server takes, and of the server. */
const REQUESTS = 'http.server.request.start';

test('metrics that fail, and a connection that cannot be accepted, are logged and no more', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (...words: string[]) => void warnings.push(words.join(' ')) };
  let fails = true;
  const text = async (): Promise<string> => {
    if (fails) throw new Error('no figure');
    return 'figures';
  };
  const figures = { text, contentType: 'text/plain' };
  const served = await serveMetrics(figures, 0, () => true, log as never);
  afterTest(() => served.close());
  let server: Server | undefined;
  const see = (request: unknown): void => {
    server = (request as { server: Server }).server;
  };
  subscribe(REQUESTS, see);
  afterTest(() => void unsubscribe(REQUESTS, see));
  const ask = () => fetch(`http://127.0.0.1:${served.port}/metrics`);
  expect((await ask()).status).toBe(500);
  fails = false;
  server!.emit('error', new Error('accept EMFILE'));
  expect(await (await ask()).text()).toBe('figures');
  expect(warnings).toEqual(['no-metrics no figure', 'not-accepted accept EMFILE']);
});
