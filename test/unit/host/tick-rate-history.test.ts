/** Seconds converted to ticks, when the tick rate may have changed. */
import { MAX_TICK_RATE, maxTicksIn } from '../../../server/host/undo-calls.ts';
import fc, { forAll } from '../../support/property.ts';

const SINCE_100 = { tick: 100, rate: 60 };
/** Two seconds ago. */
const LOWERED = { tick: 4_970, rate: 15 };

test.each([
  ['a constant rate', 15, [], 900],
  ['a constant low rate', 1, [], 60],
  ['a rate that was just lowered', 15, [SINCE_100, LOWERED], 30 + 58 * 60],
  ['a change that is not journalled yet', 15, [SINCE_100], 60 * 60],
  ['an unknown rate before the first change', 15, [LOWERED], 30 + 58 * MAX_TICK_RATE],
])('a minute with %s', (_, rate, changes, ticks) => {
  expect(maxTicksIn(60, { tick: 5_000, rate }, changes)).toBe(ticks);
});

test('the result is never less than the real number of ticks', () => {
  const span = fc.record({
    seconds: fc.integer({ min: 0, max: 40 }),
    rate: fc.integer({ min: 1, max: 60 }),
  });
  forAll(
    fc.array(span, { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 60 }),
    (spans, asked) => {
      let tick = 0;
      const changes: { tick: number; rate: number }[] = [];
      const began: number[] = [];
      for (const { seconds, rate } of spans) {
        changes.push({ tick, rate });
        for (let i = 0; i < seconds; i++) {
          began.push(tick);
          tick += rate;
        }
      }
      const real = tick - (began.at(-asked) ?? 0);
      const most = maxTicksIn(asked, { tick, rate: spans.at(-1)!.rate }, changes);
      expect(most).toBeGreaterThanOrEqual(real);
      if (began.length >= asked) expect(most).toBe(real);
    },
  );
});
