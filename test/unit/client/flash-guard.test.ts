/** The guard keeps a page below three flashes per second, or two, whatever the room does. */
import { FlashGuard, HOLD, RELEASE } from '../../../client/render/flash-guard.ts';
import type { FlashLimit } from '../../../shared/vocabulary.ts';
import { expectNear } from '../../support/compare.ts';
import fc, { between, forRuns } from '../../support/property.ts';

const COLUMNS = 20;
const ROWS = 10;
const ZONES = COLUMNS * ROWS;
const FRAME = 1000 / 60;

/** Light of a zone at a time, without the guard; 0…1. */
type Scene = (zone: number, now: number) => number;

/** A measurement, as the GPU makes it. @param luminance of each zone; 0…1 */
function measured(luminance: ArrayLike<number>, red = 0): Uint8Array {
  const levels = new Uint8Array(4 * ZONES);
  for (let zone = 0; zone < ZONES; zone++) {
    levels[4 * zone] = Math.round(255 * luminance[zone]);
    levels[4 * zone + 1] = Math.round(255 * red);
  }
  return levels;
}

/** Levels of light of a guarded wall, by frame; measurements arrive two frames late. */
function show(scene: Scene, frames: number, frame = FRAME, limit: FlashLimit = 3): Float32Array[] {
  const guard = new FlashGuard(COLUMNS, ROWS, limit);
  const shares = new Uint8Array(ZONES);
  const late: { levels: Uint8Array; at: number }[] = [];
  const shown: Float32Array[] = [];
  for (let i = 0; i < frames; i++) {
    const now = 1_000 + i * frame;
    const wanted = Float32Array.from({ length: ZONES }, (_, zone) => scene(zone, now));
    if (late.length === 2) {
      const { levels, at } = late.shift()!;
      guard.measure(levels, at);
    }
    late.push({ levels: measured(wanted), at: now });
    const before = shown.at(-1);
    if (!before || !guard.isSoft(now)) {
      shown.push(wanted);
      continue;
    }
    guard.shares(now, frame, shares);
    shown.push(wanted.map((to, zone) => before[zone] + (to - before[zone]) * (shares[zone] / 255)));
  }
  return shown;
}

/** Frames at which a zone has changed by a tenth and back again: half a flash each. */
function halfFlashes(levels: readonly number[]): number[] {
  const times: number[] = [];
  let [low, high, direction] = [levels[0], levels[0], 0];
  levels.forEach((level, i) => {
    if (direction >= 0 && high - level >= 0.1 && level < 0.8) {
      [direction, low] = [-1, level];
      times.push(i);
    } else if (direction <= 0 && level - low >= 0.1 && low < 0.8) {
      [direction, high] = [1, level];
      times.push(i);
    }
    high = Math.max(high, level);
    low = Math.min(low, level);
    if (direction > 0) low = level;
    if (direction < 0) high = level;
  });
  return times;
}

/**
 * The largest share that flashes more often in a second than the limit allows, of the wall or of any
 * window of a third of its sides.
 */
function worst(shown: readonly Float32Array[], frame = FRAME, limit: FlashLimit = 3): number {
  const second = Math.floor(1000 / frame);
  const bad = shown.map(() => new Uint8Array(ZONES));
  for (let zone = 0; zone < ZONES; zone++) {
    const times = halfFlashes(shown.map((levels) => levels[zone]));
    // Seven changes make more than three flashes.
    for (let i = 2 * limit; i < times.length; i++) {
      const first = times[i - 2 * limit];
      if (times[i] - first >= second) continue;
      const until = Math.min(shown.length, first + second);
      for (let at = times[i]; at < until; at++) bad[at][zone] = 1;
    }
  }
  return Math.max(...bad.flatMap((zones) => [share(zones, 1), share(zones, 3)]));
}

/** The largest share of a window, of a part of the wall's sides, that is marked. */
function share(zones: Uint8Array, part: number): number {
  const [width, height] = [Math.floor(COLUMNS / part), Math.floor(ROWS / part)];
  let most = 0;
  if (!zones.includes(1)) return most;
  for (let top = 0; top + height <= ROWS; top++) {
    for (let left = 0; left + width <= COLUMNS; left++) {
      let count = 0;
      for (let y = top; y < top + height; y++) {
        for (let x = left; x < left + width; x++) count += zones[y * COLUMNS + x];
      }
      most = Math.max(most, count / (width * height));
    }
  }
  return most;
}

const square = (hertz: number, low = 0, high = 1): Scene => {
  return (_, now) => (Math.floor((now / 1000) * hertz * 2) % 2 === 0 ? low : high);
};

test('without the guard, this test’s checker finds a wall that flashes eight times a second', () => {
  const bare = Array.from({ length: 240 }, (_, i) => {
    return new Float32Array(ZONES).fill(square(8)(0, i * FRAME));
  });
  expect(worst(bare)).toBe(1);
});

test.each<[hertz: number, limit: FlashLimit]>([
  ...[3.5, 5, 12, 29].map((hertz): [number, FlashLimit] => [hertz, 3]),
  ...[2.3, 29].map((hertz): [number, FlashLimit] => [hertz, 2]),
])('a wall that flashes %d times a second is softened below %i', (hertz, limit) => {
  const shown = show(square(hertz), 600, FRAME, limit);
  expect(worst(shown, FRAME, limit)).toBe(0);
  // Once the guard has measured it, it is no longer visible.
  const late = shown.slice(-120).map((levels) => levels[0]);
  expect(Math.max(...late) - Math.min(...late)).toBeLessThan(0.1);
});

test('a window of another size goes on softening, and counts what has flashed before', () => {
  for (const limit of [2, 3] as const) {
    const guard = new FlashGuard(COLUMNS, ROWS, 3);
    const left = (i: number) =>
      Float32Array.from({ length: ZONES }, (_, zone) => (zone % COLUMNS < 10 ? i % 2 : 0));
    for (let i = 0; i < 40; i++) guard.measure(measured(left(i)), i * 30);
    const larger = new FlashGuard(2 * COLUMNS, 2 * ROWS, limit);
    larger.takeOver(guard);
    expect(larger.isSoft(1_200)).toBe(true);
    const shares = new Uint8Array(4 * ZONES);
    larger.shares(1_200, FRAME, shares);
    expect(Math.max(...shares.slice(0, 20))).toBeLessThan(20);
    expect(shares[2 * COLUMNS - 1]).toBe(255);
    expect(larger.isSoft(1_170 + HOLD + RELEASE)).toBe(false);
  }
});

test('moving the camera is no flash, and flashing is found again when it rests', () => {
  const guard = new FlashGuard(COLUMNS, ROWS, 3);
  const measure = (i: number): void => {
    guard.measure(measured(new Float32Array(ZONES).fill(i % 2)), i * 30);
  };
  for (let i = 0; i < 40; i++) {
    guard.forget();
    measure(i);
  }
  expect(guard.isSoft(40 * 30)).toBe(false);
  for (let i = 40; i < 48; i++) measure(i);
  expect(guard.isSoft(48 * 30)).toBe(true);
});

test('a single change is shown at once, however large', () => {
  const scene: Scene = (zone, now) => (now > 1_500 ? 1 - (zone % 3) / 3 : 0);
  const shown = show(scene, 120);
  shown.forEach((levels, i) => {
    expectNear(
      levels,
      levels.map((_, zone) => scene(zone, 1_000 + i * FRAME)),
      5e-7,
    );
  });
});

test('a small flashing area is left alone, and so is everything around a large one', () => {
  const corner: Scene = (zone, now) => (zone === 0 ? square(8)(zone, now) : 0.3);
  for (const [i, levels] of show(corner, 300).entries()) {
    expect(levels[0]).toBe(corner(0, 1_000 + i * FRAME));
  }
  // A third of the wall's width, all its height: softened, and the other side moves as it will.
  const left: Scene = (zone, now) => {
    return zone % COLUMNS < 7 ? square(8)(zone, now) : 0.2 + 0.05 * Math.sin(now / 300);
  };
  const shown = show(left, 300);
  expect(worst(shown)).toBe(0);
  for (const [i, levels] of shown.entries()) {
    expect(levels[COLUMNS - 1]).toBeCloseTo(left(COLUMNS - 1, 1_000 + i * FRAME), 5);
  }
});

test('after the flashing, the picture is exact again within seconds', () => {
  const scene: Scene = (zone, now) => (now < 4_000 ? square(10)(zone, now) : 0.7);
  const shown = show(scene, 600);
  const after = Math.ceil((3_000 + HOLD + RELEASE + 1_200) / FRAME);
  for (const levels of shown.slice(after)) expect(levels[5]).toBeCloseTo(0.7, 5);
});

test('dark flashes of saturated red are softened too', () => {
  const guard = new FlashGuard(COLUMNS, ROWS, 3);
  const luminance = new Float32Array(ZONES).fill(0.05);
  for (let i = 0; i < 40; i++) {
    guard.measure(measured(luminance, i % 4 < 2 ? 0.2 : 0), i * 30);
  }
  expect(guard.isSoft(40 * 30)).toBe(true);
});

test('whatever flickers, no quarter of the wall or of a ninth of it flashes too often', () => {
  const flicker = fc.record({
    from: fc.nat(COLUMNS - 1),
    to: fc.nat(COLUMNS - 1),
    hertz: between(0.5, 29),
    low: between(0, 0.5),
    high: between(0.5, 1),
    begins: fc.nat(3_000),
    lasts: fc.integer({ min: 200, max: 4_000 }),
  });
  const frame = fc.constantFrom(FRAME, 1000 / 30, 1000 / 120);
  const limits = fc.constantFrom<FlashLimit>(2, 3);
  const some = fc.array(flicker, { minLength: 1, maxLength: 6 });
  forRuns(12, some, frame, limits, (flickers, step, limit) => {
    const scene: Scene = (zone, now) => {
      const x = zone % COLUMNS;
      for (const { from, to, hertz, low, high, begins, lasts } of flickers) {
        const within = x >= Math.min(from, to) && x <= Math.max(from, to);
        const time = now - 1_000 - begins;
        if (within && time >= 0 && time < lasts) return square(hertz, low, high)(zone, now);
      }
      return 0.2;
    };
    const shown = show(scene, Math.ceil(7_000 / step), step, limit);
    expect(worst(shown, step, limit)).toBeLessThanOrEqual(0.25);
  });
});
