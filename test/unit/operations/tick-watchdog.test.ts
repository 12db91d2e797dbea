import { TickWatchdog } from '../../../server/operations/tick-watchdog.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function start() {
  const clock = new FakeClock();
  const seen = { stalls: 0, beats: 0 };
  const watchdog = new TickWatchdog({
    clock,
    onStalled: () => seen.stalls++,
    onHeartbeat: () => seen.beats++,
  });
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
