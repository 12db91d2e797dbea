/** The current: where things are seen, and when it flows. */
import {
  Current,
  displace,
  EASE,
  type Field,
  RIPPLES,
  undisplace,
} from '../../../client/render/current.ts';
import { lightOf } from '../../../client/render/light.ts';
import { skyAt } from '../../../server/platform/clock.ts';
import { isFull } from '../../support/needs.ts';
import fc, { between, forAll } from '../../support/property.ts';

const FRAME = 50;

/** Runs a current for some time. @returns its strengths, picture by picture */
function run(
  current: Current,
  { from, ms, wanted = true }: { from: number; ms: number; wanted?: boolean },
): number[] {
  const strengths: number[] = [];
  for (let now = from; now < from + ms; now += FRAME) {
    current.move(now, 15, 1, wanted);
    strengths.push(current.strength);
  }
  return strengths;
}

const field = fc.record({
  phases: fc.tuple(...Array.from({ length: 4 }, () => between(0, 2 * Math.PI))),
  strength: between(0, 2),
  ripple: fc.tuple(between(0, 300), between(0, 200), between(0, 70), between(0, 0.6)),
});

test('what is seen at a place is seen there: each function undoes the other, within a hundredth of a cell', () => {
  forAll(field, between(-20, 360), between(-20, 220), ({ phases, strength, ripple }, x, y) => {
    const ripples = new Float32Array(4 * RIPPLES);
    ripples.set(ripple);
    const of: Field = { phases: Float32Array.from(phases), strength, ripples };
    const seen = displace({ x, y }, of);
    const back = undisplace(seen, of);
    expect(Math.hypot(back.x - x, back.y - y)).toBeLessThan(0.01);
    // Within the margin that the server sends anyway, of 16 cells, of which a page uses 4.
    expect(Math.hypot(seen.x - x, seen.y - y)).toBeLessThan(8);
  });
});

test('pages that learn of the ticks at different times show the same current', () => {
  const pages = [0, 3_000].map((at) => {
    const page = new Current();
    page.ticked((15 * at) / 1000, at);
    run(page, { from: at, ms: 20_000 - at });
    page.move(20_000, 15, 1, true);
    return page;
  });
  expect(pages[0].strength).toBe(1);
  expect(pages[1].strength).toBe(1);
  const [a, b] = pages.map((page) => displace({ x: 100, y: 50 }, page));
  expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeLessThan(0.001);
});

test('a current swells and calms slowly, and then stands still', () => {
  const current = new Current();
  const swells = run(current, { from: 0, ms: EASE + 500 });
  expect(swells.at(-1)).toBe(1);
  const steps = swells.slice(1).map((strength, i) => strength - swells[i]);
  expect(Math.max(...steps)).toBeLessThan(0.03);
  expect(current.flows).toBe(true);
  const calms = run(current, { from: EASE + 500, ms: EASE + 500, wanted: false });
  expect(calms.at(-1)).toBe(0);
  expect(current.flows).toBe(false);
  expect(displace({ x: 10, y: 10 }, current)).toEqual({ x: 10, y: 10 });
});

test('when the room is at another time than thought, the water calms before it moves on', () => {
  const current = new Current();
  run(current, { from: 0, ms: 10_000 });
  const before = displace({ x: 100, y: 50 }, current);
  current.ticked(15 * 500, 10_000);
  const strengths = run(current, { from: 10_000, ms: 100 });
  const after = displace({ x: 100, y: 50 }, current);
  expect(Math.hypot(after.x - before.x, after.y - before.y)).toBeLessThan(0.2);
  expect(strengths.at(-1)).toBeLessThan(1);
  expect(Math.min(...run(current, { from: 10_100, ms: 2 * EASE }))).toBeLessThan(0.001);
  expect(run(current, { from: 10_100 + 2 * EASE, ms: EASE }).at(-1)).toBe(1);
});

test('a machine that is too slow does without the current, for longer each time', () => {
  const current = new Current();
  const rest = (from: number): number => {
    for (let i = 0; i < 8; i++) current.paced(true, from);
    run(current, { from, ms: EASE + 1_000 });
    expect(current.flows).toBe(false);
    let now = from + EASE + 1_000;
    for (; !current.flows; now += FRAME) current.move(now, 15, 1, true);
    return now - from;
  };
  run(current, { from: 0, ms: 5_000 });
  const first = rest(5_000);
  const second = rest(200_000);
  expect(first).toBeGreaterThanOrEqual(59_000);
  expect(second).toBeGreaterThan(1.8 * first);
});

test('the light is that of the hour and the season, never jumps, and is never black', () => {
  const at = (day: number, minute: number, zone = 'Europe/Copenhagen') =>
    lightOf(skyAt(new Date(2026, 0, day, 0, minute).getTime(), zone));
  const minutes = Array.from({ length: 1440 }, (_, i) => at(166, i));
  minutes.forEach((light, i) => {
    const next = minutes[(i + 1) % minutes.length];
    expect(Math.max(...light.map((value, j) => Math.abs(value - next[j])))).toBeLessThan(0.005);
    expect(light[2]).toBeGreaterThan(0.05);
  });
  const [night, noon, winter] = [minutes[0], minutes[720], at(15, 720)];
  expect(noon[4]).toBeGreaterThan(2 * night[4]);
  expect(winter[5] / winter[3]).toBeGreaterThan(1.1 * (noon[5] / noon[3]));
  const southern = at(15, 720, 'Australia/Sydney');
  expect(southern[5] / southern[3]).toBeCloseTo(noon[5] / noon[3], 1);
  for (let day = 1; day < 365; day += isFull ? 1 : 5) {
    const [a, b] = [day, day + 1].map((of) => at(of, 720));
    expect(Math.max(...a.map((value, j) => Math.abs(value - b[j])))).toBeLessThan(0.005);
  }
});
