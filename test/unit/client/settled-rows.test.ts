/** Rows of the host's queues: a press counts only where the row has been for a moment. */
import type { ReactiveController } from 'lit';
import { SETTLE_MS, SettledRows } from '../../../client/host/sections/queues.ts';

let now = 5_000;

function rowsAt(ids: readonly number[], above = 0): SettledRows {
  const element = {
    addController: (_: ReactiveController) => {},
    removeController: () => {},
    requestUpdate: () => {},
    updateComplete: Promise.resolve(true),
  };
  const rows = new SettledRows(element, () => now);
  rows.place(ids, above);
  now += SETTLE_MS;
  return rows;
}

const settledOf = (rows: SettledRows, at?: number): number[] =>
  [1, 2, 3, 4].filter((id) => rows.isSettled(id, at));

test('a row counts when it has been in its place for a moment', () => {
  const rows = rowsAt([1, 2]);
  expect(settledOf(rows)).toEqual([1, 2]);
  expect(settledOf(rows, now - 1)).toEqual([]);
});

test('when a row goes, those that move up do not count for a moment, and those above it do', () => {
  const rows = rowsAt([1, 2, 3, 4]);
  now += SETTLE_MS;
  rows.place([1, 3, 4]);
  expect(settledOf(rows)).toEqual([1]);
  // The press may be older than the rendering that it is handled after.
  expect(settledOf(rows, now - 20)).toEqual([1]);
  now += SETTLE_MS;
  expect(settledOf(rows)).toEqual([1, 3, 4]);
});

test('a row that comes at the end moves no other; one that another list pushes down moves', () => {
  const rows = rowsAt([1, 2], 1);
  rows.place([1, 2, 3], 1);
  expect(settledOf(rows)).toEqual([1, 2]);
  rows.place([1, 2, 3], 2);
  expect(settledOf(rows)).toEqual([]);
});

test('rows that are sorted anew do not count where they have changed places', () => {
  const rows = rowsAt([1, 2, 3]);
  rows.place([2, 1, 3]);
  expect(settledOf(rows)).toEqual([3]);
  rows.clear();
  expect(settledOf(rows)).toEqual([]);
});
