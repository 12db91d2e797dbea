/** Rows of the host's queues: a press counts only where the row has been for a moment. */
import { SETTLE_MS, SettledRows } from '../../../client/host/sections/queues.ts';
import fc, { forAll } from '../../support/property.ts';

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 6 }));
const placing = fc.record({
  ids,
  above: fc.nat(2),
  wait: fc.nat(1.5 * SETTLE_MS),
  ago: fc.nat(900),
});

test('a press counts where the row has been in its place for a moment, whatever moved it', () => {
  forAll(fc.array(placing, { maxLength: 12 }), (placings) => {
    let now = 5_000;
    const rows = new SettledRows(() => now);
    /** By id, since when a row has been in its place. */
    let known = new Map<number, readonly [place: number, since: number]>();
    for (const { ids, above, wait, ago } of placings) {
      rows.place(ids, above);
      const here = (id: number, i: number) => {
        const before = known.get(id);
        return before?.[0] === above + i ? before : ([above + i, now] as const);
      };
      known = new Map(ids.map((id, i) => [id, here(id, i)]));
      now += wait;
      for (let id = 1; id <= 6; id++) {
        // The press may be older than the rendering that it is handled after.
        const [, since] = known.get(id) ?? [0, Number.POSITIVE_INFINITY];
        expect(rows.isSettled(id, now - ago)).toBe(now - ago - since >= SETTLE_MS);
      }
      const isSettled = ids.every((id) => rows.isSettled(id));
      expect(rows.rest <= 0).toBe(isSettled);
    }
    rows.clear();
    for (let id = 1; id <= 6; id++) expect(rows.isSettled(id)).toBe(false);
  });
});
