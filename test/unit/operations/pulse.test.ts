import { Pulse } from '../../../server/operations/pulse.ts';
import { FakeClock } from '../../support/fakeClock.ts';

function start() {
  const clock = new FakeClock();
  const seen = { stalls: 0, beats: 0 };
  const pulse = new Pulse({
    clock,
    patience: 30_000,
    onStalled: () => {
      seen.stalls++;
    },
    onBeat: () => {
      seen.beats++;
    },
  });
  return { clock, pulse, seen };
}

test('beats while ticks end, and while there is nothing to do', async () => {
  const { clock, pulse, seen } = start();
  await clock.advance(60_000);
  for (let i = 0; i < 60; i++) {
    await pulse.during(() => clock.advance(900));
    await clock.advance(100);
  }
  expect(pulse.beats).toBe(true);
  expect(seen).toEqual({ stalls: 0, beats: 120 });
});

test('a tick that does not end stops the beat, and then is called a stall, once', async () => {
  const { clock, pulse, seen } = start();
  void pulse.during(() => new Promise(() => {}));
  await clock.advance(10_000);
  expect(pulse.beats).toBe(false);
  expect(seen.stalls).toBe(0);
  await clock.advance(25_000);
  expect(seen.stalls).toBe(1);
  await clock.advance(100_000);
  expect(seen.stalls).toBe(1);
  expect(seen.beats).toBeLessThan(8);
});

test('a process that was stopped for half a minute in a tick has not stalled', async () => {
  const { clock, pulse, seen } = start();
  let end = (): void => {};
  void pulse.during(
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
  expect(pulse.beats).toBe(true);
  pulse.stop();
});
