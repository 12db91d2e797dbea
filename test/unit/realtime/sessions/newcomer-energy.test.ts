import {
  NEWCOMERS,
  type Newcomer,
  NewcomerEnergy,
} from '../../../../server/realtime/sessions/newcomer-energy.ts';
import { DeviceMarks } from '../../../../server/realtime/sessions/signed-tokens.ts';
import { DEFAULT_ENERGY, Energy } from '../../../../server/world/energy.ts';
import type { EnergySettings } from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import fc from '../../../support/property.ts';

const { newcomer, plant, refillPerSecond } = DEFAULT_ENERGY;
const { trustedAfter, renewedWithin, remembered } = NEWCOMERS;
const marks = new DeviceMarks(Buffer.alloc(32, 7));
const HOME = 'home';

/** A room's newcomers and their energy. */
class Entrance {
  readonly clock = new FakeClock();
  readonly newcomers: NewcomerEnergy;
  private readonly energy: Energy;
  private nextId = 1;
  private ticks = 0;

  constructor(readonly settings: EnergySettings = DEFAULT_ENERGY) {
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

  /** Lets time pass. */
  async pass(seconds: number): Promise<void> {
    this.ticks += seconds;
    await this.clock.advance(1_000 * seconds);
  }

  /** Plants as often as it is allowed. @returns how often */
  plantAll(id: number): number {
    for (let count = 0; ; count++) {
      try {
        this.energy.spend(id, this.energy.costs.plant, this.ticks);
      } catch {
        return count;
      }
    }
  }

  /** The participant's reserved slot expires. */
  leave(id: number): void {
    this.newcomers.leave(id);
    this.energy.leave(id);
  }

  energyOf(id: number): number {
    return this.energy.level(id, this.ticks);
  }
}

test('ENE-4: a device keeps what it has left, on another connection and after its slot has expired', async () => {
  const entrance = new Entrance({ ...DEFAULT_ENERGY, refillPerSecond: 1 });
  const { id, mark } = entrance.come();
  await entrance.pass(trustedAfter);
  const here = entrance.come({ mark });
  expect(here.energy).toBe(newcomer);
  entrance.plantAll(here.id);
  entrance.plantAll(id);
  await entrance.pass(10);
  // A second connection of the same device gains nothing.
  expect(entrance.come({ mark }).energy).toBeCloseTo(entrance.energyOf(here.id));
  entrance.leave(here.id);
  await entrance.pass(2);
  expect(entrance.come({ mark, address: 'elsewhere' }).energy).toBeLessThanOrEqual(12);
});

test('ENE-4: a device that waits long enough starts with the full amount again', async () => {
  const entrance = new Entrance();
  const { id, mark } = entrance.come();
  entrance.plantAll(id);
  entrance.leave(id);
  await entrance.pass(newcomer / refillPerSecond);
  expect(entrance.come({ mark }).energy).toBe(newcomer);
});

test('ENE-4: in a room without refill, the energy is restored after an hour', async () => {
  const entrance = new Entrance({ ...DEFAULT_ENERGY, refillPerSecond: 0 });
  const { id, mark } = entrance.come();
  entrance.plantAll(id);
  entrance.leave(id);
  await entrance.pass(renewedWithin / 2);
  const again = entrance.come({ mark });
  expect(again.energy).toBeCloseTo(newcomer / 2);
  entrance.leave(again.id);
  await entrance.pass(renewedWithin);
  expect(entrance.come({ mark, address: 'other' }).energy).toBeCloseTo(newcomer);
});

test('ENE-4: a restart of the server gives a known device nothing', async () => {
  const mark = marks.issue();
  const entrance = new Entrance();
  expect(entrance.come({ mark }).energy).toBe(0);
  await entrance.pass(2);
  expect(entrance.come({ mark: marks.issue() }).energy).toBe(2 * refillPerSecond);
});

test('ENE-5: without a mark, 32 connections in nine seconds plant at most 44 organisms', async () => {
  const entrance = new Entrance();
  let planted = 0;
  for (let i = 0; i < 32; i++) {
    planted += entrance.plantAll(entrance.come({ mark: i % 2 ? 'made up' : undefined }).id);
    if (i % 4 === 3) await entrance.pass(1);
  }
  // Without the limit it would be 256: a whole room.
  expect(planted).toBeLessThanOrEqual(44);
});

test('ENE-5: collecting marks first gains nothing', async () => {
  const entrance = new Entrance();
  const gathered = Array.from({ length: 32 }, () => entrance.come());
  for (const { id } of gathered) entrance.leave(id);
  await entrance.pass(newcomer / refillPerSecond);
  const granted = gathered.map(({ mark }) => entrance.come({ mark }).energy);
  expect(granted).toEqual([newcomer, ...Array(31).fill(plant)]);
});

test('ENE-5: a participant who resumes is granted nothing, and neither is their new mark', () => {
  const entrance = new Entrance();
  const { id } = entrance.come();
  entrance.plantAll(id);
  for (let i = 0; i < 32; i++) {
    const { energy, mark } = entrance.newcomers.arrive(id, false, { address: HOME });
    expect(energy).toBeUndefined();
    expect(entrance.come({ mark, address: `${i}` }).energy).toBe(0);
  }
});

test('ENE-4: a device that was forgotten among many others gains nothing', () => {
  const entrance = new Entrance();
  const first = entrance.come();
  entrance.plantAll(first.id);
  entrance.leave(first.id);
  for (let i = 0; i <= remembered; i++) {
    entrance.leave(entrance.come({ mark: marks.issue() }).id);
  }
  expect(entrance.come({ mark: first.mark }).energy).toBe(0);
});

test('ENE-4, ENE-5: in any order of arrivals, the energy is between 0 and that of a newcomer', () => {
  const happening = fc.record({
    wait: fc.integer({ min: 0, max: 20 }),
    device: fc.integer({ min: 0, max: 4 }),
    address: fc.constantFrom('a', 'b'),
    leaves: fc.boolean(),
  });
  return fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
      const entrance = new Entrance();
      const known = [undefined, ...Array.from({ length: 4 }, () => marks.issue())];
      const here: number[] = [];
      const had = new Map<number, number>();
      let seconds = 0;
      for (const { wait, device, address, leaves } of happenings) {
        await entrance.pass(wait);
        seconds += wait;
        if (leaves && here.length > 0) entrance.leave(here.shift()!);
        const { id, energy } = entrance.come({ mark: known[device], address });
        here.push(id);
        entrance.plantAll(id);
        expect(energy).toBeGreaterThanOrEqual(0);
        expect(energy).toBeLessThanOrEqual(newcomer);
        had.set(device, (had.get(device) ?? 0) + energy);
      }
      // A device gets the newcomer's energy once, and what refills.
      for (const [device, sum] of had) {
        if (device > 0)
          expect(sum).toBeLessThanOrEqual(newcomer + seconds * refillPerSecond + 1e-6);
      }
    }),
  );
});
