/** Wounds close from their rim, and what is killed whole is dead. */

import { LIFE } from '../../../server/world/organisms/organism.ts';
import { ANNA, BERT, GROWN, HandRoom, type Look, SPECIES } from '../../support/rooms.ts';

const { restSteps } = LIFE;

/** A room with organisms in windows of 8×8 around places, grown one after another. */
function room(closing: number | undefined, look?: Look, ...places: [number, number][]): HandRoom {
  const hand = new HandRoom({ species: { ...SPECIES, closing } });
  // Cells without a closed place come back in one step.
  hand.regrows = true;
  for (const [x, y] of places.length > 0 ? places : [[8, 8]]) {
    hand.plant(x, y);
    hand.ticks(GROWN, look);
  }
  return hand;
}

/** Places that an organism owns, tick by tick. */
const sizes = (hand: HandRoom, ticks: number, look?: Look, id = 1): (number | undefined)[] =>
  Array.from({ length: ticks }, () => {
    hand.tick(look);
    return hand.census().get(id);
  });

/** Kills the left half of the organism in the middle of (8, 8). */
const cut = (hand: HandRoom, by = ANNA): number => hand.damage([6, 4, 6, 12], 2, by);

describe('a wound', () => {
  test('CLO-1: closes from its rim, so many places in a step', () => {
    for (const [closing, seen] of [
      [1, [32, 40, 48, 56, 64, 64]],
      [2, [32, 48, 64, 64, 64, 64]],
      [4, [32, 64, 64, 64, 64, 64]],
    ] as const) {
      const hand = room(closing);
      cut(hand);
      expect(sizes(hand, 6)).toEqual(seen);
    }
  });

  test('CLO-1: a second stroke closes again what has opened', () => {
    const hand = room(1);
    cut(hand);
    expect(sizes(hand, 3)).toEqual([32, 40, 48]);
    // Of three columns one had come back; one more comes back now, and the last one waits.
    hand.damage([4, 4, 4, 12], 2.6, BERT);
    expect(sizes(hand, 5)).toEqual([48, 56, 56, 56, 64]);
    expect(hand.room.organisms[0]).toMatchObject({ wounds: 2, hurt: true });
  });

  test('CLO-2: opens at once where the card says nothing, and while the organism grows', () => {
    const hand = room(undefined);
    hand.regrows = false;
    cut(hand);
    expect(sizes(hand, 2)).toEqual([32, 64]);
    const young = new HandRoom({ species: { ...SPECIES, closing: 1 } });
    young.plant(8, 8);
    young.ticks(GROWN - 2);
    cut(young);
    // Two of its seed places were hit, which it keeps.
    expect(sizes(young, 2)).toEqual([34, 64]);
    expect(young.room.export().organisms[0]).not.toHaveProperty('closed');
  });

  test('CLO-3, CLO-5: a part that lies apart opens when the rest has closed, and rests after that', () => {
    const parts: Look = ({ x }) => (x < 3 || x > 5 ? 255 : 0);
    const hand = room(1, parts);
    hand.change = 0;
    hand.ticks(restSteps, parts);
    expect(hand.room.organisms[0].phase).toBe('asleep');
    // All of the right part, and two columns of the left one.
    hand.damage([11, 4, 11, 12], 1);
    hand.damage([6, 4, 6, 12], 1);
    // The left part first; then the rim crosses what is bare, and the right one follows.
    expect(sizes(hand, 10, parts)).toEqual([8, 16, 24, 24, 24, 24, 24, 24, 32, 40]);
    hand.ticks(restSteps - 2, parts);
    expect(hand.room.organisms[0].phase).toBe('awake');
    const { life } = hand.tick(parts);
    expect(life).toEqual([
      { what: 'healed', id: 1, healed: 1 },
      { what: 'asleep', id: 1 },
    ]);
  });

  test('CLO-4: ground that a neighbour holds is open as soon as it is free', () => {
    const left: Look = ({ x, organism, tick }) =>
      organism === 1 && tick < 2 * GROWN && x > 5 ? 0 : 255;
    const hand = room(1, left, [8, 8], [14, 8]);
    hand.tick(left);
    expect(hand.owner(10, 8)).toBe(2);
    // Columns 8 and 9, which are its own, and 10, which is the neighbour's.
    hand.damage([9.5, 4, 9.5, 12], 1.4);
    hand.act({ what: 'remove', by: ANNA, organism: 2 }, left);
    expect(hand.room.export().organisms[0].closed).toEqual(
      Uint8Array.from({ length: 64 }, (_, cell) => [0, 0, 0, 0, 0, 1, 0, 0][cell % 8]),
    );
    expect([7, 8, 9, 10, 11].map((x) => hand.owner(x, 8))).toEqual([1, 0, 0, 1, 1]);
  });
});

describe('an organism that is killed whole', () => {
  const all = (hand: HandRoom, by = ANNA): number => hand.damage([8, 4, 8, 12], 6, by);

  test.each([
    ['closes', 1],
    ['does not close', undefined],
  ] as const)('CLO-6: dies at once, where a wound %s', (_, closing) => {
    const hand = room(closing);
    all(hand, BERT);
    const { life, died } = hand.tick();
    expect(life).toEqual([
      { what: 'wounded', id: 1, by: BERT.id, wounds: 1 },
      { what: 'died', id: 1, cause: 'killed' },
    ]);
    expect(died).toHaveLength(1);
    expect(hand.steps).toBe(0);
    expect(hand.census().has(1)).toBe(false);
    expect(hand.room.grid.planes.rgba.every((value) => value === 0)).toBe(true);
  });

  test('CLO-6: also by several strokes, one after another, and not before the last place', () => {
    const hand = room(1);
    hand.change = 0;
    cut(hand);
    expect(hand.tick().life.map(({ what }) => what)).toEqual(['wounded']);
    hand.damage([10, 4, 10, 11], 2);
    expect(hand.tick(() => 0).life.at(-1)).toMatchObject({ what: 'died' });
    const other = room(1);
    cut(other);
    other.damage([10, 4, 10, 9], 2);
    other.tick();
    expect(other.room.size).toBe(1);
  });
});
