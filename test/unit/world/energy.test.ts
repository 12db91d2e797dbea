import { DEFAULT_ENERGY, Energy } from '../../../server/world/energy.ts';
import { continues, endOf, type StrokeEnd } from '../../../server/world/strokes.ts';
import type { Stroke } from '../../../shared/geometry.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import type { EnergySettings } from '../../../shared/vocabulary.ts';
import fc, { between, forRuns } from '../../support/property.ts';
import { ANNA, BERT, HandRoom } from '../../support/rooms.ts';

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
