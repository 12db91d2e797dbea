import { type Engine, EngineError } from '../../../server/engine/engine.ts';
import { DEPARTURE, Departures } from '../../../server/world/departures.ts';
import { dissolvingPlaces } from '../../../server/world/dissolving.ts';
import { GridPlanes } from '../../../server/world/grid-planes.ts';
import type { Organism } from '../../../server/world/organisms/organism.ts';
import { nearestWindow } from '../../../server/world/planting.ts';
import { chance } from '../../../server/world/room-rules.ts';
import { type TickEvents, World } from '../../../server/world/world.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';
import { ANNA, BERT, GROWN, HandRoom } from '../../support/rooms.ts';
import {
  besideDeparting,
  CLEO,
  departing,
  held,
  PEOPLE,
  phases,
  reasonOf,
  renew,
  rested,
  SLOW,
  words,
} from './departing-rooms.ts';

/** Which organism leaves when a full room makes space for a newcomer. */

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

/** How organisms depart: they dissolve from the rim. */

describe('dissolving', () => {
  const { dissolveSeconds, maxDissolving, protectedSeconds, outlivedSeconds } = DEPARTURE;

  describe('dissolving', () => {
    test('DEP-7: places go from the rim inwards, raggedly, so many a tick, and none is left at the end', () => {
      const grid = new GridPlanes(24, 24);
      const window = { x: 4, y: 4, width: 16, height: 16 };
      const whole = { id: 7, window, stage: 16, seen: new Uint8Array(4 * 256).fill(255) };
      grid.each(window, (place) => grid.claim(place, 7));
      const depthOf = (place: number) => {
        const [x, y] = [(place % 24) - 4, Math.floor(place / 24) - 4];
        return Math.min(x, y, 15 - x, 15 - y);
      };
      const gone: number[][] = [];
      for (let left = 32; left > 0; left--) {
        const places = dissolvingPlaces(whole, grid, left, (place) => chance(5, place, 0));
        for (const place of places) grid.release(place);
        gone.push(places);
      }
      expect(new Set(gone.flat()).size).toBe(256);
      for (const places of gone) expect(places).toHaveLength(8);
      const [early, late] = [gone.slice(0, 8), gone.slice(-8)].map((some) =>
        some.flat().map(depthOf),
      );
      expect(Math.max(...early)).toBeLessThanOrEqual(2);
      expect(Math.min(...late)).toBeGreaterThanOrEqual(3);
      // Not ring by ring: while some of the outermost ring is left, places behind it are gone.
      const lastOuter = gone.findLastIndex((places) =>
        places.some((place) => depthOf(place) === 0),
      );
      expect(gone.slice(0, lastOuter).flat().map(depthOf)).toContain(2);
      expect(dissolvingPlaces({ ...whole, id: 8 }, grid, 3, () => 0)).toEqual([]);
    });

    test('DEP-7: a departing organism loses its places over eight seconds, without steps, then dies', () => {
      const hand = departing();
      const [seconds, places] = [dissolveSeconds, 64];
      expect(hand.room.size).toBe(2);
      const left = [held(hand, 1)];
      expect(left[0]).toBe(places - places / seconds);
      const age = hand.room.export().organisms[0].age;
      for (let tick = 2; tick < seconds; tick++) {
        expect(words(hand.tick())).not.toContain('died');
        left.push(held(hand, 1));
      }
      expect(left).toEqual(Array.from({ length: seconds - 1 }, (_, i) => places - 8 * (i + 1)));
      expect(hand.room.export().organisms[0].age).toBe(age);
      expect(hand.tick().life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
      expect(held(hand, 1)).toBe(0);
      expect(hand.room.viewOf(1)).toBeUndefined();
    });

    test('DEP-8: of more than eight that depart at once, the one nearest its end dies at once', () => {
      const hand = rested(
        Array.from({ length: 12 }, () => ANNA),
        { maxOrganisms: 12, height: 80 },
      );
      const plants = (count: number, y: number) => {
        for (let i = 0; i < count; i++) hand.plant(6 + 9 * i, y, CLEO);
        return hand.tick();
      };
      plants(2, 44);
      plants(4, 56);
      const full = plants(2, 68);
      expect(words(full)).not.toContain('died');
      expect(phases(hand).filter((one) => one.endsWith('departing'))).toHaveLength(maxDissolving);
      hand.plant(33, 68, CLEO);
      const more = hand.tick();
      expect(more.life.filter(({ what }) => what === 'died')).toEqual([
        { what: 'died', id: 1, cause: 'departed' },
      ]);
      expect(phases(hand).filter((one) => one.endsWith('departing'))).toHaveLength(maxDissolving);
    });

    test('DEP-8: an engine without memory for one more lets those go that dissolve', () => {
      const hand = rested([ANNA, BERT]);
      const { room } = hand;
      room.enqueue(1, {
        what: 'plant',
        by: CLEO,
        x: 6,
        y: 18,
        seed: { from: 'gallery', index: 0 },
      });
      room.beginTick();
      expect(room.refusePending()).toBe(true);
      const { answers, life } = room.endTick([]);
      expect(answers[0].refused?.reason).toBe('garden-full');
      expect(life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
      expect(room.beginTick().dispose).toHaveLength(2);
      room.endTick([]);
    });

    test('TIM-5, DEP-8: where nothing was planted, what dissolves goes on although another room lacks memory', async () => {
      const hand = rested([ANNA, BERT], {
        life: { birth: 1, healing: 1, expressing: 1, lifetime: protectedSeconds },
      });
      while (phases(hand)[0] !== '1 departing') hand.tick();
      const engine = {
        plant: async () => {
          throw new EngineError('out-of-memory');
        },
        dispose: async () => {},
      } as Partial<Engine> as Engine;
      const world = new World(engine);
      const from = structuredClone(hand.room.export());
      const place = { width: 48, height: 24, maxOrganisms: 2, seed: 1, species: hand.room.species };
      const calm = world.open({ ...place, name: 'calm', from });
      const full = world.open({ ...place, name: 'full' });
      const journal: TickEvents[] = [];
      world.journal = async (ticks) => {
        journal.push(...ticks);
      };
      const seed = { from: 'gallery', index: 0 } as const;
      full.enqueue(1, { what: 'plant', by: ANNA, x: 6, y: 6, seed });
      const [, { result }] = await world.tick([calm, full]);
      expect(reasonOf(result)).toBe('garden-full');
      expect(journal.map(({ events }) => events.map(({ what }) => what))).toEqual([
        [],
        ['command', 'no-memory'],
      ]);
      hand.tick();
      expect(calm.export()).toEqual(hand.room.export());
    });

    test('DEP-8, DEP-10: a seed that memory is missing for cannot be renewed, even if it would have departed at once', () => {
      const hand = new HandRoom({ ...SLOW, maxOrganisms: 1 });
      const { room } = hand;
      room.enter(ANNA.id, undefined, 1);
      room.enter(CLEO.id, undefined, 2);
      hand.plant(6, 6, ANNA);
      hand.plant(18, 6, CLEO);
      room.beginTick();
      expect(phases(hand)).toEqual(['1 departing', '2 growing']);
      expect(room.refusePending()).toBe(true);
      expect(room.endTick([]).life).toEqual([]);
      expect(room.renewable(ANNA.id)).toEqual([]);
    });

    test('DEP-9: strokes do not wound a departing organism, and it can be crossed', () => {
      const hand = departing();
      hand.damage([3, 6, 9, 6], 2, BERT);
      const { answers, life } = hand.act({ what: 'cross', by: BERT, a: 1, b: 2, mix: 0.5 });
      expect(answers.map(({ refused }) => refused)).toEqual([undefined, undefined]);
      expect(life.filter(({ what }) => what === 'wounded')).toEqual([]);
      expect(hand.room.viewOf(1)).toMatchObject({ phase: 'departing', wounds: 0, hurt: false });
      expect(words(hand.ticks(dissolveSeconds).at(-3)!)).toContain('died');
    });

    test('DEP-9: a neighbour that it blocked rests until it is gone, then grows into what it has left', () => {
      const hand = besideDeparting();
      const life = hand.lives(dissolveSeconds - 1);
      expect(life).toContainEqual({ what: 'departing', id: 1 });
      expect(life).not.toContainEqual({ what: 'awake', id: 2 });
      expect([hand.owner(10, 8), hand.owner(11, 8)]).not.toContain(2);
      expect(hand.tick().life).toContainEqual({ what: 'awake', id: 2 });
      hand.tick();
      expect([hand.owner(10, 8), hand.owner(11, 8), hand.owner(9, 8)]).toEqual([2, 2, 0]);
    });
  });

  describe('lifetime', () => {
    const life = (lifetime: number) => ({ birth: 1, healing: 1, expressing: 1, lifetime });
    const FIVE = [ANNA, ANNA, BERT, BERT, CLEO];

    /** When each organism has begun to depart, in seconds. */
    function departures(hand: HandRoom, seconds: number): [at: number, id: number][] {
      return hand.ticks(seconds).flatMap(({ tick, life: events }) => {
        const gone = events.filter(({ what }) => what === 'departing') as { id: number }[];
        return gone.map(({ id }): [number, number] => [tick, id]);
      });
    }

    test('DEP-11: in a room more than half full, those at rest depart one by one when it is over', () => {
      const hand = rested(FIVE, { maxOrganisms: 6, life: life(100) });
      hand.room.leave(BERT.id);
      expect(departures(hand, 100 - protectedSeconds - 1)).toEqual([]);
      const gone = departures(hand, 60);
      // Of an absent planter first, then of who has most; three are not more than half of six.
      expect(gone.map(([, id]) => id)).toEqual([3, 4]);
      expect(gone[1][0] - gone[0][0]).toBe(outlivedSeconds);
      expect(hand.room.size).toBe(3);
    });

    test('DEP-2, DEP-11: none departs before a minute, and none where lives last for ever', () => {
      const hand = new HandRoom({ ...SLOW, width: 48, maxOrganisms: 3, life: life(5) });
      for (const { id } of PEOPLE) hand.room.enter(id);
      for (const [i, by] of PEOPLE.entries()) hand.plant(6 + 12 * i, 6, by);
      hand.ticks(GROWN);
      hand.change = 0;
      expect(departures(hand, protectedSeconds - GROWN)).toEqual([]);
      expect(departures(hand, 2 * outlivedSeconds)).not.toEqual([]);
      const eternal = rested(FIVE, { maxOrganisms: 5, life: life(0) });
      expect(departures(eternal, 600)).toEqual([]);
    });

    test('DEP-11: a life begins anew when its planter brings it back', () => {
      const hand = rested(FIVE, { maxOrganisms: 6, life: life(80) });
      hand.ticks(80 - protectedSeconds + outlivedSeconds + 2);
      expect(hand.room.viewOf(1)?.phase).toBe('departing');
      expect(words(renew(hand, 1))).toContain('renewed');
      hand.ticks(70);
      expect(hand.room.viewOf(1)?.phase).toBe('asleep');
      expect(hand.room.size).toBe(3);
    });
  });
});

/** How planters keep what departs. */

describe('renewing', () => {
  const { dissolveSeconds, protectedSeconds, renewSeconds } = DEPARTURE;

  describe('renewing', () => {
    test('DEP-10, LIF-3: what a renewed organism does not take back wakes the neighbour that it blocked', () => {
      const hand = besideDeparting();
      hand.ticks(dissolveSeconds - 2);
      // There is room for all.
      hand.act({ what: 'remove', by: HOUSE, organism: 3 });
      for (let y = 4; y < 12; y++) expect([hand.owner(10, y), hand.owner(11, y)]).toEqual([0, 0]);
      hand.room.enqueue(10, { what: 'renew', by: ANNA, organism: 1 });
      const life = hand.ticks(4, ({ organism, x }) => (organism === 1 && x > 5 ? 0 : 255));
      expect(life.flatMap((result) => result.life)).toContainEqual({ what: 'awake', id: 2 });
    });

    test('DEP-10: brings a departing organism back, and another departs for it', () => {
      const hand = departing();
      hand.ticks(4);
      expect(held(hand, 1)).toBeLessThan(32);
      const energy = hand.room.energyOf(ANNA.id);
      const { answers, life } = renew(hand, 1);
      expect(answers[0]).toMatchObject({ what: 'renew', energy });
      expect(life).toContainEqual({ what: 'renewed', id: 1, phase: 'awake' });
      expect(life).toContainEqual({ what: 'departing', id: 2 });
      expect(phases(hand).slice(0, 2)).toEqual(['1 awake', '2 departing']);
      expect(held(hand, 1)).toBe(64);
      expect(hand.room.size).toBe(2);
      const later = hand.lives(30);
      expect(later).toContainEqual({ what: 'asleep', id: 1 });
      expect(later).toContainEqual({ what: 'died', id: 2, cause: 'departed' });
      expect(later).not.toContainEqual({ what: 'died', id: 1, cause: 'departed' });
    });

    /** A room in which Anna's departs while it grows, with the places in its middle. */
    function growing() {
      const hand = new HandRoom({ ...SLOW, maxOrganisms: 1 });
      hand.room.enter(ANNA.id, undefined, 1);
      hand.room.enter(CLEO.id, undefined, 2);
      hand.plant(6, 6, ANNA);
      hand.ticks(3);
      hand.plant(18, 6, CLEO);
      hand.tick();
      expect(phases(hand)).toEqual(['1 departing', '2 growing']);
      hand.room.change({ what: 'limit', maxOrganisms: 2 });
      const { grid } = hand.room;
      const middle = [grid.place(5, 5), grid.place(6, 5), grid.place(5, 6), grid.place(6, 6)];
      return { hand, grid, middle };
    }

    test('DEP-10, OWN-7: one that is still growing has the bare places in its middle again', () => {
      const { hand, grid, middle } = growing();
      for (const place of middle) grid.release(place);
      grid.claim(middle[0], 2);
      hand.act({ what: 'renew', by: ANNA, organism: 1 }, () => 0);
      expect(middle.map((place) => grid.ownerAt(place))).toEqual([2, 1, 1, 1]);
    });

    test('DEP-10, TIM-2: one that is still growing is not brought back where others own its middle', () => {
      const { hand, grid, middle } = growing();
      for (const place of middle) {
        grid.release(place);
        grid.claim(place, 2);
      }
      const { nextOrganism } = hand.room.export();
      expect(reasonOf(renew(hand, 1))).toBe('occupied');
      expect(phases(hand)).toEqual(['1 departing', '2 growing']);
      expect(hand.room.export().nextOrganism).toBe(nextOrganism);
    });

    test('DEP-2, DEP-10: what was renewed counts as just planted; where all is fresh, renewing is refused', () => {
      const hand = departing();
      renew(hand, 1);
      const refused = renew(hand, 2, BERT);
      expect(reasonOf(refused)).toBe('garden-full');
      expect(phases(hand)).toEqual(['1 awake', '2 departing', '3 growing']);
      // A minute later it may depart again.
      hand.ticks(protectedSeconds);
      hand.plant(30, 18, CLEO);
      hand.tick();
      expect(phases(hand)[0]).toBe('1 departing');
    });

    test('DEP-10: for a minute after its death, it is planted again at the same place, free', () => {
      const hand = departing();
      hand.ticks(dissolveSeconds);
      expect(hand.room.viewOf(1)).toBeUndefined();
      const renewable = { id: 1, kind: 'one', secondsLeft: expect.closeTo(renewSeconds, -1) };
      expect(hand.room.renewable(ANNA.id)).toEqual([renewable]);
      const energy = hand.room.energyOf(ANNA.id);
      const { answers, life } = renew(hand, 1);
      expect(answers[0].refused).toBeUndefined();
      expect(hand.room.energyOf(ANNA.id)).toBe(energy);
      const [born] = life.flatMap((event) => (event.what === 'born' ? [event.organism] : []));
      expect(born).toMatchObject({ x: 6, y: 6, kind: 'one', planter: ANNA, origin: 'gallery' });
      // Bert's departed for it, and now that one can be kept.
      expect(hand.room.renewable(ANNA.id)).toEqual([]);
      expect(hand.room.renewable(BERT.id)).toHaveLength(1);
      expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
    });

    test('DEP-10, TIM-2: by others, too late, or of what never was, it is refused and changes nothing', () => {
      const hand = departing();
      const roomNow = () => {
        const { planes, organisms, nextOrganism } = hand.room.export();
        return { owner: planes.owner, ids: organisms.map(({ id }) => id), nextOrganism };
      };
      expect(reasonOf(renew(hand, 1, BERT))).toBe('not-yours');
      expect(phases(hand)[0]).toBe('1 departing');
      expect(reasonOf(renew(hand, 99))).toBe('no-such-organism');
      hand.ticks(dissolveSeconds);
      expect(reasonOf(renew(hand, 1, BERT))).toBe('not-yours');
      hand.ticks(renewSeconds);
      const asItWas = roomNow();
      expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
      expect(roomNow()).toEqual(asItWas);
      expect(hand.room.export().departed).toBeUndefined();
    });

    test('DEP-13: what the host has depart dissolves within the time given, and cannot be renewed', () => {
      const hand = rested([ANNA, BERT]);
      const { answers, life } = hand.act({ what: 'depart', by: HOUSE, organism: 1, seconds: 4 });
      expect(answers[0].refused).toBeUndefined();
      expect(life).toContainEqual({ what: 'departing', id: 1 });
      expect(held(hand, 1)).toBe(48);
      expect(hand.room.renewable(ANNA.id)).toEqual([]);
      expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
      expect(held(hand, 1)).toBe(32);
      hand.tick();
      expect(hand.tick().life).toContainEqual({ what: 'died', id: 1, cause: 'departed' });
      expect(reasonOf(renew(hand, 1))).toBe('no-such-organism');
      const again = hand.act({ what: 'depart', by: HOUSE, organism: 1, seconds: 4 });
      expect(reasonOf(again)).toBe('no-such-organism');
    });
  });
});

/** Where a seed is planted again when its place is taken. */

const SIDE = 8;
const [WIDTH, HEIGHT] = [20, 14];

/** All windows with a bare square of this side in their middle, by rows. */
function windows(grid: GridPlanes, bare: number) {
  const inset = (SIDE - bare) / 2;
  const all = Array.from({ length: (WIDTH - SIDE + 1) * (HEIGHT - SIDE + 1) }, (_, i) => {
    const across = WIDTH - SIDE + 1;
    return { x: i % across, y: Math.floor(i / across), width: SIDE, height: SIDE };
  });
  return all.filter(({ x, y }) => {
    let owned = 0;
    grid.each({ x: x + inset, y: y + inset, width: bare, height: bare }, (place) => {
      owned += grid.ownerAt(place);
    });
    return owned === 0;
  });
}

test('DEP-10: it is the nearest with room, of equally near ones the first by rows', () => {
  const taken = fc.array(fc.nat({ max: WIDTH * HEIGHT - 1 }), { maxLength: 90 });
  const corner = fc.record({ x: fc.nat({ max: WIDTH - SIDE }), y: fc.nat({ max: HEIGHT - SIDE }) });
  forAll(taken, corner, (places, from) => {
    const grid = new GridPlanes(WIDTH, HEIGHT);
    for (const place of places) grid.claim(place, 1);
    const some = windows(grid, SIDE / 2);
    const fitting = some.length > 0 ? some : windows(grid, 2);
    const distance = ({ x, y }: { x: number; y: number }) => (x - from.x) ** 2 + (y - from.y) ** 2;
    const [wanted] = fitting.sort((a, b) => distance(a) - distance(b));
    expect(nearestWindow(from, SIDE, grid)).toEqual(wanted);
  });
  const full = new GridPlanes(WIDTH, HEIGHT);
  full.planes.owner.fill(1);
  expect(() => nearestWindow({ x: 3, y: 3 }, SIDE, full)).toThrow(Refusal);
});
