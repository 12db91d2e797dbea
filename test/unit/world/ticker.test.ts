import type { Engine, PatchStep, Readout } from '../../../server/engine/engine.ts';
import { pause } from '../../../server/platform/clock.ts';
import type { Room } from '../../../server/world/room.ts';
import { growthStep } from '../../../server/world/species.ts';
import { TickTimes } from '../../../server/world/tick-times.ts';
import {
  DeferredWork,
  Ticker,
  type TickerOptions,
  type TickTiming,
} from '../../../server/world/ticker.ts';
import { World } from '../../../server/world/world.ts';
import { createRandom } from '../../../shared/random.ts';
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../../shared/time-points.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { HandRoom, SPECIES } from '../../support/rooms.ts';

function start(cost: (tick: number) => number, options: Partial<TickerOptions> = {}) {
  const clock = new FakeClock();
  const begun: { at: number; rooms: Room[] }[] = [];
  const errors: unknown[] = [];
  const ticker = new Ticker({
    clock,
    tick: async (rooms) => {
      begun.push({ at: clock.now() - 1_000, rooms });
      clock.spend(cost(begun.length));
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  return { clock, begun, errors, ticker };
}

const roomOf = (): Room => new HandRoom().room;

/** A world whose engine takes a millisecond for each patch, one call after the other. */
function slowWorld() {
  const clock = new FakeClock();
  const ages = new Map<number, number>();
  let last: Promise<unknown> = Promise.resolve();
  const engine = {
    longest: 0,
    plant: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
    step(steps: readonly PatchStep[]) {
      const readouts = steps.map(({ patch }): Readout => {
        const age = ages.get(patch) ?? 0;
        ages.set(patch, age + 1);
        const { stage } = growthStep(SPECIES, age);
        const cells = stage * stage;
        const rgba = new Uint8Array(4 * cells).fill(255);
        return { patch, stage, rgba, presence: rgba.slice(0, cells), change: 255 };
      });
      const done = last.then(() => pause(clock, steps.length)).then(() => readouts);
      if (clock.now() > 3_000) this.longest = Math.max(this.longest, steps.length);
      last = done;
      return done;
    },
  };
  const world = new World(engine as unknown as Engine);
  const ticker = new Ticker({
    clock,
    tick: async (rooms, isApart) => void (await world.tick(rooms, undefined, isApart)),
    onError: (error) => {
      throw error;
    },
  });
  return { clock, ticker, world, engine };
}

test('a room held twice stands still until both holds are released', async () => {
  const { clock, begun, ticker } = start(() => 0);
  const room = roomOf();
  ticker.add(room, 10);
  await clock.advance(1_000);
  const before = begun.length;
  await ticker.hold(room);
  await ticker.hold(room);
  ticker.resume(room);
  await clock.advance(1_000);
  expect(begun).toHaveLength(before);
  ticker.resume(room);
  await clock.advance(1_000);
  expect(begun.length - before).toBeGreaterThan(8);
});

test('TIM-4: ticks do not drift, however uneven they are', async () => {
  const { clock, begun, ticker } = start((tick) => (tick % 3) * 20);
  const room = roomOf();
  ticker.add(room, 15);
  await clock.advance(10_000);
  expect(begun.length).toBeGreaterThanOrEqual(149);
  begun.forEach(({ at }, i) => {
    const period = 1000 / 15;
    expect(Math.abs(at - Math.round(at / period) * period)).toBeLessThan(0.01);
    if (i > 0) expect(Math.round((at - begun[i - 1].at) / period)).toBe(1);
  });
  expect(ticker.pace(room)).toMatchObject({ tickRate: 15, slow: false });
});

test('TIM-4: missed ticks are dropped; the room counts as slow, and recovers', async () => {
  let heavy = true;
  const { clock, begun, ticker } = start(() => (heavy ? 150 : 1));
  const room = roomOf();
  ticker.add(room, 15);
  await clock.advance(6_000);
  const slow = ticker.pace(room)!;
  expect(slow.slow).toBe(true);
  expect(slow.actual).toBeGreaterThan(4);
  expect(slow.actual).toBeLessThan(7);
  heavy = false;
  const before = begun.length;
  await clock.advance(4_000);
  // Sixty in four seconds, without a burst to catch up.
  expect(begun.length - before).toBeGreaterThanOrEqual(58);
  expect(begun.length - before).toBeLessThanOrEqual(61);
  expect(ticker.pace(room)).toMatchObject({ slow: false });
});

test.each([1, 2, 3, 15, 60])(
  'TIM-4: a room on time is never slow, at a rate of %i',
  async (rate) => {
    const { clock, ticker } = start(() => 1);
    const room = roomOf();
    ticker.add(room, rate);
    for (let i = 0; i < 500; i++) {
      await clock.advance(13);
      expect(ticker.pace(room)).toMatchObject({ slow: false });
    }
  },
);

test('onTick reports how late each tick began, and how long it took', async () => {
  const heard: TickTiming[] = [];
  const { clock, ticker } = start((tick) => (tick === 3 ? 130 : 30), {
    onTick: (timing) => heard.push(timing),
  });
  ticker.add(roomOf(), 10);
  await clock.advance(500);
  expect(heard.map(({ late }) => Math.round(late)).slice(0, 5)).toEqual([0, 0, 0, 30, 0]);
  expect(heard.map(({ took }) => Math.round(took)).slice(0, 5)).toEqual([30, 30, 130, 30, 30]);
});

test('an early timer does not cause an extra tick', async () => {
  const clock = new FakeClock();
  const ticks: number[] = [];
  const ticker = new Ticker({
    clock: {
      now: () => clock.now(),
      after: (delay, call) => clock.after(Math.max(1, Math.floor(delay)), call),
    },
    tick: async (rooms) => void ticks.push(rooms.length),
    onError: () => {},
  });
  ticker.add(roomOf(), 15);
  for (let k = 0; k < 1_000; k++) await clock.advance(1);
  expect(ticks).toEqual(Array(ticks.length).fill(1));
  expect(Math.abs(ticks.length - 15)).toBeLessThanOrEqual(1);
});

test('rooms of one rate tick together; the rate can be changed', async () => {
  const { clock, begun, ticker } = start(() => 1);
  const [a, b, c] = [roomOf(), roomOf(), roomOf()];
  ticker.add(a, 10);
  await clock.advance(333);
  ticker.add(b, 10);
  ticker.add(c, 5);
  await clock.advance(2_000);
  const late = begun.filter(({ at }) => at > 500);
  expect(
    late.filter(({ rooms }) => rooms.includes(a)).every(({ rooms }) => rooms.includes(b)),
  ).toBe(true);
  const count = (room: Room) => late.filter(({ rooms }) => rooms.includes(room)).length;
  expect(count(a)).toBe(2 * count(c));
  ticker.setRate(a, 60);
  const before = begun.length;
  await clock.advance(1_000);
  expect(
    begun.slice(before).filter(({ rooms }) => rooms.includes(a)).length,
  ).toBeGreaterThanOrEqual(59);
  expect(() => ticker.setRate(a, 0)).toThrow(RangeError);
  expect(() => ticker.setRate(a, 61)).toThrow(RangeError);
  await ticker.stop();
  expect(clock.waiting).toBe(0);
});

test('TIM-4: a room that cannot keep its rate does not slow the others', async () => {
  const { clock, ticker, world, engine } = slowWorld();
  const [heavy, light, small] = [150, 2, 5].map((organisms, i) => {
    const room = world.open({
      ...{ name: `${i}`, width: 8 * 150, height: 8, maxOrganisms: 150, seed: 1 },
      species: { ...SPECIES, trustedSteps: 10_000 },
    });
    for (let k = 0; k < organisms; k++) {
      const seed = { from: 'gallery', index: 0 } as const;
      room.enqueue(k, { what: 'plant', by: HOUSE, x: 8 * k + 4, y: 4, seed });
    }
    ticker.add(room, 15);
    return room;
  });
  await clock.advance(2_000);
  const before = [heavy, light, small].map(({ tick }) => tick);
  await clock.advance(10_000);
  const rates = [heavy, light, small].map(({ tick }, i) => (tick - before[i]) / 10);
  // Alone it would have 1000 / 150 = 6.7.
  expect(rates[0]).toBeGreaterThan(5);
  expect(rates[1]).toBeGreaterThan(14.5);
  expect(rates[2]).toBeGreaterThan(14.5);
  expect(light.awake + small.awake + heavy.awake).toBe(157);
  const stopping = ticker.stop();
  await clock.advance(1_000);
  await stopping;
  expect(engine.longest).toBeLessThan(25);
});

test('TIM-4: once it is fast again, it ticks together with the others', async () => {
  let cost = 150;
  const { clock, begun, ticker } = start(() => 0, {
    tick: async (rooms) => {
      begun.push({ at: clock.now(), rooms });
      if (rooms.includes(a)) await pause(clock, cost);
    },
  });
  const [a, b] = [roomOf(), roomOf()];
  for (const room of [a, b]) ticker.add(room, 15);
  await clock.advance(2_000);
  expect(ticker.pace(a)).toMatchObject({ slow: true });
  expect(ticker.pace(b)).toMatchObject({ slow: false });
  let held = false;
  const holding = ticker.hold(a).then(() => {
    held = true;
  });
  await clock.advance(10);
  expect(held).toBe(false);
  await clock.advance(150);
  await holding;
  ticker.resume(a);
  cost = 1;
  await clock.advance(2_000);
  begun.length = 0;
  await clock.advance(1_000);
  expect(begun.filter(({ rooms }) => rooms.length === 2).length).toBeGreaterThanOrEqual(14);
  expect(begun.length).toBeLessThanOrEqual(16);
  await ticker.stop();
});

test('where slow rooms leave no pause, the end of each tick is reported as one without time', async () => {
  const clock = new FakeClock();
  const rooms = [roomOf(), roomOf()];
  let ended = 0;
  const left: number[] = [];
  const ticker = new Ticker({
    clock,
    tick: async ([room]) => {
      await pause(clock, room === rooms[0] ? 150 : 190);
      ended++;
    },
    onPause: (until) => left.push(until - clock.now()),
    onError: (error) => {
      throw error;
    },
  });
  for (const room of rooms) ticker.add(room, 15);
  await clock.advance(10_000);
  [ended, left.length] = [0, 0];
  await clock.advance(10_000);
  expect(ended).toBeGreaterThan(80);
  expect(left.length).toBeGreaterThanOrEqual(0.9 * ended);
  expect(Math.max(...left)).toBeLessThanOrEqual(0);
});

test('a failed tick is reported once and stops the ticker', async () => {
  const { clock, errors, ticker } = start(() => {
    throw new Error('engine gone');
  });
  ticker.add(roomOf(), 15);
  await clock.advance(1_000);
  expect(errors).toEqual([new Error('engine gone')]);
  expect(clock.waiting).toBe(0);
});

/** When ticks were by the wall clock: pauses and changes of the rate are known, in few points. */

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

test('a room that restarts hundreds of times never has more points than a snapshot may hold', () => {
  const room = new Ticking();
  for (let i = 0; i < 600; i++) {
    room.run((i % 9) * 1_000, 3);
    expect(room.times.known.length).toBeLessThanOrEqual(MOST_TIME_POINTS);
    room.restart((i % 7) * 1_000);
  }
  expect(room.times.known.length).toBeGreaterThan(MOST_TIME_POINTS / 2);
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

describe('deferred work', () => {
  function start() {
    const clock = new FakeClock();
    const done: string[] = [];
    const deferredWork = new DeferredWork(clock, (error) => done.push(`${error}`));
    return { clock, deferredWork, done, work: (name: string) => () => void done.push(name) };
  }

  test('deferred work runs once: when there is time, soon in any case, or before other work', async () => {
    const { clock, deferredWork, done, work } = start();
    deferredWork.defer(work('frames'));
    expect(done).toEqual([]);
    deferredWork.run();
    deferredWork.run();
    await clock.advance(1_000);
    expect(done).toEqual(['frames']);
    deferredWork.defer(work('late'));
    await clock.advance(10);
    expect(done).toEqual(['frames', 'late']);
    deferredWork.defer(work('one'));
    deferredWork.defer(work('other'));
    expect(done.slice(2)).toEqual(['one']);
    deferredWork.run();
    expect(done.slice(2)).toEqual(['one', 'other']);
    expect(clock.waiting).toBe(0);
  });

  test('errors are reported, not thrown', () => {
    const { deferredWork, done } = start();
    deferredWork.defer(() => {
      throw new Error('broken');
    });
    deferredWork.run();
    deferredWork.run();
    expect(done).toEqual(['Error: broken']);
  });
});
