/** How many ticks some seconds were. */
import { MAX_TICK_RATE, maxTicksIn } from '../../../server/host/tick-rate-history.ts';
import fc from '../../support/property.ts';

test('of an even pace they are that many each second', () => {
  expect(maxTicksIn(60, { tick: 5_000, rate: 15 }, [])).toBe(900);
  expect(maxTicksIn(60, { tick: 5_000, rate: 1 }, [])).toBe(60);
});

test('a pace that was lowered a moment ago does not shorten what was before', () => {
  // For two seconds it has been 15; the 58 before, it was 60.
  const changes = [
    { tick: 100, rate: 60 },
    { tick: 4_970, rate: 15 },
  ];
  expect(maxTicksIn(60, { tick: 5_000, rate: 15 }, changes)).toBe(30 + 58 * 60);
});

test('a change that no tick knows of yet is none', () => {
  const changes = [{ tick: 100, rate: 60 }];
  expect(maxTicksIn(60, { tick: 5_000, rate: 15 }, changes)).toBe(60 * 60);
});

test('what a pace was before all that is known may have been the highest', () => {
  const changes = [{ tick: 4_970, rate: 15 }];
  expect(maxTicksIn(60, { tick: 5_000, rate: 15 }, changes)).toBe(30 + 58 * MAX_TICK_RATE);
});

test('they are never fewer than there were, whatever the pace was', () => {
  const span = fc.record({
    seconds: fc.integer({ min: 0, max: 40 }),
    rate: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(
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
    ),
  );
});
