import { BusyReporter } from '../../../client/room/connection.ts';
import { PAGE_DEFAULTS } from '../../../shared/page-defaults.ts';

test('a visitor is busy while a panel is open and they touch it; an abandoned page says no more', () => {
  const { busyInterval } = PAGE_DEFAULTS.net;
  const told: boolean[] = [];
  const reporter = new BusyReporter(({ busy }) => told.push(busy));
  reporter.touch(0);
  reporter.change(true, 1_000);
  reporter.change(true, 1_500);
  reporter.touch(2_000);
  expect(told).toEqual([true]);
  reporter.touch(1_000 + busyInterval);
  reporter.touch(1_001 + busyInterval);
  expect(told).toEqual([true, true]);
  reporter.change(false, 2_000 + busyInterval);
  reporter.touch(9 * busyInterval);
  expect(told).toEqual([true, true, false]);
});
