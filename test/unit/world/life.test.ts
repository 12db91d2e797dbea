import { QUEUE_LIMITS } from '../../../server/world/commands.ts';
import { LIFE } from '../../../server/world/organisms/organism.ts';
import type { LifeEvent } from '../../../shared/vocabulary.ts';
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
