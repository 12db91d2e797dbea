import { TickSums } from '../../../server/storage/watched-room.ts';
import { chunkAt, createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import fc, { forAll } from '../../support/property.ts';

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
