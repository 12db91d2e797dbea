/** Which organism leaves when a full room makes space for a newcomer. */
import {
  chooseDeparting,
  DEPARTURE,
  type Moment,
  type Resident,
  unattendedOf,
} from '../../../server/world/departures.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';

const { protectedSeconds, unattendedSeconds } = DEPARTURE;
const RATE = 10;
const PROTECTED = protectedSeconds * RATE;
const UNATTENDED = unattendedSeconds * RATE;
const NOW = 20_000;

const resident = fc.record(
  {
    planter: fc.record({ id: fc.integer({ min: 0, max: 4 }) }),
    born: fc.constantFrom(0, 1_000, NOW - UNATTENDED, NOW - PROTECTED, NOW - PROTECTED + 1, NOW),
    phase: fc.constantFrom('growing' as const, 'awake' as const, 'asleep' as const),
    expression: fc.constant({}),
  },
  { requiredKeys: ['planter', 'born', 'phase'] },
);
/** One that expresses a relative rests. */
const rests = ({ phase, expression }: Resident) => phase === 'asleep' || expression !== undefined;

/** Some organisms, numbered by age, and since when each of five planters is away. */
const scenes = fc.record({
  residents: fc
    .array(resident, { maxLength: 12 })
    .map((some): Resident[] => some.map((one, i) => ({ ...one, id: i + 1 }))),
  absences: fc.array(
    fc.constantFrom(undefined, Number.NEGATIVE_INFINITY, 100, 5_000, NOW - UNATTENDED + 1),
    { minLength: 5, maxLength: 5 },
  ),
});

const momentOf = (absences: readonly (number | undefined)[]): Moment => ({
  tick: NOW,
  tickRate: RATE,
  absentSince: (planter) => absences[planter],
});

describe('the choice', () => {
  test('DEP-1, DEP-2: first the organisms of absent planters, longest absent first; then of those with most; then the oldest', () => {
    forRuns(2_000, scenes, ({ residents, absences }) => {
      const chosen = chooseDeparting(residents, momentOf(absences));
      expect(chooseDeparting(residents.toReversed(), momentOf(absences))?.id).toBe(chosen?.id);
      const free = residents.filter(({ born }) => NOW - born >= PROTECTED);
      if (!chosen) {
        expect(free).toEqual([]);
        return;
      }
      expect(free).toContain(chosen);
      const since = ({ planter }: Resident) => absences[planter.id];
      const left = free.filter((one) => rests(one) && since(one) !== undefined);
      if (left.length > 0) {
        const earliest = Math.min(...left.map((one) => since(one)!));
        expect(chosen).toBe(left.find((one) => since(one) === earliest));
        return;
      }
      const countOf = ({ planter }: Resident) =>
        residents.filter((one) => one.planter.id === planter.id).length;
      const most = Math.max(...free.map(countOf));
      const theirs = free.filter((one) => countOf(one) === most);
      expect(chosen).toBe(theirs.find(rests) ?? theirs[0]);
    });
  });

  test('DEP-4: unattended is what rests and whose planter was away for ten minutes of its life', () => {
    forAll(scenes, ({ residents, absences }) => {
      const [chosen] = unattendedOf(residents, momentOf(absences));
      const since = ({ planter }: Resident) => absences[planter.id] ?? Number.POSITIVE_INFINITY;
      const left = residents.filter(
        (one) => rests(one) && NOW - Math.max(since(one), one.born) >= UNATTENDED,
      );
      const earliest = Math.min(...left.map(since));
      expect(chosen).toBe(left.find((one) => since(one) === earliest));
    });
  });
});
