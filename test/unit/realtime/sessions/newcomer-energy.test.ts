/** What newcomers begin with, by a clock that stands still. */
import { DeviceMarks } from '../../../../server/realtime/sessions/device-marks.ts';
import {
  type Newcomer,
  NewcomerEnergy,
} from '../../../../server/realtime/sessions/newcomer-energy.ts';
import { Energy } from '../../../../server/world/energy.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import type { EnergySettings } from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import fc from '../../../support/property.ts';

const { newcomer, plant, refillPerSecond } = DEFAULTS.energy;
const { trustedAfter, renewedWithin, remembered } = DEFAULTS.newcomers;
const marks = new DeviceMarks(Buffer.alloc(32, 7));
const HOME = 'home';

/** A room's door, and the energy of those who came in. */
class Entrance {
  readonly clock = new FakeClock();
  readonly newcomers: NewcomerEnergy;
  private readonly energy: Energy;
  private nextId = 1;
  private ticks = 0;

  constructor(readonly settings: EnergySettings = DEFAULTS.energy) {
    this.energy = new Energy(settings, 1);
    const room = { energySettings: settings, energyOf: (id: number) => this.energyOf(id) };
    this.newcomers = new NewcomerEnergy(room, marks, this.clock);
  }

  /** A participant arrives for the first time, or as a newcomer again. */
  come(as: Partial<Newcomer> = {}) {
    const id = this.nextId++;
    const { energy, mark } = this.newcomers.arrive(id, true, { address: HOME, ...as });
    this.energy.enter(id, this.ticks, energy);
    return { id, energy: energy!, mark };
  }

  /** So long nothing happens. */
  async pass(seconds: number): Promise<void> {
    this.ticks += seconds;
    await this.clock.advance(1_000 * seconds);
  }

  /** Plants as often as it is allowed. @returns how often */
  plantAll(id: number): number {
    for (let count = 0; ; count++) {
      try {
        this.energy.spendPlant(id, this.ticks);
      } catch {
        return count;
      }
    }
  }

  /** The place is kept no longer. */
  leave(id: number): void {
    this.newcomers.leave(id);
    this.energy.leave(id);
  }

  energyOf(id: number): number {
    return this.energy.level(id, this.ticks);
  }
}

describe("a newcomer's energy", () => {
  test('ENE-4: 32 arrivals from one device get the newcomer’s energy once', () => {
    const door = new Entrance();
    const first = door.come();
    expect(first.energy).toBe(newcomer);
    let planted = door.plantAll(first.id);
    const { mark } = first;
    for (let i = 1; i < 32; i++) {
      const again = door.come({ mark });
      expect(again.mark).toBeUndefined();
      planted += door.plantAll(again.id);
    }
    expect(planted).toBe(newcomer / plant);
  });

  test('ENE-4: not even when all come at once, each before the others have spent anything', () => {
    const door = new Entrance();
    const { mark } = door.come();
    const all = Array.from({ length: 31 }, () => door.come({ mark }).energy);
    expect(all).toEqual(Array(31).fill(0));
  });

  test('ENE-4: what a device has left goes on: in another connection, and after its place was given up', async () => {
    const door = new Entrance({ ...DEFAULTS.energy, refillPerSecond: 1 });
    const { id, mark } = door.come();
    await door.pass(trustedAfter);
    const here = door.come({ mark });
    expect(here.energy).toBe(newcomer);
    door.plantAll(here.id);
    door.plantAll(id);
    await door.pass(10);
    // Who is here with it has as much: no more is had by coming twice.
    expect(door.come({ mark }).energy).toBeCloseTo(door.energyOf(here.id));
    door.leave(here.id);
    await door.pass(2);
    expect(door.come({ mark, address: 'elsewhere' }).energy).toBeLessThanOrEqual(12);
  });

  test('ENE-4: a device that waited has it all again, as anybody who waits', async () => {
    const door = new Entrance();
    const { id, mark } = door.come();
    door.plantAll(id);
    door.leave(id);
    await door.pass(newcomer / refillPerSecond);
    expect(door.come({ mark }).energy).toBe(newcomer);
  });

  test('ENE-4: where nothing refills, it comes back in an hour and not before', async () => {
    const door = new Entrance({ ...DEFAULTS.energy, refillPerSecond: 0 });
    const { id, mark } = door.come();
    door.plantAll(id);
    door.leave(id);
    await door.pass(renewedWithin / 2);
    const again = door.come({ mark });
    expect(again.energy).toBeCloseTo(newcomer / 2);
    door.leave(again.id);
    await door.pass(renewedWithin);
    expect(door.come({ mark, address: 'other' }).energy).toBeCloseTo(newcomer);
  });

  test('ENE-4: a restart gives nobody anything again', async () => {
    const mark = marks.issue();
    const door = new Entrance();
    expect(door.come({ mark }).energy).toBe(0);
    await door.pass(2);
    expect(door.come({ mark: marks.issue() }).energy).toBe(2 * refillPerSecond);
  });

  test('ENE-5: thirty visitors who arrive together from one address can each plant', () => {
    const door = new Entrance();
    const pupils = Array.from({ length: 30 }, () => door.come());
    expect(pupils[0].energy).toBe(newcomer);
    for (const { id, energy, mark } of pupils) {
      expect(energy).toBeGreaterThanOrEqual(plant);
      expect(mark).toBeDefined();
      expect(door.plantAll(id)).toBeGreaterThanOrEqual(1);
    }
    // Another address is another's.
    expect(door.come({ address: 'elsewhere' }).energy).toBe(newcomer);
  });

  test('ENE-5: without a mark, 32 connections in nine seconds bring a sixth of what they did', async () => {
    const door = new Entrance();
    let planted = 0;
    for (let i = 0; i < 32; i++) {
      planted += door.plantAll(door.come({ mark: i % 2 ? 'made up' : undefined }).id);
      if (i % 4 === 3) await door.pass(1);
    }
    // 256 before: a whole room.
    expect(planted).toBeLessThanOrEqual(44);
  });

  test('ENE-5: gathering marks first brings no more than having none', async () => {
    const door = new Entrance();
    const gathered = Array.from({ length: 32 }, () => door.come());
    for (const { id } of gathered) door.leave(id);
    await door.pass(newcomer / refillPerSecond);
    const granted = gathered.map(({ mark }) => door.come({ mark }).energy);
    expect(granted).toEqual([newcomer, ...Array(31).fill(plant)]);
  });

  test('ENE-5: who goes on in their place is granted nothing, and has no second one for it', () => {
    const door = new Entrance();
    const { id } = door.come();
    door.plantAll(id);
    for (let i = 0; i < 32; i++) {
      const { energy, mark } = door.newcomers.arrive(id, false, { address: HOME });
      expect(energy).toBeUndefined();
      expect(door.come({ mark, address: `${i}` }).energy).toBe(0);
    }
  });

  test('ENE-4: so many devices come that some are forgotten, and they gain nothing by it', () => {
    const door = new Entrance();
    const first = door.come();
    door.plantAll(first.id);
    door.leave(first.id);
    for (let i = 0; i <= remembered; i++) {
      door.leave(door.come({ mark: marks.issue() }).id);
    }
    expect(door.come({ mark: first.mark }).energy).toBe(0);
  });

  test('ENE-4, ENE-5: whatever comes when, nobody begins with more than a newcomer, or with less than nothing', () => {
    const happening = fc.record({
      wait: fc.integer({ min: 0, max: 20 }),
      device: fc.integer({ min: 0, max: 4 }),
      address: fc.constantFrom('a', 'b'),
      leaves: fc.boolean(),
    });
    return fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
        const door = new Entrance();
        const known = [undefined, ...Array.from({ length: 4 }, () => marks.issue())];
        const here: number[] = [];
        const had = new Map<number, number>();
        let seconds = 0;
        for (const { wait, device, address, leaves } of happenings) {
          await door.pass(wait);
          seconds += wait;
          if (leaves && here.length > 0) door.leave(here.shift()!);
          const { id, energy } = door.come({ mark: known[device], address });
          here.push(id);
          door.plantAll(id);
          expect(energy).toBeGreaterThanOrEqual(0);
          expect(energy).toBeLessThanOrEqual(newcomer);
          had.set(device, (had.get(device) ?? 0) + energy);
        }
        // A device has what refills, and once what it came with.
        for (const [device, sum] of had) {
          if (device > 0)
            expect(sum).toBeLessThanOrEqual(newcomer + seconds * refillPerSecond + 1e-6);
        }
      }),
    );
  });
});
