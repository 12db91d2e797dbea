import { RestartLimit } from '../../../server/operations/supervisor.ts';
import {
  DESCRIPTOR_INTERVAL,
  DISK_INTERVAL,
  DiskWatch,
  ExhaustionWatch,
  FILLING,
  limitsWithin,
  readDescriptors,
  TickWatchdog,
} from '../../../server/operations/watches.ts';
import { type Log, silentLog, textLog } from '../../../server/platform/log.ts';
import { DEFAULT_LIMITS } from '../../../server/realtime/limits/connection-limits.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('the log warns once when space becomes low, and says once when there is enough', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  let free: number | undefined = 2 * FILLING;
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
  expect(await pass(FILLING)).toBe(false);
  expect(await pass(FILLING - 1)).toBe(true);
  expect(watch.free).toBe(FILLING - 1);
  expect(await pass(FILLING + 1)).toBe(true);
  expect(await pass(undefined)).toBe(true);
  expect(watch.free).toBeUndefined();
  expect(await pass(1.5 * FILLING)).toBe(false);
  expect(lines).toEqual([
    'disk-filling: Only 1023 MiB are free on the disk of the data folder. Free some space: below 128 MiB, nothing is stored.',
    '1536 MiB are free on the disk of the data folder again.',
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
  expect(seen.lines.at(-1)).toContain('only a few times an hour');
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
  expect(seen.lines).toEqual([expect.stringContaining('No supervisor restarts the server')]);
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
    await watchdog.during(() => clock.advance(900));
    await clock.advance(100);
  }
  expect(watchdog.isTicking).toBe(true);
  expect(seen).toEqual({ stalls: 0, beats: 120 });
});

test('a tick that does not end stops the heartbeat, and is reported once as stalled', async () => {
  const { clock, watchdog, seen } = start();
  void watchdog.during(() => new Promise(() => {}));
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
    () =>
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
