/** What it costs to keep organisms awake. */

import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { type EnergySettings, HOUSE } from '../../../shared/vocabulary.ts';
import { ANNA, HandRoom, SPECIES } from '../../support/rooms.ts';

const RATE = ROOM_DEFAULTS.tickRate;
const SIDE = 16;
const COUNT = SIDE * SIDE;
const energy = DEFAULT_ENERGY;
const TRUSTED = 32;

/** A room full of sleeping organisms, 16 in each of 16 rows. */
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

/** A hair-thin stroke through a row of organisms. */
const through = (row: number, part = 1): number[] => {
  const y = 12 * row + 6;
  return [0.5, y, 12 * SIDE * part - 0.5, y];
};

describe('waking', () => {
  test('ENE-6: one participant keeps few of 256 organisms awake, however thin their strokes are', () => {
    const hand = sleepingRoom();
    hand.regrows = true;
    let [row, sum, ticks] = [0, 0, 0];
    for (let second = 0; second < 60; second++) {
      for (let tick = 0; tick < RATE; tick++) {
        // Short strokes too, as their price is paid sooner.
        hand.damage(through(row), 0.5);
        hand.damage(through(row + 1, 1 / 4), 0.5);
        const { answers } = hand.tick();
        if (answers.some(({ refused }) => !refused)) row = (row + 1) % (SIDE - 1);
        if (second < 30) continue;
        sum += hand.room.awake;
        ticks++;
      }
    }
    // 8 energy a second, 1 for each organism, awake for two seconds.
    expect(sum / ticks).toBeLessThan(24);
  });

  test('ENE-6: a stroke pays for each sleeper that it wakes, and little for those just woken', () => {
    const hand = sleepingRoom();
    const level = () => hand.room.energyOf(ANNA.id);
    const before = level();
    hand.damage(through(0, 1 / 4), 0.5);
    hand.tick();
    const cells = 12 * (SIDE / 4) * energy.damagePerCell;
    const paid = before - level();
    expect(paid).toBeGreaterThan(4 * energy.wake + 0.9 * cells - energy.refillPerSecond / RATE);
    expect(paid).toBeLessThan(4 * energy.wake + 1.2 * cells);
    const then = level();
    hand.damage(through(0, 1 / 4), 0.5);
    hand.tick();
    expect(then - level()).toBeLessThan((4 / TRUSTED) * energy.wake + 1.2 * cells);
  });

  test('ENE-3, ENE-6: who cannot pay for waking wakes nobody', () => {
    const hand = sleepingRoom({ ...energy, newcomer: 3, refillPerSecond: 0 });
    hand.damage(through(0, 1 / 4), 0.5);
    const { answers, life } = hand.tick();
    expect(answers[0].refused?.reason).toBe('no-energy');
    expect(life).toEqual([]);
    expect(hand.room.energyOf(ANNA.id)).toBe(3);
  });
});
