import * as v from 'valibot';
import { createEngine } from '../../../server/engine/create-engine.ts';
import type { SnapshotRecord } from '../../../server/storage/record-schemas.ts';
import {
  cellsRecord,
  decodeCells,
  decodeRecord,
  encodeCells,
  openMemory,
  StoreError,
  type Write,
} from '../../../server/storage/records.ts';
import { retainedSnapshots } from '../../../server/storage/snapshots.ts';
import { TickSums } from '../../../server/storage/watched-room.ts';
import { chunkAt, createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import { afterSuite } from '../../support/closing.ts';
import fc, { forAll } from '../../support/property.ts';
import { ANNA } from '../../support/rooms.ts';
import { openStoredRoom } from '../../support/stored-room.ts';
import { tinyModel } from '../vnca/tiny-model.ts';

const bitsOf = (state: Float32Array): number[] => [
  ...new Uint32Array(state.buffer, state.byteOffset, state.length),
];
const fromBits = (bits: readonly number[]): Float32Array =>
  new Float32Array(Uint32Array.from(bits).buffer);
const bits = (length: number) =>
  fc.array(fc.nat(0xffffffff), { minLength: length, maxLength: length });

const read = (bytes: Uint8Array, base?: Float32Array): Float32Array =>
  decodeCells(v.parse(cellsRecord, decodeRecord('cells', bytes)), base);

test('cells come back bit for bit, whatever their bits are', () =>
  fc.assert(
    fc.asyncProperty(bits(9), async (all) => {
      const { entry, base } = await encodeCells('cells', { id: 1, state: fromBits(all) });
      expect(base).toBeUndefined();
      expect(bitsOf(read(entry.bytes))).toEqual(all);
    }),
  ));

test('cells that are near to their base come back bit for bit, and take less', () =>
  fc.assert(
    fc.asyncProperty(bits(400), fc.infiniteStream(fc.nat(255)), async (all, noise) => {
      const near = all.map((word) => (word ^ noise.next().value!) >>> 0);
      const [state, base] = [fromBits(near), fromBits(all)];
      const stored = await encodeCells('cells', { id: 1, state, base: { tick: 7, state: base } });
      expect(stored.base).toBe(7);
      expect(stored.entry.bytes.length).toBeLessThan(0.5 * state.byteLength);
      expect(bitsOf(read(stored.entry.bytes, base))).toEqual(near);
      expect(bitsOf(base)).toEqual(all);
    }),
  ));

test('cells that have nothing in common with their base are stored without it', async () => {
  const random = fc.sample(bits(400), 2).map(fromBits);
  const [state, base] = random;
  const stored = await encodeCells('cells', { id: 1, state, base: { tick: 7, state: base } });
  expect(stored.base).toBeUndefined();
  expect(bitsOf(read(stored.entry.bytes))).toEqual(bitsOf(state));
  const grown = new Float32Array(1_600);
  const other = await encodeCells('cells', { id: 1, state: grown, base: { tick: 7, state } });
  expect(other.base).toBeUndefined();
});

test('a compressed record with a changed bit is rejected', async () => {
  const state = new Float32Array(2_000).fill(0.5);
  const { bytes } = (await encodeCells('cells', { id: 1, state })).entry;
  expect(bytes.length).toBeLessThan(1_000);
  for (let at = 1; at < bytes.length; at++) {
    const changed = bytes.with(at, bytes[at] ^ 4);
    expect(() => decodeRecord('cells', changed)).toThrow(/damaged/);
  }
});

/** Rooms of one server in a cluster: one whose lease ends does not harm what is stored of another. */

const model = tinyModel();
const engine = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());

test('a snapshot does not move the stored end of a journal back when another room ends', async () => {
  const memory = openMemory(new Map());
  let isLost = false;
  let mayStore = Promise.resolve();
  const write = async ({ put = [], remove = [] }: Write): Promise<void> => {
    if (put.some(({ key }) => key.startsWith('state/b/'))) await mayStore;
    const isMine = ({ key }: { readonly key: string }) => !isLost || !/^\w+\/a(\/|$)/.test(key);
    await memory.write({ put: put.filter(isMine), remove });
    if (!put.every(isMine)) throw new StoreError('not-owner', 'Another server owns the room.');
  };
  const a = await openStoredRoom({ engine, model, records: { ...memory, write } });
  const b = await a.openAlso('b');
  let release!: () => void;
  mayStore = new Promise((resolve) => {
    release = resolve;
  });
  const snapshot = a.journalWriter.takeSnapshot(b, {});
  isLost = true;
  for (const room of [a.room, b])
    room.enqueue(1, {
      ...{ what: 'plant', by: ANNA, x: 20, y: 20 },
      seed: { from: 'gallery', index: 0 },
    });
  await a.world.tick([a.room, b]);
  const end = await a.store.tail('b');
  expect(end).toEqual({ tick: b.tick, seq: 1 });
  release();
  await snapshot;
  expect(await a.store.tail('b')).toEqual(end);
  await a.abandon();
});

const SIZE = { width: 70, height: 100 };

/** Changes of a tick: colour or owner of some places. */
const tick = fc.array(
  fc.record({
    x: fc.nat(SIZE.width - 1),
    y: fc.nat(SIZE.height - 1),
    value: fc.integer({ min: 1, max: 255 }),
    owner: fc.boolean(),
  }),
  { maxLength: 4 },
);
type Change = ReturnType<typeof tick.generate>['value'][number];

class Ground {
  readonly planes: Planes = createPlanes(SIZE.width, SIZE.height);
  readonly sums = new TickSums(this.planes);

  /** @returns chunks that have changed */
  change(changes: readonly Change[]): number[] {
    for (const { x, y, value, owner } of changes) {
      const place = y * SIZE.width + x;
      if (owner) this.planes.owner[place] ^= value;
      else this.planes.rgba[4 * place + (value % 4)] ^= value;
    }
    return [...new Set(changes.map(({ x, y }) => chunkAt(this.planes, x, y)))];
  }

  live(ticks: readonly (readonly Change[])[], first = 1): this {
    ticks.forEach((changes, i) => {
      this.sums.ticked(first + i, this.change(changes));
    });
    return this;
  }
}

const ALL_CHUNKS = Array.from({ length: 12 }, (_, chunk) => chunk);

test('replaying the same ticks gives the same sum, whatever is reported as changed', () => {
  forAll(fc.array(tick, { minLength: 1, maxLength: 12 }), (ticks) => {
    const each = new Ground().live(ticks).sums.take();
    expect(each.since).toBe(1);
    const again = new Ground();
    ticks.forEach((changes, i) => {
      again.change(changes);
      again.sums.ticked(1 + i, ALL_CHUNKS);
    });
    expect(again.sums.proves(each)).toBe(true);
  });
});

test('finds one place that differed in one tick and no longer at the end', () => {
  const [one] = fc.sample(tick, { numRuns: 1, seed: 5 });
  const ticks = [one, [], one, [], [], one];
  const each = new Ground().live(ticks).sums.take();
  forAll(
    tick.filter((changes) => changes.length === 1),
    fc.nat(ticks.length - 2),
    (slip, at) => {
      const otherwise = ticks.map((changes, i) =>
        i === at || i === at + 1 ? [...changes, ...slip] : changes,
      );
      const ground = new Ground().live(otherwise);
      expect(ground.planes).toEqual(new Ground().live(ticks).planes);
      expect(ground.sums.proves(each)).toBe(false);
    },
  );
});

test('sums that began earlier prove later ticks, but not the other way round', () => {
  const [one, other] = fc.sample(tick, { numRuns: 2, seed: 6 });
  const late = new Ground();
  late.change(one);
  const each = late.live([other, one], 2).sums.take();
  const early = new Ground().live([one, other, one]);
  expect(early.sums.proves(each)).toBe(true);
  const all = early.sums.take();
  late.live([other], 4);
  expect(late.sums.proves(all)).toBeUndefined();
  expect(early.sums.proves(all)).toBeUndefined();
});

const HOUR = 3_600_000;
const NOW = 1_790_000_000_000;
const limits = {
  ...{ keepLatest: 3, keepMinutes: 0, keepHours: 6, keepDays: 7, keepBefore: 0 },
  maxBytes: 1e12,
};

function snapshot(at: number, tick: number, bytes = 1): SnapshotRecord {
  return { tick, seq: 0, at, engine: { name: '', device: '' }, cells: [], journal: 0, bytes };
}

/** One every ten minutes for so many hours, the latest first. */
const everyTenMinutes = (hours: number, bytes?: number): SnapshotRecord[] =>
  Array.from({ length: hours * 6 }, (_, i) => snapshot(NOW - (i * HOUR) / 6, 1e6 - i, bytes));

test('keeps the latest, and one for each of the last hours and days', () => {
  const ages = retainedSnapshots(everyTenMinutes(24 * 30), limits).map(
    ({ at }) => (NOW - at) / HOUR,
  );
  expect(ages.slice(0, 3)).toEqual([0, 1 / 6, 2 / 6]);
  expect(ages.filter((age) => age < 6).length).toBeLessThanOrEqual(9);
  expect(ages.filter((age) => age >= 7).length).toBeGreaterThanOrEqual(6);
  expect(Math.max(...ages)).toBeLessThan(7 * 24);
  expect(ages.length).toBeLessThanOrEqual(17);
});

test('over the size limit, the oldest go first, but never the latest', () => {
  const large = retainedSnapshots(everyTenMinutes(24 * 30, 100), { ...limits, maxBytes: 500 });
  expect(large.map(({ tick }) => 1e6 - tick).slice(0, 3)).toEqual([0, 1, 2]);
  expect(large).toHaveLength(5);
  expect(retainedSnapshots(everyTenMinutes(5, 1e6), { ...limits, maxBytes: 10 })).toHaveLength(3);
});

test('a clock that is set, or was wrong for a while, removes nothing that is the last of its time', () => {
  const AHEAD = 800 * 24 * HOUR;
  const before = retainedSnapshots(everyTenMinutes(24 * 30), limits);
  // While it is ahead, and after it was set back.
  for (const at of [NOW + AHEAD, NOW - AHEAD]) {
    const kept = retainedSnapshots([snapshot(at, 1e6 + 1), ...before], limits);
    expect(kept.length).toBeGreaterThanOrEqual(before.length - 2);
    expect(kept.map((one) => one.tick)).toContain(before.at(-2)!.tick);
  }
  // And what was stored meanwhile goes like all else.
  const wrong = Array.from({ length: 60 }, (_, i) =>
    snapshot(NOW + AHEAD - (i * HOUR) / 6, 1e6 - 1_000 - i),
  );
  const later = everyTenMinutes(24 * 8);
  const kept = retainedSnapshots([...later, ...wrong], { ...limits, keepMinutes: 12 });
  expect(kept.every(({ at }) => at <= NOW)).toBe(true);
});

test('applying the rules twice changes nothing, whatever the clock did', () =>
  forAll(fc.array(fc.integer({ min: -40 * HOUR, max: 40 * HOUR }), { maxLength: 60 }), (steps) => {
    let at = NOW;
    const snapshots = steps.map((step, i) => snapshot((at -= step), 1_000 - i));
    const minutely = { ...limits, keepMinutes: 12 };
    const once = retainedSnapshots(snapshots, minutely);
    expect(retainedSnapshots(once, minutely)).toEqual(once);
    expect(once.slice(0, 3)).toEqual(snapshots.slice(0, 3));
  }));
