/**
 * The files of a data folder: what a kill, a loss of power or a bad disk leaves of the log; a damaged
 * file and the copy that takes its place; the disk's reserve; and stored secrets.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DISK_RESERVE, SpaceGuard } from '../../../server/storage/lmdb/disk-space.ts';
import { openFolder, storedSecret } from '../../../server/storage/lmdb/open.ts';
import { encodeCount, openTable, type Table } from '../../../server/storage/lmdb/table.ts';
import { WriteAheadLog } from '../../../server/storage/lmdb/write-ahead-log.ts';
import { type Entry, encodeRecord, StoreError } from '../../../server/storage/records.ts';
import { createRandom } from '../../../shared/random.ts';
import { suiteFolder } from '../../support/closing.ts';

const scratch = suiteFolder();
let folders = 0;

const folderOf = (): string => {
  const folder = join(scratch, `${++folders}`);
  mkdirSync(folder);
  return folder;
};
const logOf = (folder: string): string => join(folder, 'write-ahead.log');
const ALL = { from: 'a', to: '~' };
const put = (i: number, size = 20) => ({
  put: [{ key: `a/${i.toString().padStart(4, '0')}`, bytes: new Uint8Array(size).fill(i) }],
});

interface Killed {
  readonly folder: string;
  readonly keys: string[];
  /** All records. */
  readonly all: Entry[];
}

/** A folder after a kill: some writes in the environment, others only in the log. */
async function killed(writes = 12): Promise<Killed> {
  const folder = folderOf();
  const table = openTable(folder);
  for (let i = 0; i < 5; i++) table.write(put(i));
  table.write(put(5, 50_000));
  for (let i = 6; i < writes; i++) table.write(put(i));
  const copy = folderOf();
  cpSync(folder, copy, { recursive: true });
  const [keys, all] = [table.keys(ALL), table.list(ALL)];
  await table.close();
  return { folder: copy, keys, all };
}

async function keysIn(folder: string): Promise<string[]> {
  const table = openTable(folder);
  const keys = table.keys(ALL);
  await table.close();
  return keys;
}

/** Where the last write of a log ends. */
const endOf = (log: Buffer): number => {
  let end = 0;
  let last = 0;
  for (;;) {
    const number = log.readDoubleLE(end + 8);
    if (last > 0 && number !== last + 1) return end;
    last = number;
    end += 16 + log.readUInt32LE(end);
  }
};

test('all writes are there after a kill, those that are repeated too', async () => {
  const { folder, keys } = await killed();
  expect(keys).toHaveLength(12);
  const again = openTable(folder);
  expect(again.keys(ALL)).toEqual(keys);
  again.write(put(12));
  const copy = folderOf();
  cpSync(folder, copy, { recursive: true });
  await again.close();
  expect(await keysIn(copy)).toEqual([...keys, 'a/0012']);
  expect(await keysIn(folder)).toEqual([...keys, 'a/0012']);
});

test('a write that was being made when the power failed is not there, and nothing else is lost', async () => {
  const { folder, keys } = await killed();
  const log = readFileSync(logOf(folder));
  const end = endOf(log);
  const next = Buffer.from(log.subarray(0, 60));
  next.writeDoubleLE(13, 8);
  next.copy(log, end);
  writeFileSync(logOf(folder), log);
  expect(await keysIn(folder)).toEqual(keys);
});

test.each(['a damaged write', 'its last write damaged', 'its end cut off', 'no log'])(
  'data whose log has %s are refused',
  async (what) => {
    const { folder } = await killed();
    const log = readFileSync(logOf(folder));
    const end = endOf(log);
    if (what === 'a damaged write') log[20] ^= 1;
    if (what === 'its last write damaged') log[end - 3] ^= 1;
    if (what === 'its end cut off') writeFileSync(logOf(folder), log.subarray(0, end - 1));
    else writeFileSync(logOf(folder), log);
    if (what === 'no log') rmSync(logOf(folder));
    expect(() => openTable(folder)).toThrow(expect.objectContaining({ reason: 'damaged' }));
    const table = openTable(folder, { ignoreLoss: true, readOnly: true });
    expect(table.keys(ALL).length).toBeGreaterThanOrEqual(6);
    await table.close();
  },
);

test('no change of a log is read as other records', async () => {
  const { folder, all } = await killed(40);
  const log = readFileSync(logOf(folder));
  const end = endOf(log);
  const random = createRandom(20261127);
  for (let round = 0; round < 60; round++) {
    const changed = Buffer.from(log);
    for (let flips = 1 + random.integer(3); flips > 0; flips--) {
      changed[random.integer(end)] ^= 1 << random.integer(8);
    }
    writeFileSync(logOf(folder), changed);
    let table: Table;
    try {
      table = openTable(folder, { readOnly: true, live: false });
    } catch (error) {
      expect(error).toMatchObject({ reason: 'damaged' });
      continue;
    }
    expect(table.list(ALL)).toEqual(all);
    await table.close();
  }
});

test('writes of any size are read again after a kill, and a full log is emptied into the data', async () => {
  const folder = folderOf();
  const table = openTable(folder);
  const random = createRandom(20261127);
  for (let i = 0; i < 400; i++) table.write(put(i % 50, 1 + random.integer(i % 2 ? 900 : 30_000)));
  expect(readFileSync(logOf(folder)).length).toBeLessThan(3_000_000);
  const copy = folderOf();
  cpSync(folder, copy, { recursive: true });
  const all = table.list(ALL);
  expect(all).toHaveLength(50);
  await table.close();
  const again = openTable(copy);
  expect(again.list(ALL)).toEqual(all);
  await again.close();
});

test('a folder opens again after writes that had no records', async () => {
  const folder = folderOf();
  const table = openTable(folder);
  table.write({});
  table.write({ put: [] });
  await table.close();
  const again = openTable(folder);
  expect(again.writes()).toBe(2);
  await again.close();
});

test('a reader sees what is in the log of a running server', async () => {
  const folder = folderOf();
  const table = openTable(folder);
  table.write(put(1));
  const reader = openTable(folder, { readOnly: true });
  expect(reader.keys(ALL)).toEqual(['a/0001']);
  await reader.close();
  await table.close();
});

test('after a write that failed, nothing is appended until the log begins anew: it may lie there whole', () => {
  const folder = join(scratch, 'comes later');
  const log = new WriteAheadLog(folder, 0);
  expect(log.append(1, put(1))).toBe(false);
  mkdirSync(folder);
  expect(log.append(1, put(1))).toBe(false);
  log.restart();
  expect(log.append(2, put(2))).toBe(true);
  log.close(false);
});

test('a copy takes the place of a damaged file also after a kill between the two', async () => {
  const folder = folderOf();
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

const reserve = DISK_RESERVE;

test('writes are refused before the reserve is used, and again only with a margin', () => {
  let free = 2 * reserve;
  const guard = new SpaceGuard(() => free);
  guard.require(1_000);
  expect(() => guard.require(reserve)).toThrow(StoreError);
  free = reserve - 1;
  expect(() => guard.require(0)).toThrow(
    'The disk is nearly full: only 127 MiB are free, but at least 128 MiB must stay free.',
  );
  free = reserve + 1;
  expect(() => guard.require(0)).toThrow(expect.objectContaining({ reason: 'disk-full' }));
  free = 1.25 * reserve;
  guard.require(0);
  free = reserve;
  guard.require(0);
});

const secrets = folderOf();

test('a stored secret is the same the next time, another by another name, and private', () => {
  const secret = Buffer.from(storedSecret(secrets, 'a.key'));
  expect(secret).toHaveLength(32);
  expect(Buffer.from(storedSecret(secrets, 'a.key'))).toEqual(secret);
  expect(Buffer.from(storedSecret(secrets, 'b.key'))).not.toEqual(secret);
  expect(statSync(join(secrets, 'a.key')).mode & 0o777).toBe(0o600);
});

test('a truncated secret is replaced', () => {
  writeFileSync(join(secrets, 'short.key'), 'short');
  expect(storedSecret(secrets, 'short.key')).toHaveLength(32);
});

test('without a folder a secret lasts as long as the process; one that cannot be stored is an error', () => {
  expect(storedSecret(undefined, 'a.key')).not.toEqual(storedSecret(undefined, 'a.key'));
  const file = join(secrets, 'file');
  writeFileSync(file, '');
  expect(() => storedSecret(file, 'a.key')).toThrow('cannot be read or written');
});
