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

const resident = fc.record({
  planter: fc.record({ id: fc.integer({ min: 0, max: 4 }) }),
  born: fc.constantFrom(0, 1_000, NOW - UNATTENDED, NOW - PROTECTED, NOW - PROTECTED + 1, NOW),
  phase: fc.constantFrom('growing' as const, 'awake' as const, 'asleep' as const),
});

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
      const free = residents.filter(({ born }) => NOW - born >= PROTECTED);
      if (!chosen) {
        expect(free).toEqual([]);
        return;
      }
      expect(free).toContain(chosen);
      const since = ({ planter }: Resident) => absences[planter.id];
      const left = free.filter((one) => one.phase === 'asleep' && since(one) !== undefined);
      if (left.length > 0) {
        const earliest = Math.min(...left.map((one) => since(one)!));
        expect(chosen).toBe(left.find((one) => since(one) === earliest));
        return;
      }
      const countOf = ({ planter }: Resident) =>
        residents.filter((one) => one.planter.id === planter.id).length;
      const most = Math.max(...free.map(countOf));
      const theirs = free.filter((one) => countOf(one) === most);
      expect(chosen).toBe(theirs.find(({ phase }) => phase === 'asleep') ?? theirs[0]);
    });
  });

  test('DEP-1, DEP-4: one that expresses a relative rests', () => {
    const planter = { id: 0 };
    const awake = { id: 1, phase: 'awake', planter, born: 0, expression: {} } as const;
    const asleep = { id: 2, phase: 'asleep', planter, born: 0 } as const;
    const now = momentOf([100]);
    const both: Resident[] = [awake, asleep];
    expect(chooseDeparting(both, now)).toBe(awake);
    expect(unattendedOf(both, now)).toEqual(both);
  });

  test('DEP-1: the choice does not depend on the order of the organisms', () => {
    forAll(scenes, fc.nat(), ({ residents, absences }, turn) => {
      const turned = [...residents.slice(turn % 7), ...residents.slice(0, turn % 7)];
      const moment = momentOf(absences);
      expect(chooseDeparting(turned, moment)?.id).toBe(chooseDeparting(residents, moment)?.id);
    });
  });

  test('DEP-4: unattended is what rests and whose planter was away for ten minutes of its life', () => {
    forAll(scenes, ({ residents, absences }) => {
      const [chosen] = unattendedOf(residents, momentOf(absences));
      const since = ({ planter }: Resident) => absences[planter.id] ?? Number.POSITIVE_INFINITY;
      const left = residents.filter(
        (one) => one.phase === 'asleep' && NOW - Math.max(since(one), one.born) >= UNATTENDED,
      );
      const earliest = Math.min(...left.map(since));
      expect(chosen).toBe(left.find((one) => since(one) === earliest));
    });
  });
});
