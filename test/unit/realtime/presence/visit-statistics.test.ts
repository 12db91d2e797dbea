import { VisitStatistics } from '../../../../server/realtime/presence/visit-statistics.ts';

test('a visit has a duration, a count of acts, and a count of neighbours at the same address', () => {
  const guests = new VisitStatistics();
  guests.enter(1, 'a', 1_000);
  guests.enter(2, 'a', 2_000);
  guests.enter(3, 'b', 3_000);
  guests.enter(4, '', 3_000);
  guests.enter(5, '', 3_000);
  guests.countCommand(2);
  guests.countCommand(2);
  const about = (present: number[]) => {
    const crowds = guests.participantsByAddress(present);
    return present.map((id) => guests.summaryOf(id, crowds, 5_000));
  };
  expect(about([1, 2, 3, 4, 5])).toEqual([
    { stay: 4_000, acts: 0, neighbours: 1 },
    { stay: 3_000, acts: 2, neighbours: 1 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
    { stay: 2_000, acts: 0, neighbours: 0 },
  ]);
  // Participants who left do not count as neighbours, even while their slot is held. After a return from another
  // address they count there.
  expect(about([2]).map(({ neighbours }) => neighbours)).toEqual([0]);
  guests.enter(1, 'b', 6_000);
  expect(about([1, 2, 3]).map(({ neighbours }) => neighbours)).toEqual([1, 0, 1]);
  guests.leave(3);
  expect(about([3])).toEqual([{ stay: 0, acts: 0, neighbours: 0 }]);
});

test('the address of each participant is read only once, however many there are', () => {
  const guests = new VisitStatistics();
  const present = Array.from({ length: 2_000 }, (_, i) => i + 1);
  for (const id of present) guests.enter(id, `address ${id % 10}`, 0);
  let asked = 0;
  const addressOf = guests.addressOf.bind(guests);
  guests.addressOf = (id) => {
    asked++;
    return addressOf(id);
  };
  const crowds = guests.participantsByAddress(present);
  expect(present.map((id) => guests.summaryOf(id, crowds, 0).neighbours)).toEqual(
    present.map(() => 199),
  );
  expect(asked).toBe(present.length);
});
