/** Commands that arrive again, as their room has changed owners before the answer came. */

import * as v from 'valibot';
import { QUEUE_LIMITS, type RoomCommand } from '../../../server/world/commands.ts';
import { roomState } from '../../../server/world/room-state.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { ANNA, BERT, GROWN, HandRoom, SPECIES, sown } from '../../support/rooms.ts';

const PAGE = 77;
const plant = (x: number, y: number, by = ANNA): RoomCommand => ({
  ...{ what: 'plant', by, x, y, seed: { from: 'gallery', index: 0 } },
});

/** A room with participants, as those whose commands may arrive twice are. */
function attended(hand = new HandRoom()): HandRoom {
  for (const { id } of [ANNA, BERT]) hand.room.enter(id);
  return hand;
}

/** A room that goes on from another one's state, as after a change of owner. */
function successor({ room }: HandRoom): HandRoom {
  const from = v.parse(roomState, room.export());
  return new HandRoom({ species: SPECIES, from });
}

test('a command that has been done is answered when it arrives again, and not done again', () => {
  const hand = attended();
  hand.room.enqueue(5, plant(8, 8), PAGE);
  hand.tick();
  const next = successor(hand);
  expect(next.room.doneBefore(5, plant(8, 8), PAGE)).toMatchObject({ by: ANNA.id, id: 5 });
  expect(next.room.doneBefore(5, plant(8, 8), PAGE)).not.toHaveProperty('refused');
  // Ids begin again with each page, and are each participant's own.
  expect(next.room.doneBefore(5, plant(8, 8), PAGE + 1)).toBeUndefined();
  expect(next.room.doneBefore(5, plant(8, 8, BERT), PAGE)).toBeUndefined();
  expect(next.room.doneBefore(6, plant(8, 8), PAGE)).toBeUndefined();
});

test('what was refused or never arrived is done when it arrives again', () => {
  const hand = attended();
  hand.room.enqueue(1, plant(8, 8), PAGE);
  hand.room.enqueue(2, plant(8, 8), PAGE);
  hand.room.enqueue(3, plant(20, 16), PAGE);
  const { answers } = hand.tick();
  expect(answers.map(({ refused }) => refused?.reason)).toEqual([undefined, 'occupied', undefined]);
  const { room } = successor(hand);
  const again = [1, 2, 3, 4].map((id) => room.doneBefore(id, plant(8, 8), PAGE) !== undefined);
  expect(again).toEqual([true, false, true, false]);
});

test('a command that arrives twice before its tick is done once', () => {
  const hand = attended();
  for (let i = 0; i < 2; i++) hand.room.enqueue(5, plant(8, 8), PAGE);
  expect(hand.tick().answers).toHaveLength(1);
});

test('who crossed gets the seed with the answer that comes again', () => {
  const hand = attended(sown([8, 8], [20, 16]));
  hand.ticks(GROWN);
  const cross: RoomCommand = { what: 'cross', by: ANNA, a: 1, b: 2, mix: 0.5 };
  hand.room.enqueue(9, cross, PAGE);
  const [{ seed }] = hand.tick().answers;
  expect(seed).toBeDefined();
  expect(successor(hand).room.doneBefore(9, cross, PAGE)?.seed).toEqual(seed);
});

test('it is known from the journal too, and forgotten when the participant leaves', () => {
  const hand = attended();
  hand.room.enqueue(5, plant(8, 8), PAGE);
  const { events } = hand.room.beginTick();
  const replayed = attended();
  replayed.room.redo(events);
  replayed.tick();
  expect(replayed.room.doneBefore(5, plant(8, 8), PAGE)).toBeDefined();
  replayed.room.leave(ANNA.id);
  expect(replayed.room.doneBefore(5, plant(8, 8), PAGE)).toBeUndefined();
  expect(replayed.room.export()).not.toHaveProperty('done');
});

test('a command that waits already is not counted as one too many', () => {
  const hand = attended();
  const most = QUEUE_LIMITS.maxQueuedPerParticipant;
  for (let id = 1; id <= most; id++) hand.room.enqueue(id, plant(8, 8), PAGE);
  hand.room.enqueue(most, plant(8, 8), PAGE);
  expect(() => hand.room.enqueue(most + 1, plant(8, 8), PAGE)).toThrow(new Refusal('too-fast'));
  hand.room.enqueue(most + 1, plant(20, 8, BERT), PAGE);
  expect(hand.tick().answers).toHaveLength(most + 1);
});

test('a room remembers no more commands than may be unanswered, and none without a session', () => {
  const hand = attended();
  for (let id = 1; id <= 200; id++) {
    hand.damage([1, 1], 1);
    hand.room.enqueue(id, { what: 'damage', by: BERT, points: [1, 1], radius: 1 }, PAGE);
    hand.tick();
  }
  const { done } = hand.room.export();
  expect(done?.map(({ participant }) => participant)).toEqual([BERT.id]);
  expect(done?.[0].commands.map(({ id }) => id)).toEqual(
    Array.from({ length: 64 }, (_, i) => 137 + i),
  );
});
