/** Times by the clock and calendar of this machine. */
import { localTime } from '../../../server/platform/clock.ts';

test('a local time is written with its own day', () => {
  for (const hour of [0, 12, 23]) {
    const at = new Date(2026, 10, 25, hour, 5, 9).getTime();
    expect(localTime(at)).toBe(`2026-11-25T${`${hour}`.padStart(2, '0')}:05:09`);
  }
});
