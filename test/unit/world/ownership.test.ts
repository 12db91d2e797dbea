import { GROWN, grown, HandRoom, SPECIES, sown } from '../../support/rooms.ts';

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

test('OWN-6: places are conserved while organisms grow, press, are wounded and die', () => {
  const hand = new HandRoom();
  const strokes = [
    [8, 8, 14, 8],
    [12, 4, 12, 20],
    [0, 0, 32, 24],
  ];
  hand.plant(8, 8);
  hand.plant(13, 10);
  hand.plant(20, 14);
  for (let tick = 0; tick < 40; tick++) {
    if (tick % 10 === 7) hand.damage(strokes[Math.floor(tick / 10) % 3], 3);
    hand.tick(({ x, y, organism }) => ((x * 7 + y * 13 + tick * organism) % 11 < 7 ? 200 : 0));
    const living = new Set(hand.room.organisms.map(({ id }) => id));
    const census = hand.census();
    expect([...census.values()].reduce((sum, n) => sum + n, 0)).toBe(32 * 24);
    for (const id of census.keys()) expect(id === 0 || living.has(id)).toBe(true);
    for (const { id, x, y } of hand.room.organisms) {
      hand.room.grid.planes.owner.forEach((owner, place) => {
        if (owner !== id) return;
        expect(Math.abs((place % 32) + 0.5 - x)).toBeLessThan(4);
        expect(Math.abs(Math.floor(place / 32) + 0.5 - y)).toBeLessThan(4);
      });
    }
  }
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
