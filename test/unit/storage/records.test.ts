/** The contract of server/storage/records.ts, which every store of records must keep. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolder } from '../../../server/storage/lmdb/open.ts';
import { openMemory, type Records, StoreError } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { describeNeeding } from '../../support/needs.ts';
import fc from '../../support/property.ts';
import { hasValkey, openClusterParts, ValkeyServer } from '../../support/valkey.ts';

/** A place for records that can be opened repeatedly. */
interface Home {
  open(): Promise<Records>;
  /** Opens what a process that was killed now would leave. */
  openCopy(): Promise<Records>;
  remove(): unknown;
}

/** Records that take something else with them when they close. */
const closing = (records: Records, close: () => Promise<unknown>): Records => ({
  ...records,
  close: () => records.close().then(async () => void (await close())),
});

const HOMES: Record<string, () => Home | Promise<Home>> = {
  memory: () => {
    const kept = new Map<string, Uint8Array>();
    return {
      open: async () => openMemory(kept),
      openCopy: async () => openMemory(new Map(kept)),
      remove: () => {},
    };
  },
  lmdb: () => {
    const folder = mkdtempSync(join(tmpdir(), 'vivarium-store-'));
    let copies = 0;
    return {
      open: () => openFolder(join(folder, 'records')),
      openCopy() {
        const copy = join(folder, `copy-${++copies}`);
        const filter = (path: string): boolean => !path.endsWith('.sock');
        cpSync(join(folder, 'records'), copy, { recursive: true, filter });
        return openFolder(copy);
      },
      remove: () => rmSync(folder, { recursive: true }),
    };
  },
  valkey: async () => {
    const server = await ValkeyServer.start();
    const openAt = async (
      { url }: ValkeyServer,
      close = async (): Promise<unknown> => undefined,
    ) => {
      const parts = await openClusterParts(url);
      return closing(parts.records, () => parts.close().then(close));
    };
    return {
      open: () => openAt(server),
      async openCopy() {
        const copy = await server.copy();
        return openAt(copy, () => copy.remove());
      },
      remove: () => server.remove(),
    };
  },
};

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
const ALL = { from: '', to: '~' };
const listed = async (records: Records, span = ALL): Promise<[string, number[]][]> => {
  const entries = await records.list(span);
  return entries
    .filter(({ key }) => !key.startsWith('!'))
    .map(({ key, bytes }) => [key, [...bytes]]);
};

const describeIn = (name: string) => describeNeeding('Valkey', name !== 'valkey' || hasValkey);

for (const [name, make] of Object.entries(HOMES))
  describeIn(name)(`${name} keeps the contract of records`, () => {
    let home: Home;
    let records: Records;
    beforeEach(async () => {
      home = await make();
      records = await home.open();
    });
    afterEach(async () => {
      await records.close();
      await home.remove();
    });

    test('reads what was written, also after reopening', async () => {
      await records.write({ put: [{ key: 'a/1', bytes: bytesOf(1, 2) }] });
      await records.write({ put: [{ key: 'a/1', bytes: bytesOf(3) }] });
      expect(await records.get('a/1')).toEqual(bytesOf(3));
      expect(await records.get('a/2')).toBeUndefined();
      await records.close();
      records = await home.open();
      expect(await records.get('a/1')).toEqual(bytesOf(3));
    });

    test('a record that is to be new replaces none, whoever else writes', async () => {
      const others = records.putNew ? await home.open() : records;
      const put = (one: Records, by: string) => new Store(one).putNewServerRecord('new', { by });
      const first = await Promise.all([
        put(records, 'a'),
        ...(records.putNew ? [put(others, 'b')] : []),
      ]);
      expect(first.filter(Boolean)).toHaveLength(1);
      const kept = await records.get('house/new');
      expect(kept).toBeDefined();
      expect(await put(others, 'c')).toBe(false);
      expect(await records.get('house/new')).toEqual(kept);
      expect(await records.keys({ from: 'house/', to: 'house0' })).toEqual(['house/new']);
      if (others !== records) await others.close();
    });

    test('spans include their first key, exclude their last, and go both ways', async () => {
      const keys = ['a/1', 'a/2', 'a/3', 'b/1'];
      await records.write({ put: keys.map((key, i) => ({ key, bytes: bytesOf(i) })) });
      expect(await records.keys({ from: 'a/1', to: 'a/3' })).toEqual(['a/1', 'a/2']);
      expect(await records.keys({ from: 'a/', to: 'a0', backwards: true })).toEqual([
        'a/3',
        'a/2',
        'a/1',
      ]);
      expect(await records.keys({ from: 'a/2', to: 'b/1', backwards: true, limit: 1 })).toEqual([
        'a/3',
      ]);
      expect(await records.keys({ from: 'a/2', to: '~', limit: 2 })).toEqual(['a/2', 'a/3']);
      expect(await records.keys({ from: 'c', to: 'd' })).toEqual([]);
    });

    test('large records come back whole', async () => {
      const large = Uint8Array.from({ length: 300_000 }, (__, i) => i * 7);
      await records.write({ put: [{ key: 'large', bytes: large }] });
      expect(Buffer.compare((await records.get('large'))!, large)).toBe(0);
      expect(await records.size()).toBeGreaterThanOrEqual(large.length);
      // Some that a cluster reads one by one, at the edge of it and beside small ones.
      const sizes = [3, 1_000_000, 2_500_000, 999_999, 2, 1];
      const put = sizes.map((size, i) => ({ key: `l/${i}`, bytes: new Uint8Array(size).fill(i) }));
      await records.write({ put });
      const found = await records.list({ from: 'l/', to: 'l0' });
      expect(found.map(({ bytes }) => bytes.length)).toEqual(sizes);
      expect(found.every(({ bytes }, i) => bytes.every((byte) => byte === i))).toBe(true);
      expect((await records.get('l/2'))!.length).toBe(2_500_000);
    });

    test('what was written is there after a kill', async () => {
      const large = new Uint8Array(100_000).fill(7);
      for (const [i, bytes] of [bytesOf(1), large, bytesOf(2), bytesOf(3)].entries()) {
        await records.write({ put: [{ key: `a/${i}`, bytes }], remove: [`a/${i - 2}`] });
        if (i % 2 === 0) continue;
        const copy = await home.openCopy();
        expect(await listed(copy)).toEqual(await listed(records));
        await copy.write({ put: [{ key: 'more', bytes }] });
        await copy.close();
      }
      expect(await records.keys({ from: 'a/', to: 'a0' })).toEqual(['a/2', 'a/3']);
    });

    test('what is kept without waiting for the disk is apart, replaced as a whole, and removed', async () => {
      const parts = [bytesOf(1, 2), new Uint8Array(70_000).fill(3), bytesOf()];
      expect(await records.getUnsynced('x/1')).toBeUndefined();
      await records.putUnsynced('x/1', [bytesOf(9)]);
      await records.putUnsynced(
        'x/1',
        parts.map((part) => part.slice()),
      );
      await records.putUnsynced('x/10', [bytesOf(4)]);
      expect(await records.getUnsynced('x/1')).toEqual(parts);
      await records.close();
      records = await home.open();
      expect(await records.getUnsynced('x/1')).toEqual(parts);
      expect(await listed(records)).toEqual([]);
      await records.putUnsynced('x/1', []);
      expect(await records.getUnsynced('x/1')).toBeUndefined();
      expect(await records.getUnsynced('x/10')).toEqual([bytesOf(4)]);
    });

    test('any sequence of writes leaves what a plain map would have', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              put: fc.array(
                fc.tuple(
                  fc.constantFrom('a', 'b/1', 'b/2', 'c'),
                  fc.oneof(
                    fc.uint8Array({ minLength: 1 }),
                    // Larger than what is written in the same way as small ones.
                    fc.nat(255).map((byte) => new Uint8Array(40_000).fill(byte)),
                  ),
                ),
              ),
              remove: fc.array(fc.constantFrom('a', 'b/2', 'z')),
            }),
            { maxLength: 12 },
          ),
          async (writes) => {
            const wanted = new Map<string, Uint8Array>();
            const before = await records.keys(ALL);
            await records.write({ remove: before.filter((key) => !key.startsWith('!')) });
            // Not awaited one by one: they take effect in their order all the same.
            await Promise.all(
              writes.map(({ put, remove }) => {
                for (const [key, bytes] of put) wanted.set(key, bytes);
                for (const key of remove) wanted.delete(key);
                return records.write({ put: put.map(([key, bytes]) => ({ key, bytes })), remove });
              }),
            );
            const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
            const all = sorted.map(([key, bytes]) => [key, [...bytes]]);
            expect(await listed(records)).toEqual(all);
            const some = { from: 'b/', to: 'c', limit: 1, backwards: true };
            expect(await listed(records, some)).toEqual(
              all.filter(([key]) => String(key).startsWith('b/')).slice(-1),
            );
          },
        ),
        { numRuns: 8 },
      ));

    test('rejects calls once closed', async () => {
      await records.close();
      await expect(records.write({})).rejects.toEqual(
        expect.objectContaining({ reason: 'closed' } satisfies Partial<StoreError>),
      );
      await expect(records.get('a')).rejects.toBeInstanceOf(StoreError);
    });
  });
