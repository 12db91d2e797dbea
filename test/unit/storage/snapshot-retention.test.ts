import type { SnapshotRecord } from '../../../server/storage/record-schemas.ts';
import { retainedSnapshots } from '../../../server/storage/snapshots.ts';
import fc, { forAll } from '../../support/property.ts';

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
