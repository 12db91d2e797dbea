import {
  NEWCOMERS,
  type Newcomer,
  NewcomerEnergy,
} from '../../../../server/realtime/sessions/newcomer-energy.ts';
import {
  chooseYielding,
  countSeats,
  SEATS,
  type SeatOptions,
  Seats,
} from '../../../../server/realtime/sessions/seats.ts';
import { DeviceMarks, ResumeTokens } from '../../../../server/realtime/sessions/signed-tokens.ts';
import { DEFAULT_ENERGY, Energy } from '../../../../server/world/energy.ts';
import { COMMANDS } from '../../../../shared/protocol/commands.ts';
import type { EnergySettings } from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import fc, { anyText, forAll } from '../../../support/property.ts';

function open(capacity = 2, more: Partial<SeatOptions> = {}) {
  let tokens = 0;
  const seats = new Seats<string>({
    capacity,
    grace: 1_000,
    maxWaiting: 2,
    first: 1,
    expected: { participants: [], held: 0, until: 0 },
    tokens: {
      issue: ({ participant, since }) => `${participant}/${++tokens}/${since}`,
      read: (token) => {
        const [participant, number, since = 0] = token.split('/').map(Number);
        return number > 0 ? { participant, since } : undefined;
      },
    },
    ...more,
  });
  const newcomer = (id: number) => ({ id, name: `visitor ${id}`, hue: 0 });
  const take = (who: string, token?: string) =>
    seats.claim(who, { token, address: '', now: 0, newcomer });
  /** A visitor who has come and gone, and the token they were given. */
  const visit = (who: string) => {
    const { you } = take(who);
    const token = seats.tokenOf(who)!;
    seats.leave(who, 0);
    return { you, token };
  };
  return { seats, take, visit };
}

test('a token is valid once, and for a while', () => {
  const { seats, take, visit } = open(9);
  const { you, token } = visit('anna');
  take('anna again', token);
  seats.confirm('anna again');
  expect(take('mallory', token)).toMatchObject({ you: { id: 2 }, isNew: true });
  seats.leave('anna again', 5_000);
  expect(seats.expire(5_999)).toEqual([]);
  expect(seats.expire(6_000)).toEqual([you.id]);
  expect(seats.expire(9_000)).toEqual([]);
});

test('a participant who left before receiving the new token returns with the previous one', () => {
  const { seats, take, visit } = open();
  const { you, token } = visit('anna');
  for (const again of ['a reload', 'another', 'and one more']) {
    expect(take(again, token)).toEqual({ you, isNew: false });
    seats.leave(again, 0);
  }
  take('at last', token);
  seats.confirm('at last');
  expect(seats.holdsSeatFor(token)).toBe(false);
  expect(seats.holdsSeatFor(seats.tokenOf('at last')!)).toBe(true);
  expect(seats.size).toBe(1);
});

test('held seats do not raise the number of participants above the limit', () => {
  const { seats, take, visit } = open(1);
  const tokens = ['a', 'b', 'c', 'd'].map((who) => visit(who).token);
  const admitted = tokens.filter((token, i) => {
    if (seats.isFull && (!seats.holdsSeatFor(token) || seats.isCrowded)) return false;
    take(`again ${i}`, token);
    return true;
  });
  expect(admitted).toHaveLength(2);
});

test('a participant whose slot has expired gets the same number, but counts as new', () => {
  const { seats, take, visit } = open();
  const { you, token } = visit('anna');
  expect(take('mallory', 'token of my own')).toMatchObject({ you: { id: 2 } });
  seats.expire(1_000);
  expect(seats.holdsSeatFor(token)).toBe(false);
  expect(take('anna again', token)).toEqual({ you, isNew: true });
  expect(take('nobody', '99/1')).toMatchObject({ you: { id: 3 }, isNew: true });
});

test('participants who were present when the server stopped keep their seats for a while', () => {
  const expected = { participants: [3, 4], held: 0, until: 500 };
  const { seats, take } = open(2, { first: 8, expected });
  expect(seats.expire(499)).toEqual([]);
  expect(seats.holdsSeatFor('3/1')).toBe(true);
  expect(take('anna', '3/1')).toMatchObject({ you: { id: 3 }, isNew: false });
  expect(seats.expire(500)).toEqual([4]);
  expect(seats.holdsSeatFor('4/1')).toBe(false);
  expect(take('bo', '4/1')).toMatchObject({ you: { id: 4 }, isNew: true });
  expect(take('zoe')).toMatchObject({ you: { id: 8 }, isNew: true });
});

test('a full room has a queue, first come, first served', () => {
  const { seats, take } = open(1);
  take('anna');
  expect(seats.isFull).toBe(true);
  const queue = (who: string) => seats.enqueue(who, { address: '', date: 1 });
  const dropped = ['b', 'c', 'd'].map((who) => queue(who).dropped);
  expect(dropped).toEqual([undefined, undefined, 'd']);
  expect(seats.queued).toEqual(['b', 'c']);
  expect(seats.dequeue()).toBeUndefined();
  seats.leave('anna', 0);
  expect(seats.leaveQueue('b')).toBe(true);
  expect(seats.leaveQueue('b')).toBe(false);
  expect(seats.dequeue()).toBe('c');
});

test('for a while, newcomers get only places that are left by those who were present at the end', () => {
  const expected = { participants: [3, 4], held: 200, until: 500 };
  const { seats, take } = open(2, { first: 8, expected });
  seats.expire(0);
  expect(seats.isFull).toBe(true);
  seats.enqueue('zoe', { address: '', date: 1 });
  take('anna', '3/1');
  seats.expire(199);
  expect(seats.dequeue()).toBeUndefined();
  seats.expire(200);
  expect(seats.dequeue()).toBe('zoe');
  expect(seats.holdsSeatFor('4/1')).toBe(true);
});

test('who brings the token of a place in line gets that place, and no seat beside the line', () => {
  const before = open(1);
  const { you, token } = before.visit('anna');
  before.take('bo');
  const queue = (
    { seats }: Pick<typeof before, 'seats'>,
    date: number,
    who: string,
    token?: string,
  ) => seats.enqueue(who, { token, address: '', date }).token;
  const anna = queue(before, 1, 'anna', token);
  const carl = queue(before, 2, 'carl');
  // Anna is in line as herself, and her page may have either token.
  for (const known of [token, anna]) expect(before.seats.ownerOf(known)).toBe(you.id);
  expect(before.seats.ownerOf(carl)).toBeUndefined();

  const expected = { participants: [you.id, 2], held: 100, until: 500 };
  const after = open(1, { first: 3, maxWaiting: 4, expected });
  expect([anna, carl].map((one) => after.seats.holdsSeatFor(one))).toEqual([false, false]);
  queue(after, 3, 'new');
  queue(after, 4, 'carl', carl);
  queue(after, 5, 'anna', anna);
  expect(after.seats.queued).toEqual(['anna', 'carl', 'new']);
  expect(after.take('anna', anna)).toMatchObject({ you: { id: you.id }, isNew: false });
  // But not for ever.
  queue(after, 3_600_003, 'carl again', carl);
  expect(after.seats.queued.at(-1)).toBe('carl again');
});

const NOW = 1_000_000;
const IDLE = SEATS.idleYields;

const anySeat = fc.record({
  address: fc.constantFrom('a', 'b', 'c'),
  activeAt: fc.integer({ min: NOW - IDLE + 1, max: NOW }),
});
const anySeats = fc.array(anySeat, { minLength: 1, maxLength: 30 });

describe('who gives way', () => {
  test('the longest idle, whatever their address', () => {
    const idle = { address: 'b', activeAt: NOW - IDLE - 1 };
    const scene = [
      { address: 'a', activeAt: NOW - IDLE },
      idle,
      { address: 'a', activeAt: NOW },
      { address: 'a', activeAt: NOW },
    ];
    expect(chooseYielding(scene, 'b', NOW)).toBe(idle);
  });

  test('otherwise one of the address with most, as long as that does not make it the poorer one', () => {
    forAll(anySeats, fc.constantFrom('a', 'b', 'd'), (scene, waiting) => {
      const before = countSeats(scene);
      const chosen = chooseYielding(scene, waiting, NOW);
      const most = Math.max(...before.values());
      expect(chosen !== undefined).toBe(most >= (before.get(waiting) ?? 0) + 2);
      if (!chosen) return;
      expect(before.get(chosen.address)).toBe(most);
      for (const other of scene.filter(({ address }) => address === chosen.address)) {
        expect(other.activeAt).toBeGreaterThanOrEqual(chosen.activeAt);
      }
    });
  });
});

const secret = Buffer.alloc(32, 7);

test('resume tokens tell their participant and place in line, also after a restart, and are unique', () => {
  const before = new ResumeTokens(secret, 'garden');
  const said = fc.record({
    participant: fc.integer({ min: 0, max: 0xffffffff }),
    since: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  });
  forAll(said, (said) => {
    const token = before.issue(said);
    expect(before.issue(said)).not.toBe(token);
    expect(token.length).toBeLessThanOrEqual(64);
    expect(new ResumeTokens(Buffer.from(secret), 'garden').read(token)).toEqual(said);
  });
});

test('they are invalid in another room, on another server, and with a bit changed', () => {
  const token = new ResumeTokens(secret, 'garden').issue({ participant: 5, since: 0 });
  expect(new ResumeTokens(secret, 'meadow').read(token)).toBeUndefined();
  expect(new ResumeTokens(Buffer.alloc(32, 8), 'garden').read(token)).toBeUndefined();
  const bytes = Buffer.from(token, 'base64url');
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] ^= 1 << (bit & 7);
    expect(new ResumeTokens(secret, 'garden').read(changed.toString('base64url'))).toBeUndefined();
  }
});

test('made-up tokens are invalid', () => {
  const resumeTokens = new ResumeTokens(secret, 'garden');
  forAll(anyText({ maxLength: 64 }), (text) => {
    expect(resumeTokens.read(text)).toBeUndefined();
  });
});

test('device marks are recognised after a restart, and are unique', () => {
  const marks = new DeviceMarks(secret);
  const [one, two] = [marks.issue(), marks.issue()];
  expect(marks.read(one)).not.toBe(marks.read(two));
  expect(new DeviceMarks(Buffer.from(secret)).read(one)).toBe(marks.read(one));
  expect(COMMANDS.join.entries.mark.wrapped.pipe[1].requirement).toBeGreaterThanOrEqual(one.length);
});

test('they are invalid on another server; marks and resume tokens cannot be confused', () => {
  const marks = new DeviceMarks(secret);
  const mark = marks.issue();
  expect(new DeviceMarks(Buffer.alloc(32, 8)).read(mark)).toBeUndefined();
  expect(
    marks.read(new ResumeTokens(secret, 'garden').issue({ participant: 5, since: 0 })),
  ).toBeUndefined();
  expect(new ResumeTokens(secret, 'garden').read(mark)).toBeUndefined();
});

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
