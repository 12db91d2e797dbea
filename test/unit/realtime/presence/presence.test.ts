import {
  CURSOR_PEOPLE,
  Cursors,
  EventQueue,
} from '../../../../server/realtime/presence/events-and-cursors.ts';
import { allNames, PresenceChanges } from '../../../../server/realtime/presence/presence.ts';
import { Visits } from '../../../../server/realtime/presence/visits.ts';
import { POINTER_INTERVAL, unpackPointer } from '../../../../shared/protocol/pointers.ts';
import { HOUSE } from '../../../../shared/vocabulary.ts';
import fc, { forAll } from '../../../support/property.ts';

const one = (id: number, name = `Guest ${id}`) => ({ id, name, hue: 0 });

test('arrivals and departures are announced once, with one shared message for equal changes', () => {
  const changes = new PresenceChanges();
  changes.enter(one(1));
  changes.enter(one(2));
  changes.leave(7);
  const people = changes.changesFor(5);
  expect(people).toEqual({ joined: [one(1), one(2)], left: [7] });
  expect(changes.changesFor(6)).toBe(people);
  expect(changes.changesFor()).toBe(people);
  changes.clear();
  expect(changes.changesFor(5)).toBeUndefined();
});

test('when many join at once, all of them are told the same, their own join too', () => {
  const changes = new PresenceChanges();
  for (let id = 1; id <= 100; id++) changes.enter(one(id));
  const people = changes.changesFor();
  expect(people!.joined).toHaveLength(100);
  for (const id of [1, 50, 100]) expect(changes.changesFor(id)).toBe(people);
});

test('of a participant who joins and leaves between two updates, the last change is announced', () => {
  // Newcomers in between may know of an earlier one.
  const changes = new PresenceChanges();
  for (let i = 0; i < 2; i++) {
    changes.enter(one(1));
    expect(changes.changesFor(2)).toEqual({ joined: [one(1)], left: [] });
    changes.leave(1);
    expect(changes.changesFor(2)).toEqual({ joined: [], left: [1] });
  }
});

test('all names are those of present participants, and of absent planters and painters of living organisms', () => {
  const living = [one(1), one(9), HOUSE].map((planter) => ({ planter }));
  const part = { kind: '', origin: 'prior', share: 0.5 } as const;
  const parts = [part, ...[one(2), one(8)].map((by) => ({ ...part, by }))];
  expect(allNames([one(1), one(2)], [...living, { planter: one(1), parts }])).toEqual({
    joined: [one(1), one(2), one(9), one(8)],
    left: [9, 8],
  });
});

/** Records the events it receives. */
class Listener {
  readonly told: number[] = [];
  readonly writable = true;

  send(_: string, message: unknown): void {
    this.told.push((message as { organism: number }).organism);
  }

  sendFrame(): void {}
  disconnect(): void {}
}

const beacon = (organism: number) => ({ organism, hue: 0 });

test('every client receives every event once and in order, whenever it is their turn', () => {
  forAll(
    fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 2, maxLength: 40 }),
    fc.nat(2),
    (rounds, turn) => {
      const news = new EventQueue();
      const [always, sometimes] = [new Listener(), new Listener()];
      let count = 0;
      rounds.forEach(([many, early], round) => {
        for (let i = 0; i < many; i++) news.add('beacon', beacon(++count));
        // This client's turn is every third round, and sometimes earlier.
        news.deliver([always, sometimes], (one) => one === always || early || round % 3 === turn);
      });
      news.deliver([sometimes], () => true);
      const all = Array.from({ length: count }, (_, i) => i + 1);
      expect(always.told).toEqual(all);
      expect(sometimes.told).toEqual(all);
    },
  );
});

test('a client that was just welcomed receives no earlier events', () => {
  const news = new EventQueue();
  const [here, newcomer] = [new Listener(), new Listener()];
  news.add('beacon', beacon(1));
  news.deliver([here], () => false);
  news.startFor(newcomer);
  news.add('beacon', beacon(2));
  news.deliver([here, newcomer], () => true);
  expect(here.told).toEqual([1, 2]);
  expect(newcomer.told).toEqual([2]);
});

test('the newest position of each cursor is sent, at most once per interval', () => {
  const pointers = new Cursors();
  pointers.move(1, { x: 1, y: 1, tool: 'plant' });
  pointers.move(2, { x: 5, y: 5, tool: 'look' });
  pointers.move(1, { x: 2, y: 3, tool: 'damage' });
  const due = (now: number) => pointers.due(now, 2)?.map(unpackPointer);
  expect(due(1_000)).toEqual([
    { id: 1, x: 2, y: 3, tool: 'damage' },
    { id: 2, x: 5, y: 5, tool: 'look' },
  ]);
  pointers.move(2, { x: 6, y: 5, tool: 'look' });
  expect(due(1_000 + POINTER_INTERVAL - 1)).toBeUndefined();
  expect(due(1_000 + POINTER_INTERVAL)).toEqual([{ id: 2, x: 6, y: 5, tool: 'look' }]);
  expect(due(9_000)).toBeUndefined();
});

test('a hidden cursor is announced without a position; that of a departed participant is not announced', () => {
  const pointers = new Cursors();
  pointers.move(1, { x: 1, y: 1, tool: 'plant' });
  pointers.move(2, { x: 1, y: 1, tool: 'plant' });
  pointers.hide(1);
  pointers.forget(2);
  expect(pointers.due(1_000, 2)?.map(unpackPointer)).toEqual([{ id: 1, tool: 'look' }]);
});

test('in a crowd cursors are sent less often, so that the total stays limited', () => {
  const told = (people: number): number => {
    const pointers = new Cursors();
    let count = 0;
    for (let now = 1_000; now < 11_000; now++) {
      pointers.move(1, { x: now, y: 0, tool: 'plant' });
      if (pointers.due(now, people)) count++;
    }
    return count * people;
  };
  const few = told(CURSOR_PEOPLE);
  expect(told(4 * CURSOR_PEOPLE)).toBeLessThan(1.01 * few);
  expect(told(4 * CURSOR_PEOPLE)).toBeGreaterThan(0.9 * few);
  expect(told(1)).toBeCloseTo(few / CURSOR_PEOPLE);
});

test('a visit has a duration, a count of acts, and a count of neighbours at the same address', () => {
  const visits = new Visits();
  visits.enter(1, 'a', 1_000);
  visits.enter(2, 'a', 2_000);
  visits.enter(3, 'b', 3_000);
  visits.enter(4, '', 3_000);
  visits.enter(5, '', 3_000);
  visits.countCommand(2);
  visits.countCommand(2);
  const about = (present: number[]) => {
    const counts = visits.participantsByAddress(present);
    return present.map((id) => visits.summaryOf(id, counts, 5_000));
  };
  expect(about([1, 2, 3, 4, 5])).toEqual([
    { stay: 4_000, acts: 0, neighbours: 1 },
    { stay: 3_000, acts: 2, neighbours: 1 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
  ]);
  // Participants who left do not count as neighbours, even while their slot is held. After a
  // return from another address they count there.
  expect(about([2]).map(({ neighbours }) => neighbours)).toEqual([0]);
  visits.enter(1, 'b', 6_000);
  expect(about([1, 2, 3]).map(({ neighbours }) => neighbours)).toEqual([1, 0, 1]);
  visits.leave(3);
  expect(about([3])).toEqual([{ stay: 0, acts: 0, neighbours: 0 }]);
});
