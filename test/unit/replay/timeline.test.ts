/** Which tick was when. */
import { Timeline } from '../../../server/replay/timeline.ts';
import fc, { forAll } from '../../support/property.ts';

test('interpolates linearly between known points', () => {
  // A minute at 15 ticks a second, then one at 60.
  const timeline = new Timeline([
    { tick: 900, at: 60_000 },
    { tick: 0, at: 0 },
    { tick: 4_500, at: 120_000 },
  ]);
  expect([30_000, 60_000, 90_000].map((time) => timeline.tickAt(time))).toEqual([450, 900, 2_700]);
  expect([450, 900, 2_700].map((tick) => timeline.timeOf(tick))).toEqual([30_000, 60_000, 90_000]);
});

test('clamps to the first and the last known tick', () => {
  const timeline = new Timeline([
    { tick: 100, at: 5_000 },
    { tick: 200, at: 9_000 },
  ]);
  expect([0, 5_000, 9_000, 99_000].map((time) => timeline.tickAt(time))).toEqual([
    100, 100, 200, 200,
  ]);
  expect([0, 999].map((tick) => timeline.timeOf(tick))).toEqual([5_000, 9_000]);
});

test('times never decrease, even if the clock was set back', () => {
  const fix = fc.record({ tick: fc.nat(1_000), at: fc.nat(1_000) });
  forAll(fc.array(fix, { minLength: 1 }), fc.nat(1_200), fc.nat(1_200), (fixes, a, b) => {
    const timeline = new Timeline(fixes);
    const [early, late] = [Math.min(a, b), Math.max(a, b)];
    expect(timeline.tickAt(early)).toBeLessThanOrEqual(timeline.tickAt(late));
    expect(timeline.timeOf(early)).toBeLessThanOrEqual(timeline.timeOf(late));
  });
});
