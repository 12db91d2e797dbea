/** Rooms from which organisms depart, for tests. */
import { DEPARTURE } from '../../../server/world/departures.ts';
import type { TickResult } from '../../../server/world/room.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import { ANNA, BERT, GROWN, HandRoom } from '../../support/rooms.ts';

const { protectedSeconds } = DEPARTURE;
export const CLEO: ParticipantView = { id: 3, name: 'Cleo', hue: 90 };
export const PEOPLE = [ANNA, BERT, CLEO];

/** Rooms tick once a second here, so that a minute is soon over. */
export const SLOW = { tickRate: 1, maxOrganisms: 2 };

/** A room with organisms of these planters at rest, planted a minute ago. */
export function rested(planters: readonly ParticipantView[], options = {}): HandRoom {
  const hand = new HandRoom({ ...SLOW, width: 48, ...options });
  for (const { id } of PEOPLE) hand.room.enter(id);
  planters.forEach((by, i) => {
    hand.plant(6 + 12 * (i % 4), 6 + 12 * Math.floor(i / 4), by);
  });
  hand.ticks(GROWN);
  hand.change = 0;
  hand.ticks(protectedSeconds - GROWN);
  expect(hand.room.awake).toBe(0);
  return hand;
}

/** A full room from which Anna's organism, number 1, departs for one of Cleo's. */
export function departing(options = {}): HandRoom {
  const hand = rested([ANNA, BERT], options);
  hand.plant(6, 18, CLEO);
  expect(hand.tick().answers[0].refused).toBeUndefined();
  expect(hand.room.viewOf(1)?.phase).toBe('departing');
  return hand;
}

export function renew(hand: HandRoom, organism: number, by = ANNA): TickResult {
  return hand.act({ what: 'renew', by, organism });
}

export const words = ({ life }: TickResult) => life.map(({ what }) => what);
export const held = (hand: HandRoom, id: number) => hand.census().get(id) ?? 0;
export const reasonOf = ({ answers }: TickResult) => answers[0].refused?.reason;
export const phases = ({ room }: HandRoom) =>
  room.organisms.map(({ id, phase }) => `${id} ${phase}`);

/** Anna's organism departs with the next tick, from columns 4 to 11; Bert's rests beside it, from column 10 on. */
export function besideDeparting(): HandRoom {
  const hand = new HandRoom(SLOW);
  hand.regrows = true;
  for (const { id } of PEOPLE) hand.room.enter(id);
  hand.plant(8, 8, ANNA);
  hand.ticks(GROWN);
  hand.plant(14, 8, BERT);
  hand.ticks(20);
  hand.change = 0;
  hand.ticks(protectedSeconds);
  expect([hand.owner(11, 8), hand.owner(12, 8)]).toEqual([1, 2]);
  hand.plant(26, 18, CLEO);
  return hand;
}
