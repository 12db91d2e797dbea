import type { Room } from '../../../server/world/room.ts';
import { Ticker, type TickerOptions, type TickTiming } from '../../../server/world/ticker.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { HandRoom } from '../../support/rooms.ts';

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

test('TIM-4: a room whose tick does not end soon counts as slow', async () => {
  let ends = true;
  const { clock, ticker } = start(() => 0, {
    tick: () => (ends ? Promise.resolve() : new Promise(() => {})),
  });
  const room = roomOf();
  ticker.add(room, 15);
  await clock.advance(3_000);
  ends = false;
  await clock.advance(500);
  expect(ticker.pace(room)).toMatchObject({ slow: true });
});

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

test('a failed tick is reported once and stops the ticker', async () => {
  const { clock, errors, ticker } = start(() => {
    throw new Error('engine gone');
  });
  ticker.add(roomOf(), 15);
  await clock.advance(1_000);
  expect(errors).toEqual([new Error('engine gone')]);
  expect(clock.waiting).toBe(0);
});
