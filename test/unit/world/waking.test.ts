/** What it costs to keep organisms awake. */

import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { type EnergySettings, HOUSE } from '../../../shared/vocabulary.ts';
import { ANNA, HandRoom, SPECIES } from '../../support/rooms.ts';

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
