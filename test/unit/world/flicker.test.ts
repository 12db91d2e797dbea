/** The world slows what flashes. */
import type { FlashLimit } from '../../../shared/vocabulary.ts';
import fc, { forAll } from '../../support/property.ts';
import { GROWN, HandRoom, type Look } from '../../support/rooms.ts';

const RATE = 15;

const linear = (value: number): number => {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};

/** Ticks at which a place completes a change by a tenth that opposes the one before. */
function turnsOf(levels: readonly number[]): number[] {
  const ticks: number[] = [];
  let [edge, rises] = [levels[0], false];
  levels.forEach((level, tick) => {
    if (rises ? level > edge : level < edge) edge = level;
    else if (Math.abs(level - edge) >= 0.1 && Math.min(level, edge) < 0.8) {
      [edge, rises] = [level, !rises];
      ticks.push(tick);
    }
  });
  return ticks;
}

interface Watched {
  readonly limit: number;
  readonly rate?: number;
  readonly ticks?: number;
  /** Ticks in which a stroke cuts it. */
  readonly cuts?: readonly number[];
}

/**
 * The largest share of the 8×8 window around (16, 12) that shows more flashes within any second
 * than the limit allows.
 */
function worst(
  hand: HandRoom,
  look: Look,
  { limit, rate = RATE, ticks = 60, cuts = [] }: Watched,
): number {
  const { width, rgba } = hand.room.grid.planes;
  const places = Array.from({ length: 64 }, (_, i) => (8 + (i >> 3)) * width + 12 + (i % 8));
  const levels = places.map((): number[] => []);
  for (let tick = 0; tick < ticks; tick++) {
    if (cuts.includes(tick)) hand.damage([14, 4, 14, 20], 3);
    hand.tick(look);
    for (const [i, place] of places.entries()) levels[i].push(linear(rgba[4 * place]));
  }
  const over = new Array<number>(ticks).fill(0);
  for (const each of levels) {
    const turns = turnsOf(each);
    for (const [i, tick] of turns.entries()) {
      // A stroke darkens at once what it cuts, also in a pause: half a flash more.
      const most = 2 * limit + Number(cuts.includes(tick));
      if (tick - turns[i - most] < rate) over[tick]++;
    }
  }
  return Math.max(...over) / places.length;
}

const planted = (options: ConstructorParameters<typeof HandRoom>[0] = {}): HandRoom => {
  const hand = new HandRoom({ tickRate: RATE, ...options });
  hand.plant(16, 12);
  return hand;
};

/** Alternates between light and dark in every tick. */
const strobe: Look = ({ tick }) => (tick % 2 === 0 ? 255 : 60);

test('LIF-9: without a limit, this test’s checker finds an organism that flashes', () => {
  const unlimited = planted({ flashLimit: 1_000 as FlashLimit });
  expect(worst(unlimited, strobe, { limit: 3 })).toBeGreaterThan(0.9);
});

test('LIF-9: whatever its cells do, at any tick rate, and however it is cut and woken', () => {
  const levels = fc.array(fc.constantFrom(0, 40, 60, 120, 200, 240, 255), {
    minLength: 2,
    maxLength: 30,
  });
  const strokes = fc.array(fc.nat(180), { maxLength: 40 });
  const limits = fc.constantFrom<FlashLimit>(2, 3);
  const rates = fc.constantFrom(5, 8, 15, 30, 60);
  forAll(levels, strokes, limits, rates, fc.nat(7), (looks, cuts, limit, rate, shift) => {
    const hand = planted({ flashLimit: limit, tickRate: rate });
    const look: Look = ({ x, tick }) => looks[(tick + (x % 3) * shift) % looks.length];
    const watched = { limit, rate, ticks: 180, cuts };
    expect(worst(hand, look, watched)).toBeLessThanOrEqual(0.25);
  });
});

test('LIF-9: a slowed organism pauses, goes on slowly, and takes every step again after it slept', () => {
  const hand = planted();
  const steps = Array.from({ length: 40 }, () => {
    hand.tick(strobe);
    return hand.steps;
  });
  const first = steps.indexOf(0);
  expect(first).toBeGreaterThan(5);
  expect(steps.slice(first, first + RATE - 1)).not.toContain(1);
  expect(steps.slice(first + RATE - 1).filter(Boolean).length).toBeGreaterThan(3);
  while (hand.room.awake > 0) hand.tick();
  hand.damage([12, 12, 20, 12], 2);
  hand.ticks(3);
  expect(hand.steps).toBe(1);
});

test('LIF-9: what does not flash takes a step every tick', () => {
  const hand = planted();
  for (let tick = 0; tick < GROWN + 10; tick++) {
    // As light as can be, fades, changes once: no flashes.
    hand.tick((cell) => 255 - 4 * (cell.tick % 4) - (tick > 12 ? 100 : 0));
    expect(hand.steps).toBe(1);
  }
});
