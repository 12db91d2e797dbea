/** Which organism leaves when a full room makes space for a newcomer. */
import { DEPARTURE, Departures } from '../../../server/world/departures.ts';
import type { Organism } from '../../../server/world/organisms/organism.ts';
import fc, { forRuns } from '../../support/property.ts';

const { protectedSeconds, unattendedSeconds } = DEPARTURE;
const RATE = 10;
const PROTECTED = protectedSeconds * RATE;
const UNATTENDED = unattendedSeconds * RATE;
const NOW = 20_000;
const TIME = { tick: NOW, tickRate: RATE };

const resident = fc.record(
  {
    planter: fc.record({ id: fc.integer({ min: 0, max: 4 }) }),
    born: fc.constantFrom(0, 1_000, NOW - UNATTENDED, NOW - PROTECTED, NOW - PROTECTED + 1, NOW),
    phase: fc.constantFrom('growing' as const, 'awake' as const, 'asleep' as const),
    expression: fc.constant({}),
  },
  { requiredKeys: ['planter', 'born', 'phase'] },
);
/** An organism that expresses a relative rests. */
const rests = ({ phase, expression }: Organism) => phase === 'asleep' || expression !== undefined;

/** Organisms, numbered by age, and since when each of five planters is away; undefined: present. */
const scenes = fc.record({
  residents: fc
    .array(resident, { maxLength: 12 })
    .map((some) => some.map((one, i) => ({ ...one, id: i + 1 }) as unknown as Organism)),
  absences: fc.array(
    fc.constantFrom(undefined, Number.NEGATIVE_INFINITY, 100, 5_000, NOW - UNATTENDED + 1),
    { minLength: 5, maxLength: 5 },
  ),
});

function departuresOf(staying: Organism[], absences: readonly (number | undefined)[]): Departures {
  const departures = new Departures(
    {} as never,
    { population: { staying } } as never,
    {} as never,
    0,
  );
  const present = absences.flatMap((since, id) => (since === undefined ? [id] : []));
  const absent = absences.flatMap((since = Number.NEGATIVE_INFINITY, participant) =>
    Number.isFinite(since) ? [{ participant, since }] : [],
  );
  departures.restore({ attendance: { present, absent } });
  return departures;
}

/** The organism that departs from a full room; undefined if none may. */
function chosenFrom(...scene: Parameters<typeof departuresOf>): Organism | undefined {
  try {
    return departuresOf(...scene).departing(undefined, TIME);
  } catch {
    return undefined;
  }
}

test('DEP-1, DEP-2: first the organisms of absent planters, longest absent first; then of those with most; then the oldest', () => {
  forRuns(1_000, scenes, ({ residents, absences }) => {
    const chosen = chosenFrom(residents, absences);
    expect(chosenFrom(residents.toReversed(), absences)?.id).toBe(chosen?.id);
    const free = residents.filter(({ born }) => NOW - born >= PROTECTED);
    if (!chosen) {
      expect(free).toEqual([]);
      return;
    }
    expect(free).toContain(chosen);
    const since = ({ planter }: Organism) => absences[planter.id];
    const left = free.filter((one) => rests(one) && since(one) !== undefined);
    if (left.length > 0) {
      const earliest = Math.min(...left.map((one) => since(one)!));
      expect(chosen).toBe(left.find((one) => since(one) === earliest));
      return;
    }
    const countOf = ({ planter }: Organism) =>
      residents.filter((one) => one.planter.id === planter.id).length;
    const most = Math.max(...free.map(countOf));
    const theirs = free.filter((one) => countOf(one) === most);
    expect(chosen).toBe(theirs.find(rests) ?? theirs[0]);
  });
});

test('DEP-4: unattended is what rests and whose planter was away for ten minutes of its life', () => {
  forRuns(300, scenes, ({ residents, absences }) => {
    const [chosen] = departuresOf(residents, absences).unattended(TIME);
    const since = ({ planter }: Organism) => absences[planter.id] ?? Number.POSITIVE_INFINITY;
    const left = residents.filter(
      (one) => rests(one) && NOW - Math.max(since(one), one.born) >= UNATTENDED,
    );
    const earliest = Math.min(...left.map(since));
    expect(chosen).toBe(left.find((one) => since(one) === earliest));
  });
});
