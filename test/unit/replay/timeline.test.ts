/** Which tick was when. */
import { Timeline } from '../../../server/replay/journal-range.ts';
import fc, { forAll } from '../../support/property.ts';

test('times never decrease, even if the clock was set back', () => {
  const fix = fc.record({ tick: fc.nat(1_000), at: fc.nat(1_000) });
  forAll(fc.array(fix, { minLength: 1 }), fc.nat(1_200), fc.nat(1_200), (fixes, a, b) => {
    const timeline = new Timeline(fixes);
    const [early, late] = [Math.min(a, b), Math.max(a, b)];
    expect(timeline.tickAt(early)).toBeLessThanOrEqual(timeline.tickAt(late));
    expect(timeline.timeOf(early)).toBeLessThanOrEqual(timeline.timeOf(late));
  });
});

test('a clock that was ahead for a while leads to no tick of another time', () => {
  const AHEAD = 800 * 86_400_000;
  // A tick a second; ahead from tick 100 to 200.
  const timeOf = (tick: number) => 1_000 * tick + (tick >= 100 && tick < 200 ? AHEAD : 0);
  const ticks = Array.from({ length: 31 }, (_, i) => 10 * i);
  const timeline = new Timeline(ticks.map((tick) => ({ tick, at: timeOf(tick) })));
  for (const tick of [40, 130, 170, 230, 300]) {
    expect(Math.abs(timeline.tickAt(1_000 * tick) - tick)).toBeLessThanOrEqual(10);
    expect(Math.abs(timeline.timeOf(tick) - 1_000 * tick)).toBeLessThanOrEqual(10_000);
  }
});

test('of a time that came twice, the later tick counts', () => {
  // Set back by an hour at tick 100.
  const timeline = new Timeline([
    { tick: 0, at: 7_200_000 },
    { tick: 99, at: 10_800_000 },
    { tick: 100, at: 7_200_000 },
    { tick: 200, at: 10_800_000 },
  ]);
  expect(timeline.tickAt(9_000_000)).toBe(150);
});
