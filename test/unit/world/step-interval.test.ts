/** How often organisms step, and what a wound shows meanwhile. */

import { LIFE } from '../../../server/world/organisms/organism.ts';
import { GROWN, HandRoom } from '../../support/rooms.ts';

const PACE = { birth: 3, healing: 2, expressing: 2 };
const RESTS = LIFE.restSteps;

/** A room with one seed that is planted at the next tick. */
function sown(life = PACE): HandRoom {
  const hand = new HandRoom({ life });
  hand.plant(8, 8);
  return hand;
}

/** @returns whether something steps, tick by tick */
const stepsOf = (hand: HandRoom, ticks: number): number[] =>
  Array.from({ length: ticks }, () => {
    hand.tick();
    return hand.steps;
  });

/** A room whose organism has grown and sleeps. */
function asleep(): HandRoom {
  const hand = sown();
  hand.ticks(PACE.birth * GROWN);
  hand.rest();
  hand.change = 255;
  expect(hand.room.organisms[0].phase).toBe('asleep');
  return hand;
}

describe('pace', () => {
  test('PAC-1, GRO-2: a birth takes its steps every third tick, the first at once; then one each tick', () => {
    const hand = sown();
    expect(stepsOf(hand, PACE.birth * (GROWN - 1))).toEqual(
      Array.from({ length: GROWN - 1 }, () => [1, 0, 0]).flat(),
    );
    expect(hand.room.organisms[0].phase).toBe('growing');
    expect(stepsOf(hand, 4)).toEqual([1, 1, 1, 1]);
    expect(hand.room.organisms[0].phase).toBe('awake');
  });

  test('PAC-1, LIF-1: rest and trusted steps are counted in steps', () => {
    const hand = asleep();
    hand.damage([6, 6], 1);
    hand.change = 0;
    // Hurt, as its places do not come back.
    const look = ({ x }: { x: number }) => (x < 4 ? 0 : 255);
    hand.ticks(PACE.healing * RESTS - 2, look);
    expect(hand.room.organisms[0].phase).toBe('awake');
    hand.tick(look);
    expect(hand.room.organisms[0].phase).toBe('asleep');
  });

  test('PAC-1, LIF-7: a healing one steps every second tick, from the tick of the stroke, until it has healed', () => {
    const hand = asleep();
    hand.damage([6, 6], 1);
    expect(stepsOf(hand, 5)).toEqual([1, 0, 1, 0, 1]);
    hand.change = 0;
    hand.ticks(PACE.healing * RESTS);
    expect(hand.room.organisms[0]).toMatchObject({ phase: 'asleep', healed: 1, hurt: false });
  });

  test('PAC-1: the host changes the pace while the room runs', () => {
    const hand = sown();
    hand.tick();
    hand.room.change({ what: 'life', settings: { birth: 1, healing: 1, expressing: 1 } });
    // What it waits for already, it still waits for.
    expect(stepsOf(hand, 5)).toEqual([0, 0, 1, 1, 1]);
    expect(hand.room.rules.life).toEqual({ birth: 1, healing: 1, expressing: 1 });
  });

  test('PAC-2: a wound of one that grows is seen at once, and its cells die at the next step', () => {
    const hand = sown();
    // Stage 8, which is the whole window.
    hand.ticks(PACE.birth * 4 + 1);
    expect(hand.census().get(1)).toBe(64);
    hand.damage([5, 5], 1);
    const { changed, life } = hand.tick();
    expect(hand.steps).toBe(0);
    expect(hand.owner(4, 4)).toBe(0);
    expect(hand.room.grid.planes.rgba[4 * hand.room.grid.place(4, 4) + 3]).toBe(0);
    expect(changed).toHaveLength(1);
    expect(life).toMatchObject([{ what: 'wounded', id: 1, wounds: 1 }]);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const { step } = hand.room.beginTick();
      seen.push(step[0]?.keep?.[0]);
      hand.room.endTick(step.map(({ patch }) => blank(patch)));
    }
    expect(seen).toEqual([undefined, 0, undefined]);
  });

  test('PAC-3, CLO-2: another card changes the room only by its journal', () => {
    const { species } = new HandRoom().room;
    const from = new HandRoom({ species: { ...species, closing: 4 } }).room.export();
    expect(from.closing).toBe(4);
    const hand = new HandRoom({ species: { ...species, closing: 2 }, from });
    expect(hand.room.export().closing).toBe(4);
    hand.room.updateRules();
    expect(hand.room.beginTick().events).toEqual([{ what: 'rules', rules: 1, closing: 2 }]);
    expect(hand.room.export().closing).toBe(2);
  });
});

/** A read-out of a step at stage 8 that shows nothing. */
const blank = (patch: number) => ({
  ...{ patch, stage: 8, change: 255 },
  rgba: new Uint8Array(256),
  presence: new Uint8Array(64),
});
