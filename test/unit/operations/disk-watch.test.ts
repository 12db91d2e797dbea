import { DiskWatch } from '../../../server/operations/disk-watch.ts';
import { textLog } from '../../../server/platform/log.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const { diskFilling, diskLook } = DEFAULTS.operations;

test('the log warns once when space becomes low, and says once when there is enough', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  let free: number | undefined = 2 * diskFilling;
  const freeOf = async () => {
    if (free === undefined) throw new Error('EIO');
    return free;
  };
  const watch = new DiskWatch({ folder: 'data', clock, log: textLog(write, write), freeOf });
  const pass = async (now: number | undefined) => {
    free = now;
    await clock.advance(diskLook);
    return watch.isFilling;
  };
  expect(await pass(diskFilling)).toBe(false);
  expect(await pass(diskFilling - 1)).toBe(true);
  expect(watch.free).toBe(diskFilling - 1);
  expect(await pass(diskFilling + 1)).toBe(true);
  expect(await pass(undefined)).toBe(true);
  expect(watch.free).toBeUndefined();
  expect(await pass(1.5 * diskFilling)).toBe(false);
  expect(lines).toEqual([
    'disk-filling: Only 1023 MiB are free on the disk of the data folder. Below 128 MiB, nothing is stored.',
    '1536 MiB are free on the disk of the data folder again.',
  ]);
  watch.stop();
  expect(clock.waiting).toBe(0);
});
