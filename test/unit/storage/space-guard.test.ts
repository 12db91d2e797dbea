import { SpaceGuard } from '../../../server/storage/lmdb/table.ts';
import { DISK_RESERVE, StoreError } from '../../../server/storage/records.ts';

const reserve = DISK_RESERVE;

test('writes are refused before the reserve is used, and again only with a margin', () => {
  let free = 2 * reserve;
  const guard = new SpaceGuard(() => free);
  guard.require(1_000);
  expect(() => guard.require(reserve)).toThrow(StoreError);
  free = reserve - 1;
  expect(() => guard.require(0)).toThrow(
    'The disk is nearly full: 127 MiB are free, and 128 MiB must stay free.',
  );
  free = reserve + 1;
  expect(() => guard.require(0)).toThrow(expect.objectContaining({ reason: 'disk-full' }));
  free = 1.25 * reserve;
  guard.require(0);
  free = reserve;
  guard.require(0);
});
