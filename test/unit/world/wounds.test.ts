import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { LIFE } from '../../../server/world/organisms/organism.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { type EnergySettings, type FlashLimit, HOUSE } from '../../../shared/vocabulary.ts';
import fc, { forAll } from '../../support/property.ts';
import {
  ANNA,
  BERT,
  GROWN,
  grown,
  HandRoom,
  type Look,
  SPECIES,
  sown,
} from '../../support/rooms.ts';

/** Wounds close from their rim, and what is killed whole is dead. */

const { restSteps } = LIFE;

/** A room with organisms in windows of 8×8 around places, grown one after another. */
function room(closing: number | undefined, look?: Look, ...places: [number, number][]): HandRoom {
  const hand = new HandRoom({ species: { ...SPECIES, closing } });
  // Cells without a closed place come back in one step.
  hand.regrows = true;
  for (const [x, y] of places.length > 0 ? places : [[8, 8]]) {
    hand.plant(x, y);
    hand.ticks(GROWN, look);
  }
  return hand;
}

/** Places that an organism owns, tick by tick. */
const sizes = (hand: HandRoom, ticks: number, look?: Look, id = 1): (number | undefined)[] =>
  Array.from({ length: ticks }, () => {
    hand.tick(look);
    return hand.census().get(id);
  });

/** Kills the left half of the organism in the middle of (8, 8). */
const cut = (hand: HandRoom, by = ANNA): number => hand.damage([6, 4, 6, 12], 2, by);

describe('a wound', () => {
  test('CLO-1: closes from its rim, so many places in a step', () => {
    for (const [closing, seen] of [
      [1, [32, 40, 48, 56, 64, 64]],
      [2, [32, 48, 64, 64, 64, 64]],
      [4, [32, 64, 64, 64, 64, 64]],
    ] as const) {
      const hand = room(closing);
      cut(hand);
      expect(sizes(hand, 6)).toEqual(seen);
    }
  });

  test('CLO-1: a second stroke closes again what has opened', () => {
    const hand = room(1);
    cut(hand);
    expect(sizes(hand, 3)).toEqual([32, 40, 48]);
    // Of three columns one had come back; one more comes back now, and the last one waits.
    hand.damage([4, 4, 4, 12], 2.6, BERT);
    expect(sizes(hand, 5)).toEqual([48, 56, 56, 56, 64]);
    expect(hand.room.organisms[0]).toMatchObject({ wounds: 2, hurt: true });
  });

  test('CLO-2: opens at once where the card says nothing, and while the organism grows', () => {
    const hand = room(undefined);
    hand.regrows = false;
    cut(hand);
    expect(sizes(hand, 2)).toEqual([32, 64]);
    const young = new HandRoom({ species: { ...SPECIES, closing: 1 } });
    young.plant(8, 8);
    young.ticks(GROWN - 2);
    cut(young);
    // Two of its seed places were hit, which it keeps.
    expect(sizes(young, 2)).toEqual([34, 64]);
    expect(young.room.export().organisms[0]).not.toHaveProperty('closed');
  });

  test('CLO-3, CLO-5: a part that lies apart opens when the rest has closed, and rests after that', () => {
    const parts: Look = ({ x }) => (x < 3 || x > 5 ? 255 : 0);
    const hand = room(1, parts);
    hand.change = 0;
    hand.ticks(restSteps, parts);
    expect(hand.room.organisms[0].phase).toBe('asleep');
    // All of the right part, and two columns of the left one.
    hand.damage([11, 4, 11, 12], 1);
    hand.damage([6, 4, 6, 12], 1);
    // The left part first; then the rim crosses what is bare, and the right one follows.
    expect(sizes(hand, 10, parts)).toEqual([8, 16, 24, 24, 24, 24, 24, 24, 32, 40]);
    hand.ticks(restSteps - 2, parts);
    expect(hand.room.organisms[0].phase).toBe('awake');
    const { life } = hand.tick(parts);
    expect(life).toEqual([
      { what: 'healed', id: 1, healed: 1 },
      { what: 'asleep', id: 1 },
    ]);
  });

  test('CLO-4: ground that a neighbour holds is open as soon as it is free', () => {
    const left: Look = ({ x, organism, tick }) =>
      organism === 1 && tick < 2 * GROWN && x > 5 ? 0 : 255;
    const hand = room(1, left, [8, 8], [14, 8]);
    hand.tick(left);
    expect(hand.owner(10, 8)).toBe(2);
    // Columns 8 and 9, which are its own, and 10, which is the neighbour's.
    hand.damage([9.5, 4, 9.5, 12], 1.4);
    hand.act({ what: 'remove', by: ANNA, organism: 2 }, left);
    expect(hand.room.export().organisms[0].closed).toEqual(
      Uint8Array.from({ length: 64 }, (_, cell) => [0, 0, 0, 0, 0, 1, 0, 0][cell % 8]),
    );
    expect([7, 8, 9, 10, 11].map((x) => hand.owner(x, 8))).toEqual([1, 0, 0, 1, 1]);
  });
});

describe('an organism that is killed whole', () => {
  const all = (hand: HandRoom, by = ANNA): number => hand.damage([8, 4, 8, 12], 6, by);

  test.each([
    ['closes', 1],
    ['does not close', undefined],
  ] as const)('CLO-6: dies at once, where a wound %s', (_, closing) => {
    const hand = room(closing);
    all(hand, BERT);
    const { life, died } = hand.tick();
    expect(life).toEqual([
      { what: 'wounded', id: 1, by: BERT.id, wounds: 1 },
      { what: 'died', id: 1, cause: 'killed' },
    ]);
    expect(died).toHaveLength(1);
    expect(hand.steps).toBe(0);
    expect(hand.census().has(1)).toBe(false);
    expect(hand.room.grid.planes.rgba.every((value) => value === 0)).toBe(true);
  });

  test('CLO-6: also by several strokes, one after another, and not before the last place', () => {
    const hand = room(1);
    hand.change = 0;
    cut(hand);
    expect(hand.tick().life.map(({ what }) => what)).toEqual(['wounded']);
    hand.damage([10, 4, 10, 11], 2);
    expect(hand.tick(() => 0).life.at(-1)).toMatchObject({ what: 'died' });
    const other = room(1);
    cut(other);
    other.damage([10, 4, 10, 9], 2);
    other.tick();
    expect(other.room.size).toBe(1);
  });
});

describe('protect', () => {
  const RATE = 10;
  const SECONDS = 5;
  const PAUSE = SECONDS * RATE;

  /** Two grown organisms, in places 2…9 and 14…21. */
  function room(protect = SECONDS): HandRoom {
    const hand = new HandRoom({ tickRate: RATE });
    hand.regrows = true;
    hand.plant(6, 6);
    hand.plant(18, 6);
    hand.ticks(GROWN);
    if (protect > 0) hand.room.change({ what: 'protect', seconds: protect });
    return hand;
  }

  const LEFT = [4, 6];
  const BOTH = [4, 6, 20, 6];
  const wounds = ({ room }: HandRoom) => room.organisms.map((one) => one.wounds);

  function cut(hand: HandRoom, points: number[], by = ANNA) {
    hand.damage(points, 1, by);
    return hand.tick().answers[0];
  }

  describe('protection', () => {
    test('DMG-3: after a wound nobody can wound it until the pause is over, and they are told', () => {
      const hand = room();
      expect(cut(hand, LEFT).refused).toBeUndefined();
      const energy = hand.room.energyOf(BERT.id);
      const { refused } = cut(hand, LEFT, BERT);
      expect(refused?.reason).toBe('protected');
      expect(hand.room.energyOf(BERT.id)).toBe(energy);
      hand.ticks(PAUSE - 3);
      for (const by of [ANNA, BERT]) {
        hand.damage(LEFT, 1, by);
      }
      const { answers, life } = hand.tick();
      expect(answers.map((one) => one.refused?.reason)).toEqual(['protected', 'protected']);
      expect(life).toEqual([]);
      expect(wounds(hand)).toEqual([1, 0]);
      expect(cut(hand, LEFT, BERT).refused).toBeUndefined();
      expect(wounds(hand)).toEqual([2, 0]);
    });

    test('DMG-3: the stroke that makes a wound may go on for a second, and no longer', () => {
      const hand = room();
      /** Messages of one movement to and fro. */
      const part = (i: number) => (i % 2 === 0 ? [4, 6, 5, 6] : [5, 6, 4, 6]);
      const reasons = Array.from(
        { length: RATE + 3 },
        (_, i) => cut(hand, part(i)).refused?.reason,
      );
      expect(reasons).toEqual([
        ...Array.from({ length: RATE }, () => undefined),
        ...['protected', 'protected', 'protected'],
      ]);
      // Going on has not moved the end of the pause.
      hand.ticks(PAUSE - RATE - 3);
      expect(cut(hand, LEFT).refused).toBeUndefined();
    });

    test('DMG-3: another stroke of the same participant is not its continuation', () => {
      const hand = room();
      cut(hand, [4, 6, 5, 6]);
      expect(cut(hand, [4, 6, 5, 6]).refused?.reason).toBe('protected');
      expect(cut(hand, [5, 6, 4, 6]).refused).toBeUndefined();
      expect(cut(hand, [4, 6, 5, 6], BERT).refused?.reason).toBe('protected');
    });

    test('DMG-3: a stroke over several wounds those that may be wounded, and counts the others', () => {
      const hand = room();
      cut(hand, LEFT);
      expect(cut(hand, BOTH, BERT)).toMatchObject({ spared: 1 });
      expect(wounds(hand)).toEqual([1, 1]);
    });
  });
});

test('OWN-2: bare places under live cells are claimed, others are not', () => {
  const hand = sown([8, 8]);
  hand.ticks(GROWN + 1, ({ x }) => (x < 4 ? SPECIES.threshold : SPECIES.threshold / 2 - 1));
  expect(hand.census()).toEqual(
    new Map([
      [0, 32 * 24 - 32],
      [1, 32],
    ]),
  );
  expect(hand.owner(7, 8)).toBe(1);
  expect(hand.owner(8, 8)).toBe(0);
});

test('OWN-1: a place shows its owner, a bare place nothing', () => {
  const hand = sown([8, 8]);
  hand.ticks(GROWN, ({ x }) => (x < 4 ? 200 : 10));
  const { owner, rgba } = hand.room.grid.planes;
  owner.forEach((id, place) => {
    expect([...rgba.subarray(place * 4, place * 4 + 4)]).toEqual(
      id === 0 ? [0, 0, 0, 0] : [200, 200, 200, 200],
    );
  });
});

test('OWN-3: places of cells that fell below the threshold are released and become bare', () => {
  const hand = grown([8, 8]);
  expect(hand.owner(4, 4)).toBe(1);
  hand.tick(({ x, y }) => (x === 0 && y === 0 ? 12 : x === 1 && y === 0 ? 13 : 255));
  expect(hand.owner(4, 4)).toBe(0);
  // Not enough to take the place, but to keep it.
  expect(hand.owner(5, 4)).toBe(1);
  hand.tick(({ x, y }) => (x === 0 && y === 0 ? 25 : 255));
  expect(hand.owner(4, 4)).toBe(0);
});

test('OWN-3: a younger organism takes in the same tick what an older one releases', () => {
  const hand = grown([8, 8], [14, 8]);
  expect(hand.owner(11, 8)).toBe(1);
  hand.regrows = true;
  hand.tick(({ organism, x }) => (organism === 1 && x >= 6 ? 0 : 255));
  expect(hand.owner(11, 8)).toBe(2);
});

test('OWN-4: ties go to the older', () => {
  const hand = grown([14, 8], [8, 8]);
  // Windows 10…18 and 4…12 share columns 10 and 11.
  for (let y = 4; y < 12; y++) {
    expect([hand.owner(10, y), hand.owner(11, y)]).toEqual([1, 1]);
    expect(hand.owner(9, y)).toBe(2);
  }
});

test("OWN-5: cells on another's ground are masked at the next step", () => {
  const hand = grown([8, 8], [14, 8]);
  const work = hand.room.beginTick();
  expect(work.step[0].keep).toBeUndefined();
  const keep = work.step[1].keep!;
  for (let cell = 0; cell < 64; cell++) expect(keep[cell]).toBe(cell % 8 < 2 ? 0 : 1);
});

test('OWN-7: a growing organism owns its centre before its cells are visible', () => {
  const hand = sown([8, 8]);
  hand.tick(() => 0);
  expect(hand.census().get(1)).toBe(4);
  hand.plant(9, 9);
  expect(hand.tick(() => 0).answers[0].refused?.reason).toBe('occupied');
  const last = hand.ticks(GROWN - 2, () => 0).at(-1)!;
  expect(last.life.map(({ what }) => what)).toEqual(['grown', 'died']);
  expect(hand.census().get(1)).toBeUndefined();
});

/** What it costs to keep organisms awake. */

const RATE = ROOM_DEFAULTS.tickRate;
const SIDE = 4;
const COUNT = SIDE * SIDE;
const energy = DEFAULT_ENERGY;
const TRUSTED = 32;

/** A room full of sleeping organisms, 4 in each of 4 rows. */
function sleepingRoom(settings: EnergySettings = energy): HandRoom {
  const size = 12 * SIDE;
  const hand = new HandRoom({
    ...{ width: size, height: size, maxOrganisms: COUNT, tickRate: RATE },
    species: { ...SPECIES, trustedSteps: TRUSTED },
  });
  for (let i = 0; i < COUNT; i++) {
    hand.plant(6 + 12 * (i % SIDE), 6 + 12 * Math.floor(i / SIDE), HOUSE);
  }
  hand.ticks(TRUSTED + 20);
  expect(hand.room.size).toBe(COUNT);
  expect(hand.room.awake).toBe(0);
  hand.room.setEnergy(settings);
  hand.room.enter(ANNA.id);
  return hand;
}

/** A hair-thin stroke through the first row of organisms. */
const THROUGH = [0.5, 6, 12 * SIDE - 0.5, 6];

describe('waking', () => {
  test('ENE-6: a stroke pays for each sleeper that it wakes, and little for those just woken', () => {
    const hand = sleepingRoom();
    /** What the stroke costs. */
    const paid = () => {
      const before = hand.room.energyOf(ANNA.id);
      hand.damage(THROUGH, 0.5);
      hand.tick();
      return before - hand.room.energyOf(ANNA.id);
    };
    const cells = 12 * SIDE * energy.damagePerCell;
    const first = paid();
    expect(first).toBeGreaterThan(4 * energy.wake + 0.9 * cells - energy.refillPerSecond / RATE);
    expect(first).toBeLessThan(4 * energy.wake + 1.2 * cells);
    expect(paid()).toBeLessThan((4 / TRUSTED) * energy.wake + 1.2 * cells);
  });

  test('ENE-3, ENE-6: who cannot pay for waking wakes nobody', () => {
    const hand = sleepingRoom({ ...energy, newcomer: 3, refillPerSecond: 0 });
    hand.damage(THROUGH, 0.5);
    const { answers, life } = hand.tick();
    expect(answers[0].refused?.reason).toBe('no-energy');
    expect(life).toEqual([]);
    expect(hand.room.energyOf(ANNA.id)).toBe(3);
  });
});

/** How often organisms step, and what a wound shows meanwhile. */

describe('step interval', () => {
  const PACE = { birth: 3, healing: 2, expressing: 2 };
  const RESTS = LIFE.restSteps;

  /** A room with one seed that is planted at the next tick. */
  function sown(life = PACE): HandRoom {
    const hand = new HandRoom({ life });
    hand.plant(8, 8);
    return hand;
  }

  /** @returns whether something steps, tick by tick */
  const stepsOf = (hand: HandRoom, ticks: number): number[] =>
    Array.from({ length: ticks }, () => {
      hand.tick();
      return hand.steps;
    });

  /** A room whose organism has grown and sleeps. */
  function asleep(): HandRoom {
    const hand = sown();
    hand.ticks(PACE.birth * GROWN);
    hand.rest();
    hand.change = 255;
    expect(hand.room.organisms[0].phase).toBe('asleep');
    return hand;
  }

  describe('pace', () => {
    test('PAC-1, GRO-2: a birth takes its steps every third tick, the first at once; then one each tick', () => {
      const hand = sown();
      expect(stepsOf(hand, PACE.birth * (GROWN - 1))).toEqual(
        Array.from({ length: GROWN - 1 }, () => [1, 0, 0]).flat(),
      );
      expect(hand.room.organisms[0].phase).toBe('growing');
      expect(stepsOf(hand, 4)).toEqual([1, 1, 1, 1]);
      expect(hand.room.organisms[0].phase).toBe('awake');
    });

    test('PAC-1, LIF-1: rest and trusted steps are counted in steps', () => {
      const hand = asleep();
      hand.damage([6, 6], 1);
      hand.change = 0;
      // Hurt, as its places do not come back.
      const look = ({ x }: { x: number }) => (x < 4 ? 0 : 255);
      hand.ticks(PACE.healing * RESTS - 2, look);
      expect(hand.room.organisms[0].phase).toBe('awake');
      hand.tick(look);
      expect(hand.room.organisms[0].phase).toBe('asleep');
    });

    test('PAC-1, LIF-7: a healing one steps every second tick, from the tick of the stroke, until it has healed', () => {
      const hand = asleep();
      hand.damage([6, 6], 1);
      expect(stepsOf(hand, 5)).toEqual([1, 0, 1, 0, 1]);
      hand.change = 0;
      hand.ticks(PACE.healing * RESTS);
      expect(hand.room.organisms[0]).toMatchObject({ phase: 'asleep', healed: 1, hurt: false });
    });

    test('PAC-1: the host changes the pace while the room runs', () => {
      const hand = sown();
      hand.tick();
      hand.room.change({ what: 'life', settings: { birth: 1, healing: 1, expressing: 1 } });
      // What it waits for already, it still waits for.
      expect(stepsOf(hand, 5)).toEqual([0, 0, 1, 1, 1]);
      expect(hand.room.rules.life).toEqual({ birth: 1, healing: 1, expressing: 1 });
    });

    test('PAC-2: a wound of one that grows is seen at once, and its cells die at the next step', () => {
      const hand = sown();
      // Stage 8, which is the whole window.
      hand.ticks(PACE.birth * 4 + 1);
      expect(hand.census().get(1)).toBe(64);
      hand.damage([5, 5], 1);
      const { changed, life } = hand.tick();
      expect(hand.steps).toBe(0);
      expect(hand.owner(4, 4)).toBe(0);
      expect(hand.room.grid.planes.rgba[4 * hand.room.grid.place(4, 4) + 3]).toBe(0);
      expect(changed).toHaveLength(1);
      expect(life).toMatchObject([{ what: 'wounded', id: 1, wounds: 1 }]);
      const seen: (number | undefined)[] = [];
      for (let i = 0; i < 3; i++) {
        const { step } = hand.room.beginTick();
        seen.push(step[0]?.keep?.[0]);
        hand.room.endTick(step.map(({ patch }) => blank(patch)));
      }
      expect(seen).toEqual([undefined, 0, undefined]);
    });

    test('PAC-3, CLO-2: another card changes the room only by its journal', () => {
      const { species } = new HandRoom().room;
      const from = new HandRoom({ species: { ...species, closing: 4 } }).room.export();
      expect(from.closing).toBe(4);
      const hand = new HandRoom({ species: { ...species, closing: 2 }, from });
      expect(hand.room.export().closing).toBe(4);
      hand.room.updateRules();
      expect(hand.room.beginTick().events).toEqual([{ what: 'rules', rules: 1, closing: 2 }]);
      expect(hand.room.export().closing).toBe(2);
    });
  });

  /** A read-out of a step at stage 8 that shows nothing. */
  const blank = (patch: number) => ({
    ...{ patch, stage: 8, change: 255 },
    rgba: new Uint8Array(256),
    presence: new Uint8Array(64),
  });
});

/** The world slows what flashes. */

describe('flicker', () => {
  const RATE = 15;

  const linear = (value: number): number => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };

  /** Ticks at which a place completes a change by a tenth that opposes the one before. */
  function turnsOf(levels: readonly number[]): number[] {
    const ticks: number[] = [];
    let [edge, rises] = [levels[0], false];
    levels.forEach((level, tick) => {
      if (rises ? level > edge : level < edge) edge = level;
      else if (Math.abs(level - edge) >= 0.1 && Math.min(level, edge) < 0.8) {
        [edge, rises] = [level, !rises];
        ticks.push(tick);
      }
    });
    return ticks;
  }

  interface Watched {
    readonly limit: number;
    readonly rate?: number;
    readonly ticks?: number;
    /** Ticks in which a stroke cuts it. */
    readonly cuts?: readonly number[];
  }

  /**
   * The largest share of the 8×8 window around (16, 12) that shows more flashes within any second
   * than the limit allows.
   */
  function worst(
    hand: HandRoom,
    look: Look,
    { limit, rate = RATE, ticks = 60, cuts = [] }: Watched,
  ): number {
    const { width, rgba } = hand.room.grid.planes;
    const places = Array.from({ length: 64 }, (_, i) => (8 + (i >> 3)) * width + 12 + (i % 8));
    const levels = places.map((): number[] => []);
    for (let tick = 0; tick < ticks; tick++) {
      if (cuts.includes(tick)) hand.damage([14, 4, 14, 20], 3);
      hand.tick(look);
      for (const [i, place] of places.entries()) levels[i].push(linear(rgba[4 * place]));
    }
    const over = new Array<number>(ticks).fill(0);
    for (const each of levels) {
      const turns = turnsOf(each);
      for (const [i, tick] of turns.entries()) {
        // A stroke darkens at once what it cuts, also in a pause: half a flash more.
        const most = 2 * limit + Number(cuts.includes(tick));
        if (tick - turns[i - most] < rate) over[tick]++;
      }
    }
    return Math.max(...over) / places.length;
  }

  const planted = (options: ConstructorParameters<typeof HandRoom>[0] = {}): HandRoom => {
    const hand = new HandRoom({ tickRate: RATE, ...options });
    hand.plant(16, 12);
    return hand;
  };

  /** Alternates between light and dark in every tick. */
  const strobe: Look = ({ tick }) => (tick % 2 === 0 ? 255 : 60);

  test('LIF-9: without a limit, this test’s checker finds an organism that flashes', () => {
    const unlimited = planted({ flashLimit: 1_000 as FlashLimit });
    expect(worst(unlimited, strobe, { limit: 3 })).toBeGreaterThan(0.9);
  });

  test('LIF-9: whatever its cells do, at any tick rate, and however it is cut and woken', () => {
    const levels = fc.array(fc.constantFrom(0, 40, 60, 120, 200, 240, 255), {
      minLength: 2,
      maxLength: 30,
    });
    const strokes = fc.array(fc.nat(180), { maxLength: 40 });
    const limits = fc.constantFrom<FlashLimit>(2, 3);
    const rates = fc.constantFrom(5, 8, 15, 30, 60);
    forAll(levels, strokes, limits, rates, fc.nat(7), (looks, cuts, limit, rate, shift) => {
      const hand = planted({ flashLimit: limit, tickRate: rate });
      const look: Look = ({ x, tick }) => looks[(tick + (x % 3) * shift) % looks.length];
      const watched = { limit, rate, ticks: 180, cuts };
      expect(worst(hand, look, watched)).toBeLessThanOrEqual(0.25);
    });
  });

  test('LIF-9: a slowed organism pauses, goes on slowly, and takes every step again after it slept', () => {
    const hand = planted();
    const steps = Array.from({ length: 40 }, () => {
      hand.tick(strobe);
      return hand.steps;
    });
    const first = steps.indexOf(0);
    expect(first).toBeGreaterThan(5);
    expect(steps.slice(first, first + RATE - 1)).not.toContain(1);
    expect(steps.slice(first + RATE - 1).filter(Boolean).length).toBeGreaterThan(3);
    while (hand.room.awake > 0) hand.tick();
    hand.damage([12, 12, 20, 12], 2);
    hand.ticks(3);
    expect(hand.steps).toBe(1);
  });

  test('LIF-9: what does not flash takes a step every tick', () => {
    const hand = planted();
    for (let tick = 0; tick < GROWN + 10; tick++) {
      // As light as can be, fades, changes once: no flashes.
      hand.tick((cell) => 255 - 4 * (cell.tick % 4) - (tick > 12 ? 100 : 0));
      expect(hand.steps).toBe(1);
    }
  });
});
