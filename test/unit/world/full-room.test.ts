/** A full room makes space for a newcomer. */

import { DEPARTURE } from '../../../server/world/departures.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import type { LifeEvent } from '../../../shared/vocabulary.ts';
import { ANNA, BERT, GROWN, HandRoom } from '../../support/rooms.ts';
import { CLEO, reasonOf, rested, SLOW } from './departing-rooms.ts';

const { protectedSeconds, unattendedSeconds } = DEPARTURE;

/** A full room: one of Anna's and one of Bert's, at rest. */
const fullRoom = (): HandRoom => rested([ANNA, BERT]);

/** Of those that stay. */
const planters = ({ room }: HandRoom) =>
  room.organisms.flatMap(({ planter, phase }) => (phase === 'departing' ? [] : [planter.name]));
const left = (events: readonly LifeEvent[]) =>
  events.filter(({ what }) => what === 'departing' || what === 'died');

describe('a full room', () => {
  test('DEP-1, DEP-3, GRO-3: takes a newcomer at once; another organism departs, with its cause', () => {
    const hand = fullRoom();
    hand.plant(6, 18, CLEO);
    const { answers, life } = hand.tick();
    expect(answers[0].refused).toBeUndefined();
    expect(left(life)).toEqual([{ what: 'departing', id: 1 }]);
    expect(planters(hand)).toEqual(['Bert', 'Cleo']);
    const later = hand.ticks(20).flatMap((result) => left(result.life));
    expect(later).toEqual([{ what: 'died', id: 1, cause: 'departed' }]);
    expect(hand.census().get(1)).toBeUndefined();
  });

  test('DEP-1: organisms of planters who have left go before those of planters who are present', () => {
    const hand = fullRoom();
    hand.room.leave(BERT.id);
    hand.plant(6, 18, CLEO);
    hand.tick();
    expect(planters(hand)).toEqual(['Anna', 'Cleo']);
    // After their return they are no longer absent, so the oldest organism leaves.
    const back = fullRoom();
    back.room.leave(BERT.id);
    back.tick();
    back.room.enter(BERT.id);
    back.plant(6, 18, CLEO);
    back.tick();
    expect(planters(back)).toEqual(['Bert', 'Cleo']);
  });

  test('DEP-2: nothing goes that was planted less than a minute ago', () => {
    const hand = new HandRoom(SLOW);
    hand.plant(6, 6, ANNA);
    hand.tick();
    hand.plant(18, 6, BERT);
    hand.ticks(protectedSeconds - 2);
    hand.plant(6, 18, CLEO);
    expect(reasonOf(hand.tick())).toBe('garden-full');
    hand.plant(6, 18, CLEO);
    hand.plant(18, 18, CLEO);
    const { answers } = hand.tick();
    expect(answers.map(({ refused }) => refused?.reason)).toEqual([undefined, 'garden-full']);
    expect(planters(hand)).toEqual(['Bert', 'Cleo']);
  });

  test.each([
    ['off the grid', (hand: HandRoom) => hand.plant(1, 1, CLEO), 'off-grid'],
    ['on another', (hand: HandRoom) => hand.plant(6, 6, CLEO), 'occupied'],
    [
      'that does not exist',
      ({ room }: HandRoom) =>
        room.enqueue(9, { what: 'plant', by: CLEO, x: 6, y: 18, seed: { from: 'hand', seed: 7 } }),
      'no-such-seed',
    ],
    [
      'that cannot be paid for',
      (hand: HandRoom) => {
        hand.room.setEnergy({ ...DEFAULT_ENERGY, capacity: 100, newcomer: 4, plant: 8 });
        hand.room.enter(CLEO.id);
        hand.plant(6, 18, CLEO);
      },
      'no-energy',
    ],
  ])('TIM-2, ENE-3: a seed %s is refused, and no organism leaves for it', (_, plant, reason) => {
    const hand = fullRoom();
    plant(hand);
    const { answers, life } = hand.tick();
    expect(answers[0].refused?.reason).toBe(reason);
    expect(left(life)).toEqual([]);
  });

  test.each([undefined, 2])(
    'DEP-4: only long unattended organisms can be thinned, organism %s',
    (chosen) => {
      const hand = fullRoom();
      const thin = (organism?: number) => {
        return hand.act({ what: 'thin', by: CLEO, organism });
      };
      expect(reasonOf(thin())).toBe('no-such-organism');
      hand.room.leave(BERT.id);
      hand.ticks(unattendedSeconds - 2);
      expect(reasonOf(thin(2))).toBe('not-yours');
      expect(hand.room.unattended()).toEqual([]);
      hand.tick();
      expect(hand.room.unattended().map(({ id }) => id)).toEqual([2]);
      expect(reasonOf(thin(1))).toBe('not-yours');
      const { answers, life } = thin(chosen);
      expect(answers[0]).toMatchObject({ removed: 1 });
      expect(left(life)).toEqual([{ what: 'departing', id: 2 }]);
      expect(planters(hand)).toEqual(['Anna']);
      expect(hand.room.unattended()).toEqual([]);
    },
  );

  test('DEP-4: the gardener has its own depart, also after a restart, and no others', () => {
    const hand = fullRoom();
    hand.room.change({ what: 'limit', maxOrganisms: 3 });
    hand.plant(6, 18, CLEO);
    hand.ticks(GROWN);
    const thin = (organism: number, by = CLEO) => {
      return hand.act({ what: 'thin', by, organism });
    };
    expect(reasonOf(thin(1))).toBe('not-yours');
    expect(reasonOf(thin(9))).toBe('no-such-organism');
    const { answers, life } = thin(3, { ...CLEO, id: 8 });
    expect(answers[0]).toMatchObject({ removed: 1 });
    expect(left(life)).toEqual([{ what: 'departing', id: 3 }]);
    expect(reasonOf(thin(3))).toBe('no-such-organism');
    expect(planters(hand)).toEqual(['Anna', 'Bert']);
  });
});

describe('a full room of fresh organisms', () => {
  const [A, B] = [11, 12];
  const person = (id: number) => ({ id, name: `${id}`, hue: 0 });
  const spots = [6, 16, 26].flatMap((x) => [6, 17].map((y) => [x, y] as const));

  /** Six places, each filled a tick ago by another participant of one address. */
  function filled(source: number | null = A): HandRoom {
    const hand = new HandRoom({ ...SLOW, maxOrganisms: spots.length, width: 32, height: 24 });
    spots.forEach(([x, y], i) => {
      hand.room.enter(i + 1, undefined, source ?? undefined);
      hand.plant(x, y, person(i + 1));
    });
    hand.tick();
    return hand;
  }

  test('DEP-6: of one address, the planter with most gives up their newest', () => {
    const hand = new HandRoom({ ...SLOW, maxOrganisms: 4 });
    for (const id of [1, 2, 3]) hand.room.enter(id, undefined, A);
    hand.plant(6, 6, person(2));
    hand.plant(16, 6, person(1));
    hand.plant(26, 6, person(1));
    hand.plant(6, 17, person(2));
    hand.tick();
    hand.plant(16, 17, person(3));
    hand.tick();
    hand.plant(26, 17, person(3));
    hand.tick();
    expect(planters(hand)).toEqual(['2', '1', '3', '3']);
  });

  test('DEP-6: whose address is as well represented as others gives up one of their own', () => {
    const hand = new HandRoom({ ...SLOW, maxOrganisms: 2 });
    hand.room.enter(1, undefined, A);
    hand.room.enter(2, undefined, B);
    hand.plant(6, 6, person(1));
    hand.plant(16, 6, person(2));
    hand.tick();
    hand.plant(6, 17, person(1));
    hand.tick();
    expect(planters(hand)).toEqual(['2', '1']);
  });

  test('DEP-6: refuse a seed, as ever, while no journal entry tells a source', () => {
    const hand = filled(null);
    hand.plant(11, 6, person(20));
    expect(reasonOf(hand.tick())).toBe('garden-full');
    expect(hand.room.export().attendance.sources).toBeUndefined();
  });

  test('DEP-6: sources are forgotten with those who came from there', () => {
    const hand = filled();
    const { room } = hand;
    room.enter(20, undefined, B);
    expect(room.export().attendance.sources).toHaveLength(7);
    room.leave(20);
    hand.ticks(70);
    expect(room.export().attendance.sources).toHaveLength(6);
  });
});

test('DEP-1: who has left is forgotten once none of their organisms lives', () => {
  const hand = fullRoom();
  hand.room.leave(ANNA.id);
  hand.tick();
  const absent = { participant: ANNA.id, since: hand.room.tick - 1 };
  expect(hand.room.export().attendance).toEqual({ present: [BERT.id, CLEO.id], absent: [absent] });
  hand.plant(6, 18, CLEO);
  hand.ticks(128);
  expect(hand.room.export().attendance).toEqual({ present: [BERT.id, CLEO.id], absent: [] });
});
