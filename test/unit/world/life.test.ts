import * as v from 'valibot';
import { QUEUE_LIMITS, type RoomCommand } from '../../../server/world/commands.ts';
import { DEFAULT_ENERGY, Energy } from '../../../server/world/energy.ts';
import { LIFE } from '../../../server/world/organisms/organism.ts';
import { roomState } from '../../../server/world/room-state.ts';
import { continues, endOf, type StrokeEnd } from '../../../server/world/strokes.ts';
import type { Stroke } from '../../../shared/geometry.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { EnergySettings, LifeEvent } from '../../../shared/vocabulary.ts';
import fc, { between, forRuns } from '../../support/property.ts';
import { ANNA, BERT, GROWN, grown, HandRoom, SPECIES, sown } from '../../support/rooms.ts';

const words = (events: readonly LifeEvent[]) => events.map(({ what }) => what);

/** A room with one organism that sleeps. */
function asleep(): HandRoom {
  const hand = grown([8, 8]);
  hand.rest();
  expect(hand.room.organisms[0].phase).toBe('asleep');
  return hand;
}

describe('growth', () => {
  test('GRO-1, GRO-2: stages 2, 4, 8 in the middle of the window, grown after six ticks', () => {
    const hand = sown([8, 8]);
    const seen = Array.from({ length: GROWN }, () => {
      const { life } = hand.tick();
      return { places: hand.census().get(1), life: words(life) };
    });
    expect(seen.map(({ places }) => places)).toEqual([4, 4, 16, 16, 64, 64]);
    expect(seen.map(({ life }) => life)).toEqual([
      ['born'],
      [],
      ['divided'],
      [],
      ['divided'],
      ['grown'],
    ]);
  });

  test('GRO-3: not off the grid, not on others, not into a full room', () => {
    const hand = new HandRoom({ maxOrganisms: 2 });
    hand.plant(8, 8);
    hand.ticks(GROWN);
    const before = hand.room.grid.planes.owner.slice();
    hand.plant(3, 8);
    hand.plant(8, 21);
    hand.plant(8.5, 8);
    hand.plant(9, 9);
    hand.plant(20, 12);
    hand.plant(28, 20);
    const result = hand.tick();
    expect(result.answers.map(({ refused }) => refused?.reason)).toEqual([
      'off-grid',
      'off-grid',
      'off-grid',
      'occupied',
      undefined,
      'garden-full',
    ]);
    expect(hand.room.organisms).toHaveLength(2);
    before.forEach((owner, place) => {
      if (owner !== 0) expect(hand.room.grid.ownerAt(place)).toBe(owner);
    });
  });
});

describe('damage', () => {
  test('DMG-2: cells under a stroke are masked, their places become bare, the wound is counted', () => {
    const hand = grown([8, 8]);
    hand.damage([6, 6], 1.5, BERT);
    const result = hand.tick();
    expect(result.life).toEqual([{ what: 'wounded', id: 1, by: BERT.id, wounds: 1 }]);
    expect(hand.owner(5, 5)).toBe(0);
    expect(hand.owner(6, 6)).toBe(0);
    expect(hand.owner(8, 8)).toBe(1);
    expect(hand.room.organisms[0].wounds).toBe(1);
    hand.tick();
    expect(hand.owner(6, 6)).toBe(1);
  });

  test("DMG-2: a stroke that hits none of an organism's own cells leaves it asleep", () => {
    const hand = sown([8, 8]);
    hand.ticks(GROWN, ({ x }) => (x < 4 ? 255 : 0));
    hand.change = 0;
    hand.ticks(LIFE.restSteps, ({ x }) => (x < 4 ? 255 : 0));
    hand.damage([10, 8], 1);
    expect(hand.tick().life).toEqual([]);
    expect(hand.steps).toBe(0);
  });

  test('DMG-4: a stroke in several messages is one wound, also when it comes back; a second stroke is another', () => {
    const hand = grown([8, 8], [20, 8]);
    /** A movement from a point over others: the point first, then a message to each. */
    const stroke = (points: readonly (readonly [number, number])[], by = BERT): void => {
      points.forEach((point, i) => {
        hand.damage([...(points[i - 1] ?? []), ...point], 1, by);
        hand.tick();
      });
    };
    const wounds = () => hand.room.organisms.map((one) => one.wounds);
    const [out, left, right] = [
      [13, 2],
      [8, 8],
      [20, 8],
    ] as const;
    stroke([out, left, right, left]);
    expect(wounds()).toEqual([1, 1]);
    // Another hand in between, and a state that is stored and restored.
    stroke([left], ANNA);
    expect(wounds()).toEqual([2, 1]);
    hand.room.replaceState(hand.room.export(), [1, 2]);
    hand.damage([...left, ...right], 1, BERT);
    hand.tick();
    expect(wounds()).toEqual([2, 1]);
    stroke([out, left]);
    expect(wounds()).toEqual([3, 1]);
  });

  test.each([
    ['outside the grid', [-1, 3], 'bad-point'],
    ['not a number', [Number.NaN, 3], 'bad-point'],
    ['infinite', [3, Number.POSITIVE_INFINITY], 'bad-point'],
    ['too long', Array.from({ length: 120 }, (_, i) => ((i >> 1) % 2 ? 24 : 0)), 'stroke-too-long'],
  ])('TIM-2: a stroke %s is refused and changes nothing', (_, points, reason) => {
    const hand = grown([8, 8]);
    const before = hand.room.grid.planes.owner.slice();
    hand.damage(points, 2);
    const result = hand.tick();
    expect(result.answers[0].refused?.reason).toBe(reason);
    expect(hand.room.grid.planes.owner).toEqual(before);
  });
});

describe('life', () => {
  test('LIF-1: an organism at rest falls asleep', () => {
    const hand = grown([8, 8]);
    hand.change = LIFE.restLevel;
    expect(words(hand.lives(LIFE.restSteps))).toEqual(['asleep']);
  });

  test("LIF-1: an organism sleeps after the card's trusted steps, even if it still changes", () => {
    const hand = grown([8, 8]);
    const trusted = SPECIES.trustedSteps!;
    expect(hand.lives(trusted - 1)).toEqual([]);
    expect(words(hand.tick().life)).toEqual(['asleep']);
  });

  test('LIF-3: freed places wake the sleeper that was blocked there, and no other', () => {
    const hand = grown([8, 8], [14, 8], [26, 18]);
    hand.rest();
    hand.change = 255;
    hand.damage([11.5, 8], 0.6);
    // The wounded one does not regrow its rim; its neighbour takes the ground one tick later.
    const dead = ({ organism, x }: { organism: number; x: number }) =>
      organism === 1 && x >= 7 ? 0 : 255;
    const result = hand.tick(dead);
    expect(result.life).toContainEqual({ what: 'awake', id: 2 });
    expect(result.life).not.toContainEqual({ what: 'awake', id: 3 });
    hand.tick(dead);
    expect(hand.owner(11, 8)).toBe(2);
  });

  test('LIF-6: neighbours whose borders never rest still fall asleep, until a new cause', () => {
    const hand = sown([8, 8], [14, 8]);
    // Each gives up its rim every other tick, which frees ground for the other.
    const restless = ({ x, tick }: { x: number; tick: number }) =>
      tick % 2 === 0 && (x <= 2 || x >= 5) ? 0 : 255;
    hand.ticks(GROWN);
    const steps: number[] = [];
    for (let i = 0; i < 500; i++) {
      hand.tick(restless);
      steps.push(hand.steps);
    }
    expect(hand.room.awake).toBe(0);
    expect(steps.slice(-200).every((count) => count === 0)).toBe(true);
    hand.damage([6, 6], 1);
    expect(words(hand.tick(restless).life)).toContain('awake');
  });

  test('LIF-7: all strokes until it rests are one wound, and it has healed when it rests in its former size', () => {
    const hand = asleep();
    hand.change = 255;
    hand.damage([6, 6], 1);
    hand.damage([8, 6], 1);
    hand.tick();
    hand.damage([10, 6], 1);
    hand.ticks(2);
    const life = hand.rest().flatMap((result) => result.life);
    expect(life).toEqual([
      { what: 'healed', id: 1, healed: 1 },
      { what: 'asleep', id: 1 },
    ]);
    expect(hand.room.organisms[0]).toMatchObject({ wounds: 3, healed: 1 });
  });

  test('DMG-4: a stroke that goes on after the organism has healed is not healed a second time', () => {
    const hand = asleep();
    hand.regrows = true;
    hand.damage([6, 6], 1);
    hand.tick();
    const life = [...hand.rest(), ...hand.rest()].flatMap((result) => result.life);
    hand.damage([6, 6, 10, 6], 1);
    hand.tick();
    life.push(...hand.rest().flatMap((result) => result.life));
    const healed = { what: 'healed', id: 1, healed: 1 };
    expect(life.filter(({ what }) => what === 'healed')).toEqual([healed, healed]);
    expect(hand.room.organisms[0]).toMatchObject({ wounds: 1, healed: 1, hurt: false });
  });

  test('LIF-7: an organism that rests with a hole has not healed; its next wound is measured from there', () => {
    const hand = asleep();
    const holed = ({ x, y }: { x: number; y: number }) => (x < 4 && y < 4 ? 0 : 255);
    hand.damage([6, 6], 2);
    expect(words(hand.lives(20, holed))).toEqual(['awake', 'wounded', 'asleep']);
    hand.damage([10, 10], 1);
    expect(words(hand.lives(20, holed))).toContain('healed');
    expect(hand.room.organisms[0]).toMatchObject({ wounds: 2, healed: 1 });
  });

  test('LIF-4: an organism without a live cell dies and leaves bare places', () => {
    const hand = grown([8, 8]);
    const result = hand.tick(() => 0);
    expect(words(result.life)).toEqual(['died']);
    expect(hand.room.organisms).toEqual([]);
    expect(hand.census()).toEqual(new Map([[0, 32 * 24]]));
    expect(hand.room.beginTick().dispose).toEqual([1]);
  });

  test.each([1, GROWN + 2])('LIF-5: a broken organism dies, others continue (tick %d)', (ticks) => {
    const hand = sown([8, 8], [24, 8]);
    hand.ticks(ticks);
    hand.broken = 1;
    const result = hand.tick();
    expect(result.life).toContainEqual({ what: 'died', id: 1, cause: 'broken' });
    expect(hand.room.organisms.map(({ id }) => id)).toEqual([2]);
    expect(hand.census().get(1)).toBeUndefined();
    expect(hand.room.beginTick().dispose).toEqual([1]);
  });
});

describe('commands', () => {
  test('TIM-1: each command gets one answer, at the next tick, in order', () => {
    const hand = new HandRoom();
    const ids = [hand.plant(8, 8), hand.plant(0, 0), hand.damage([1, 1], 1)];
    expect(hand.tick().answers.map(({ id }) => id)).toEqual(ids);
    expect(hand.tick().answers).toEqual([]);
  });

  test('the queue of a room is bounded, and everything in it is answered', () => {
    const hand = new HandRoom();
    const { maxQueued, maxQueuedPerParticipant } = QUEUE_LIMITS;
    const reasons = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      try {
        hand.damage([1, 1], 1, { ...ANNA, id: 1 + (i % 500) });
      } catch (error) {
        const { reason } = error as { reason: string };
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    expect(reasons).toEqual(new Map([['room-busy', 20_000 - maxQueued]]));
    expect(hand.tick().answers).toHaveLength(maxQueued);
    for (let i = 0; i < maxQueuedPerParticipant; i++) {
      expect(() => hand.damage([1, 1], 1)).not.toThrow();
    }
  });
});

/** Commands that arrive again, as their room has changed owners before the answer came. */

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

const SETTINGS: EnergySettings = {
  capacity: 50,
  newcomer: 20,
  refillPerSecond: 3,
  plant: 15,
  damagePerCell: 0.1,
  wake: 0,
};

/** Pays for strokes as a room does. */
function payer(energy: Energy) {
  const ends = new Map<number, StrokeEnd>();
  return (participant: number, stroke: Stroke, tick: number): void => {
    const isContinued = continues(ends.get(participant), stroke);
    energy.spend(participant, energy.priceOf(stroke, isContinued), tick);
    ends.set(participant, endOf(stroke));
  };
}

describe('energy', () => {
  test('ENE-1: a stroke costs its length by its width and one disc, however it is cut into messages', () => {
    forRuns(
      200,
      fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { minLength: 2, maxLength: 30 }),
      fc.array(fc.nat(28), { maxLength: 10 }),
      between(0.5, 12),
      (line, cuts, radius) => {
        const settings = { ...SETTINGS, capacity: 1e9, damagePerCell: 1 };
        const cost = (messages: number[][]): number => {
          const energy = new Energy(settings, 10);
          const pay = payer(energy);
          for (const points of messages) pay(1, { points, radius }, 0);
          return settings.capacity - energy.level(1, 0);
        };
        let length = 0;
        // A point that is sent alone begins a dab of its own.
        const way = line.filter(
          ([x, y], i) => i === 0 || x !== line[i - 1][0] || y !== line[i - 1][1],
        );
        fc.pre(way.length > 1);
        way.forEach(([x, y], i) => {
          if (i > 0) length += Math.hypot(x - way[i - 1][0], y - way[i - 1][1]);
        });
        const places = [...new Set(cuts)]
          .filter((at) => at > 0 && at < way.length - 1)
          .sort((a, b) => a - b);
        const ends = [...places, way.length - 1];
        const pieces = ends.map((end, i) => way.slice(ends[i - 1] ?? 0, end + 1).flat());
        const whole = length * 2 * radius + Math.PI * radius * radius;
        expect(cost([way.flat()])).toBeCloseTo(whole, 4);
        expect(cost(pieces)).toBeCloseTo(whole, 4);
      },
    );
  });

  test('ENE-1: dabs on one spot are each paid for, and so is a stroke of another that goes on from there', () => {
    const energy = new Energy({ ...SETTINGS, capacity: 1000, damagePerCell: 1 }, 10);
    const disc = Math.PI * 9;
    const dab = { points: [5, 5], radius: 3 };
    const pay = payer(energy);
    pay(1, dab, 0);
    pay(1, dab, 0);
    pay(2, { points: [5, 5, 10, 5], radius: 3 }, 0);
    pay(1, { points: [5, 5, 10, 5], radius: 4 }, 0);
    expect(1000 - energy.level(2, 0)).toBeCloseTo(disc + 30);
    expect(1000 - energy.level(1, 0)).toBeCloseTo(2 * disc + 40 + Math.PI * 16);
  });

  test('ENE-2: it refills by ticks, at any tick rate as fast by the second; a newcomer has a part', () => {
    for (const rate of [1, 10, 60]) {
      const energy = new Energy(SETTINGS, rate);
      energy.enter(1, 100);
      expect(energy.level(1, 100)).toBe(20);
      expect(energy.level(1, 100 + 4 * rate)).toBeCloseTo(32);
      expect(energy.level(1, 100 + 60 * rate)).toBe(50);
      energy.enter(2, 100);
      energy.change(SETTINGS, 2 * rate, 100 + rate);
      expect(energy.level(2, 100 + 3 * rate)).toBeCloseTo(26);
    }
  });

  test('a price above the capacity is paid with full energy', () => {
    const energy = new Energy({ ...SETTINGS, plant: 400 }, 10);
    energy.spend(1, energy.costs.plant, 0);
    expect(energy.level(1, 0)).toBe(0);
    expect(() => energy.spend(1, energy.costs.plant, 1)).toThrow('no-energy');
  });

  test('calm use never runs out: a seed every two seconds and a stroke between, for an hour', () => {
    const { tickRate } = ROOM_DEFAULTS;
    const energy = new Energy(DEFAULT_ENERGY, tickRate);
    energy.enter(1, 0);
    for (let second = 0; second < 3_600; second += 2) {
      energy.spend(1, energy.costs.plant, second * tickRate);
      // As long as an organism is wide, twice as wide as the brush begins.
      const price = energy.priceOf({ points: [10, 10, 42, 10], radius: 6 });
      energy.spend(1, price, (second + 1) * tickRate);
    }
    expect(energy.level(1, 3_600 * tickRate)).toBeGreaterThan(DEFAULT_ENERGY.capacity / 2);
  });
});

describe('energy in a room', () => {
  const poor = { ...SETTINGS, capacity: 20, newcomer: 20, refillPerSecond: 15 };

  test('ENE-3: too little energy is refused with that reason, and changes nothing for anyone', () => {
    const play = (extra: boolean) => {
      const hand = new HandRoom({ energy: poor, tickRate: 15 });
      hand.plant(8, 8);
      const first = hand.tick();
      expect(first.answers).toMatchObject([{ energy: 5 }]);
      // One of the prior draws on the room's chance, were it planted.
      const seed = { from: 'prior' } as const;
      if (extra) hand.room.enqueue(90, { what: 'plant', by: ANNA, x: 20, y: 8, seed });
      if (extra) hand.damage([8, 8, 20, 8], 4);
      const refused = hand.tick().answers.map((answer) => answer.refused?.reason);
      expect(refused).toEqual(extra ? ['no-energy', 'no-energy'] : []);
      const last = hand.act({ what: 'plant', by: BERT, x: 20, y: 16, seed });
      return [last.life, hand.room.organisms, hand.room.energyOf(ANNA.id)];
    };
    expect(play(true)).toEqual(play(false));
  });
});
