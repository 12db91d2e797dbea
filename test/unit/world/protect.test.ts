import { ANNA, BERT, GROWN, HandRoom } from '../../support/rooms.ts';

const RATE = 10;
const SECONDS = 5;
const PAUSE = SECONDS * RATE;

/** Two grown organisms, in places 2…9 and 14…21. */
function room(protect = SECONDS): HandRoom {
  const hand = new HandRoom({ tickRate: RATE });
  hand.regrows = true;
  hand.plant(6, 6);
  hand.plant(18, 6);
  hand.ticks(GROWN);
  if (protect > 0) hand.room.change({ what: 'protect', seconds: protect });
  return hand;
}

const LEFT = [4, 6];
const BOTH = [4, 6, 20, 6];
const wounds = ({ room }: HandRoom) => room.organisms.map((one) => one.wounds);

function cut(hand: HandRoom, points: number[], by = ANNA) {
  hand.damage(points, 1, by);
  return hand.tick().answers[0];
}

describe('protection', () => {
  test('DMG-3: after a wound nobody can wound it until the pause is over, and they are told', () => {
    const hand = room();
    expect(cut(hand, LEFT).refused).toBeUndefined();
    const energy = hand.room.energyOf(BERT.id);
    const { refused } = cut(hand, LEFT, BERT);
    expect(refused?.reason).toBe('protected');
    expect(hand.room.energyOf(BERT.id)).toBe(energy);
    hand.ticks(PAUSE - 3);
    for (const by of [ANNA, BERT]) {
      hand.damage(LEFT, 1, by);
    }
    const { answers, life } = hand.tick();
    expect(answers.map((one) => one.refused?.reason)).toEqual(['protected', 'protected']);
    expect(life).toEqual([]);
    expect(wounds(hand)).toEqual([1, 0]);
    expect(cut(hand, LEFT, BERT).refused).toBeUndefined();
    expect(wounds(hand)).toEqual([2, 0]);
  });

  test('DMG-3: the stroke that makes a wound may go on for a second, and no longer', () => {
    const hand = room();
    /** Messages of one movement to and fro. */
    const part = (i: number) => (i % 2 === 0 ? [4, 6, 5, 6] : [5, 6, 4, 6]);
    const reasons = Array.from({ length: RATE + 3 }, (_, i) => cut(hand, part(i)).refused?.reason);
    expect(reasons).toEqual([
      ...Array.from({ length: RATE }, () => undefined),
      ...['protected', 'protected', 'protected'],
    ]);
    // Going on has not moved the end of the pause.
    hand.ticks(PAUSE - RATE - 3);
    expect(cut(hand, LEFT).refused).toBeUndefined();
  });

  test('DMG-3: another stroke of the same participant is not its continuation', () => {
    const hand = room();
    cut(hand, [4, 6, 5, 6]);
    expect(cut(hand, [4, 6, 5, 6]).refused?.reason).toBe('protected');
    expect(cut(hand, [5, 6, 4, 6]).refused).toBeUndefined();
    expect(cut(hand, [4, 6, 5, 6], BERT).refused?.reason).toBe('protected');
  });

  test('DMG-3: a stroke over several wounds those that may be wounded, and counts the others', () => {
    const hand = room();
    cut(hand, LEFT);
    expect(cut(hand, BOTH, BERT)).toMatchObject({ spared: 1 });
    expect(wounds(hand)).toEqual([1, 1]);
  });
});
