import type { Engine, PatchStep, Readout } from '../../../server/engine/engine.ts';
import { pause } from '../../../server/platform/clock.ts';
import type { Room } from '../../../server/world/room.ts';
import { growthStep } from '../../../server/world/species.ts';
import { Ticker, type TickerOptions, type TickTiming } from '../../../server/world/ticker.ts';
import { World } from '../../../server/world/world.ts';
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
