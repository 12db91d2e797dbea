import { LIMITS, RestartPause } from '../../../server/extensions/extension-thread.ts';

const { firstPause, maxPause } = LIMITS;

test('pauses double up to the longest, until the extension has run for a while', () => {
  const pauses = new RestartPause();
  const seconds = Array.from({ length: 8 }, () => pauses.next(0) / 1000);
  expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  pauses.runs(0);
  expect(pauses.next(maxPause - 1)).toBe(maxPause);
  pauses.runs(0);
  expect(pauses.next(maxPause)).toBe(firstPause);
  // It could not be started again.
  expect(pauses.next(2 * maxPause)).toBe(2 * firstPause);
});
