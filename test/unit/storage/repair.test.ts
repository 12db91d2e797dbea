/** A damaged file of a folder, and the copy that takes its place. */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFolder } from '../../../server/storage/lmdb/open.ts';
import { encodeCount, openTable } from '../../../server/storage/lmdb/table.ts';
import { encodeRecord } from '../../../server/storage/records.ts';
import { suiteFolder } from '../../support/closing.ts';

const scratch = suiteFolder();

test('a copy takes the place of a damaged file also after a kill between the two', async () => {
  const folder = join(scratch, 'data');
  mkdirSync(folder);
  const table = openTable(folder);
  const [key, bytes] = ['house/secret', encodeRecord('house/secret', 'abc')];
  table.write({ put: [{ key, bytes }] });
  await table.close();
  // More was written than the file has.
  writeFileSync(join(folder, 'witness'), encodeCount(99));
  writeFileSync(join(scratch, 'file'), '');
  const rooms: string[] = [];
  // The copy is whole, and the damaged file can go nowhere.
  const options = { aside: join(scratch, 'file', 'aside'), rooms };
  await expect(openFolder(folder, options)).rejects.toThrow(/ENOTDIR|EEXIST/);
  // Then it has gone, and the copy has not come.
  renameSync(join(folder, 'data.mdb'), join(scratch, 'data.mdb'));
  const aside = join(scratch, 'aside');
  const found = await openFolder(folder, { aside, rooms });
  expect(await found.get(key)).toEqual(bytes);
  expect(found.recovered).toMatch(/^The data in .*\.$/);
  await found.close();
  expect(existsSync(join(folder, 'fresh'))).toBe(false);
  expect(readdirSync(aside)).toEqual(['witness']);
  const again = await openFolder(folder, { aside, rooms });
  expect(again.recovered).toBeUndefined();
  await again.close();
});
