/** When ticks were by the wall clock: pauses and changes of the rate are known, in few points. */
import { TickTimes } from '../../../server/world/tick-times.ts';
import { createRandom } from '../../../shared/random.ts';
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../../shared/time-points.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 10, 27, 12);

/** Ticks of a room, with the clock that the test moves. */
class Ticking {
  tick = 0;
  /** When each tick was. */
  readonly real: number[] = [];
  times = new TickTimes();

  constructor(public at = NOON) {
    this.times.goOn({ tick: 0, at }, 15);
    this.real[0] = at;
  }

  run(time: number, rate: number, jitter = () => 0): void {
    const end = this.at + time;
    while (this.at + 1000 / rate <= end) {
      this.at += 1000 / rate;
      this.real[++this.tick] = this.at + jitter();
      this.times.add({ tick: this.tick, at: this.real[this.tick] });
    }
  }

  /** The machine is off, and starts again. */
  restart(off: number): void {
    this.at += off;
    this.times = new TickTimes(JSON.parse(JSON.stringify(this.times.known)));
    this.times.goOn({ tick: this.tick, at: this.at }, 15);
  }

  told = (tick: number): number => dateOf(this.times.known, tick);
  /** Largest error of any tick, ms. */
  get error(): number {
    return this.real.reduce((most, at, tick) => Math.max(most, Math.abs(this.told(tick) - at)), 0);
  }
}

const dateOf = (points: readonly TimePoint[], tick: number): number =>
  interpolate(
    points.map((one) => one.tick),
    points.map((one) => one.at),
    tick,
  );

test('a day with a night between, changed rates and a pause is known to seconds, in few points', () => {
  const room = new Ticking();
  const random = createRandom(4);
  const jitter = () => 300 * random.uniform();
  room.run(2 * HOUR, 15, jitter);
  room.run(HOUR, 5, jitter);
  const evening = room.tick;
  room.restart(15 * HOUR);
  room.run(HOUR, 5, jitter);
  // The machine sleeps.
  room.at += 20 * MINUTE;
  room.run(HOUR, 15, jitter);
  expect(room.error).toBeLessThan(5_500);
  expect(room.times.known.length).toBeLessThanOrEqual(MOST_TIME_POINTS);
  // The last tick of the day was in the evening, the next in the morning.
  expect(room.told(evening + 1) - room.told(evening)).toBeGreaterThan(14.9 * HOUR);
});

test('a room that ran on after the last known tick stood still only after that', () => {
  const times = new TickTimes([
    { tick: 0, at: NOON },
    { tick: 900, at: NOON + MINUTE },
  ]);
  times.goOn({ tick: 1_800, at: NOON + HOUR }, 15);
  expect(dateOf(times.known, 1_800)).toBe(NOON + 2 * MINUTE);
  expect(dateOf(times.known, 1_350)).toBe(NOON + 1.5 * MINUTE);
  expect(times.known.at(-1)).toEqual({ tick: 1_800, at: NOON + HOUR });
});

test('a room that has lost its last ticks goes on from an earlier one', () => {
  const times = new TickTimes([
    { tick: 0, at: NOON },
    { tick: 900, at: NOON + MINUTE },
    { tick: 1_800, at: NOON + 2 * MINUTE },
  ]);
  times.goOn({ tick: 1_350, at: NOON + HOUR }, 15);
  times.add({ tick: 1_365, at: NOON + HOUR + 1_000 });
  expect(dateOf(times.known, 1_350)).toBe(NOON + 1.5 * MINUTE);
  expect(dateOf(times.known, 1_365)).toBe(NOON + HOUR + 1_000);
});

test('a room without a pace has at most so many points, and those tell the longest pauses', () => {
  const room = new Ticking();
  for (let i = 1; i <= 600; i++) {
    room.run(MINUTE, i % 2 ? 3 : 1);
    if (i % 100 === 0) room.at += HOUR;
  }
  expect(room.times.known.length).toBeLessThanOrEqual(MOST_TIME_POINTS);
  expect(room.error).toBeLessThan(2 * MINUTE);
});

test('a clock that was 800 days ahead for an hour leaves each tick at its time', () => {
  const AHEAD = 800 * 24 * HOUR;
  const room = new Ticking();
  room.run(HOUR, 15);
  room.at += AHEAD;
  room.run(HOUR, 15);
  room.at -= AHEAD;
  room.run(HOUR, 15);
  for (const ago of [0.5, 1.5, 2.5]) {
    const tick = room.tick - ago * 3_600 * 15;
    expect(Math.abs(room.told(tick) - (room.at - ago * HOUR))).toBeLessThan(6_000);
  }
});

test('nothing was later than now, also after the clock was set back', () => {
  const room = new Ticking();
  room.run(HOUR, 15);
  room.at -= 30 * MINUTE;
  const { at } = room;
  expect(Math.max(...room.times.until({ tick: room.tick, at }).map((one) => one.at))).toBe(at);
  room.run(10 * MINUTE, 15);
  expect(room.told(room.tick)).toBe(room.at);
  expect(room.told(room.tick - 4_500)).toBeCloseTo(room.at - 5 * MINUTE, -4);
  expect(room.times.known.every((one, i, all) => i === 0 || one.at >= all[i - 1].at)).toBe(true);
});
