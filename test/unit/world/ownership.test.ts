import { GROWN, grown, SPECIES, sown } from '../../support/rooms.ts';

test('OWN-2: bare places under live cells are claimed, others are not', () => {
  const hand = sown([8, 8]);
  hand.ticks(GROWN + 1, ({ x }) => (x < 4 ? SPECIES.threshold : SPECIES.threshold / 2 - 1));
  expect(hand.census()).toEqual(
    new Map([
      [0, 32 * 24 - 32],
      [1, 32],
    ]),
  );
  expect(hand.owner(7, 8)).toBe(1);
  expect(hand.owner(8, 8)).toBe(0);
});

test('OWN-1: a place shows its owner, a bare place nothing', () => {
  const hand = sown([8, 8]);
  hand.ticks(GROWN, ({ x }) => (x < 4 ? 200 : 10));
  const { owner, rgba } = hand.room.grid.planes;
  owner.forEach((id, place) => {
    expect([...rgba.subarray(place * 4, place * 4 + 4)]).toEqual(
      id === 0 ? [0, 0, 0, 0] : [200, 200, 200, 200],
    );
  });
});

test('OWN-3: places of cells that fell below the threshold are released and become bare', () => {
  const hand = grown([8, 8]);
  expect(hand.owner(4, 4)).toBe(1);
  hand.tick(({ x, y }) => (x === 0 && y === 0 ? 12 : x === 1 && y === 0 ? 13 : 255));
  expect(hand.owner(4, 4)).toBe(0);
  // Not enough to take the place, but to keep it.
  expect(hand.owner(5, 4)).toBe(1);
  hand.tick(({ x, y }) => (x === 0 && y === 0 ? 25 : 255));
  expect(hand.owner(4, 4)).toBe(0);
});

test('OWN-3: a younger organism takes in the same tick what an older one releases', () => {
  const hand = grown([8, 8], [14, 8]);
  expect(hand.owner(11, 8)).toBe(1);
  hand.regrows = true;
  hand.tick(({ organism, x }) => (organism === 1 && x >= 6 ? 0 : 255));
  expect(hand.owner(11, 8)).toBe(2);
});

test('OWN-4: ties go to the older', () => {
  const hand = grown([14, 8], [8, 8]);
  // Windows 10…18 and 4…12 share columns 10 and 11.
  for (let y = 4; y < 12; y++) {
    expect([hand.owner(10, y), hand.owner(11, y)]).toEqual([1, 1]);
    expect(hand.owner(9, y)).toBe(2);
  }
});

test("OWN-5: cells on another's ground are masked at the next step", () => {
  const hand = grown([8, 8], [14, 8]);
  const work = hand.room.beginTick();
  expect(work.step[0].keep).toBeUndefined();
  const keep = work.step[1].keep!;
  for (let cell = 0; cell < 64; cell++) expect(keep[cell]).toBe(cell % 8 < 2 ? 0 : 1);
});

test('OWN-7: a growing organism owns its centre before its cells are visible', () => {
  const hand = sown([8, 8]);
  hand.tick(() => 0);
  expect(hand.census().get(1)).toBe(4);
  hand.plant(9, 9);
  expect(hand.tick(() => 0).answers[0].refused?.reason).toBe('occupied');
  const last = hand.ticks(GROWN - 2, () => 0).at(-1)!;
  expect(last.life.map(({ what }) => what)).toEqual(['grown', 'died']);
  expect(hand.census().get(1)).toBeUndefined();
});
