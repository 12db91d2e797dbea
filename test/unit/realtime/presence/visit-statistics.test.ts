import { VisitStatistics } from '../../../../server/realtime/presence/visit-statistics.ts';

test('a visit has a duration, a count of acts, and a count of neighbours at the same address', () => {
  const visits = new VisitStatistics();
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
