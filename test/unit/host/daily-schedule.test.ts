/** Opening hours and the nightly restart, with a fake clock. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { DailySchedule, isOpenAt } from '../../../server/host/daily-schedule.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { ALWAYS_OPEN, type Schedule } from '../../../shared/host/opening-hours.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import fc from '../../support/property.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A Wednesday, in the time of this machine. */
const WEDNESDAY = new Date(2026, 10, 25).getTime();

const MUSEUM: Schedule = {
  on: true,
  // Closed on Mondays.
  days: [null, ...Array.from({ length: 6 }, () => ({ from: '10:00', to: '17:30' }))],
  exceptions: [],
  outside: 'dim',
  farewell: false,
  restart: '04:00',
};

async function start(
  at: number,
  store = new Store(openMemory()),
  restartDelay = () => 0,
  isSupervised = true,
) {
  let now = at;
  const clock = new FakeClock();
  const heard: { readonly isOpen: boolean; readonly at: number }[] = [];
  const closings: number[] = [];
  const restarts: number[] = [];
  const hours = await DailySchedule.open({
    ...{ store, clock, restartDelay, isSupervised },
    date: () => now,
    onChange: (isOpen, _, isClosingTime) => {
      heard.push({ isOpen, at: now });
      if (isClosingTime) closings.push(now);
    },
    onRestart: () => restarts.push(now),
  });
  return {
    ...{ hours, heard, closings, restarts, store },
    /** Lets time pass, in steps that timers notice. */
    async pass(duration: number): Promise<void> {
      for (const end = now + duration; now < end; ) {
        const step = Math.min(MINUTE / 2, end - now);
        now += step;
        await clock.advance(step);
      }
    },
    /** Sets the clock. */
    set: (to: number) => {
      now = to;
    },
  };
}

test('closing time is when the clock says so, not a start or a change of the hours after it', async () => {
  const { hours, closings, store, pass } = await start(WEDNESDAY + 9 * HOUR);
  await hours.set(MUSEUM);
  expect(closings).toEqual([]);
  await pass(10 * HOUR);
  expect(closings).toEqual([WEDNESDAY + 17.5 * HOUR]);
  const later = await start(WEDNESDAY + 20 * HOUR, store);
  await later.pass(HOUR);
  await later.hours.set({ ...MUSEUM, on: false });
  await later.hours.set(MUSEUM);
  expect(later.closings).toEqual([]);
});

test('opens and closes on time, and restarts at night', async () => {
  const { hours, heard, restarts, pass } = await start(WEDNESDAY + 9 * HOUR);
  await hours.set(MUSEUM);
  expect(hours.isOpen).toBe(false);
  expect(hours.next).toEqual({ at: WEDNESDAY + 10 * HOUR, what: 'open' });
  heard.length = 0;
  await pass(12 * HOUR);
  expect(heard).toEqual([
    { isOpen: true, at: WEDNESDAY + 10 * HOUR },
    { isOpen: false, at: WEDNESDAY + 17.5 * HOUR },
  ]);
  expect(hours.next).toEqual({ at: WEDNESDAY + 28 * HOUR, what: 'restart' });
  await pass(8 * HOUR);
  expect(restarts).toEqual([WEDNESDAY + 28 * HOUR]);
  // A restart is not announced if nothing would start the server again.
  const alone = await start(WEDNESDAY + 18 * HOUR, undefined, undefined, false);
  await alone.hours.set(MUSEUM);
  expect(alone.hours.next).toEqual({ at: WEDNESDAY + 34 * HOUR, what: 'open' });
});

test('a bar is open across midnight, also after the last day of the week, and closes once', async () => {
  const night = { from: '20:00', to: '02:00' };
  const days = MUSEUM.days.map((_, i) => (i >= 2 ? night : null));
  const { hours, closings, heard, pass } = await start(WEDNESDAY + 19 * HOUR);
  await hours.set({ ...MUSEUM, days, restart: null });
  expect([hours.isOpen, hours.next]).toEqual([false, { at: WEDNESDAY + 20 * HOUR, what: 'open' }]);
  await pass(4.5 * HOUR);
  expect([hours.isOpen, hours.next]).toEqual([true, { at: WEDNESDAY + 26 * HOUR, what: 'close' }]);
  await pass(5 * 24 * HOUR);
  expect(closings).toEqual([1, 2, 3, 4, 5].map((day) => WEDNESDAY + (24 * day + 2) * HOUR));
  // After the night from Sunday to Monday.
  expect(hours.next).toEqual({ at: WEDNESDAY + (7 * 24 + 20) * HOUR, what: 'open' });
  expect(heard.filter(({ isOpen }) => isOpen)).toHaveLength(5);
});

test.each([
  ['2026-03-28', '2026-03-28T19:00Z', '2026-03-29T01:30Z'],
  ['2026-10-24', '2026-10-24T18:00Z', '2026-10-25T00:30Z'],
])(
  'in the night after %s, whose clocks change, it opens and closes once',
  async (day, from, to) => {
    // Time zones are those of a process.
    const asked = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', '--input-type=module', '--eval'],
        `import { isOpenAt } from './server/host/daily-schedule.ts';
      const schedule = { on: true, days: Array(7).fill({ from: '20:00', to: '02:30' }), exceptions: [] };
      const noon = Date.parse('${day}T12:00Z');
      const minutes = Array.from({ length: 1440 }, (_, i) => noon + 60_000 * i);
      const changes = minutes.filter((at) => isOpenAt(schedule, at) !== isOpenAt(schedule, at - 1));
      console.log(JSON.stringify(changes));`,
      ],
      { env: { ...process.env, TZ: 'Europe/Copenhagen' } },
    );
    const answer = await text(asked.stdout);
    expect(JSON.parse(answer)).toEqual([Date.parse(from), Date.parse(to)]);
  },
);

test('a restart missed during sleep is skipped, and none happens twice', async () => {
  const { hours, restarts, pass, set } = await start(WEDNESDAY + 1 * HOUR);
  await hours.set(MUSEUM);
  set(WEDNESDAY + 8 * HOUR);
  await pass(MINUTE);
  expect(restarts).toEqual([]);
  // The clock is set back: it was four o'clock already, and is again.
  set(WEDNESDAY + 3.99 * HOUR);
  await pass(5 * MINUTE);
  expect(restarts).toHaveLength(1);
});

test('a server that restarts later than others does so if it is still to', async () => {
  const later = await start(WEDNESDAY + 3 * HOUR, undefined, () => 6 * MINUTE);
  await later.hours.set(MUSEUM);
  await later.pass(HOUR + MINUTE);
  expect(later.restarts).toEqual([]);
  await later.pass(HOUR);
  expect(later.restarts).toEqual([WEDNESDAY + 4 * HOUR + 6 * MINUTE]);
  await later.pass(23 * HOUR);
  await later.hours.set({ ...MUSEUM, restart: null });
  await later.pass(HOUR);
  expect(later.restarts).toHaveLength(1);
});

test('on holidays and other exceptions, other hours apply than on the same weekday', async () => {
  const { hours, closings, pass } = await start(WEDNESDAY + 9 * HOUR);
  const exceptions = [
    { first: '2026-11-26', last: '2027-01-04', hours: null },
    { first: '2026-11-28', last: '2026-11-28', hours: { from: '20:00', to: '02:00' } },
  ];
  await hours.set({ ...MUSEUM, exceptions, restart: null });
  await pass(9 * HOUR);
  // Closed on Thursday and Friday, open in the night from Saturday to Sunday.
  expect(closings).toEqual([WEDNESDAY + 17.5 * HOUR]);
  expect(hours.next).toEqual({ at: WEDNESDAY + (3 * 24 + 20) * HOUR, what: 'open' });
  await pass(3 * 24 * HOUR + 10 * HOUR);
  expect(closings.at(-1)).toBe(WEDNESDAY + (4 * 24 + 2) * HOUR);
  expect(hours.next).toEqual({ at: new Date(2027, 0, 5, 10).getTime(), what: 'open' });
});

test('a schedule survives a restart; without one the house is always open', async () => {
  const { hours, store, heard } = await start(WEDNESDAY + 20 * HOUR);
  expect([hours.isOpen, hours.next, heard]).toEqual([true, null, []]);
  await hours.set(MUSEUM);
  hours.stop();
  const again = await start(WEDNESDAY + 20 * HOUR, store);
  expect(again.hours.schedule).toEqual(MUSEUM);
  expect(again.heard).toEqual([{ isOpen: false, at: WEDNESDAY + 20 * HOUR }]);
  await again.hours.set(ALWAYS_OPEN);
  expect(again.heard.at(-1)).toMatchObject({ isOpen: true });
});

test('the next event is when the state really changes, for any schedule', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.tuple(fc.nat(1_430), fc.integer({ min: 1, max: 600 }))), {
        minLength: 7,
        maxLength: 7,
      }),
      fc.nat(14 * 24 * 60),
      fc.array(fc.tuple(fc.integer({ min: 10, max: 30 }), fc.nat(3), fc.option(fc.nat(1_430))), {
        maxLength: 3,
      }),
      async (days, minutes, except) => {
        const time = (minute: number): string =>
          `${`${Math.floor(minute / 60) % 24}`.padStart(2, '0')}:${`${minute % 60}`.padStart(2, '0')}`;
        const schedule: Schedule = {
          ...{ ...MUSEUM, restart: null },
          exceptions: except.map(([day, more, minute]) => ({
            ...{ first: `2026-12-${day}`, last: `2026-12-${Math.min(31, day + more)}` },
            hours: minute === null ? null : { from: time(minute), to: time(minute + 400) },
          })),
          days: days.map((day) => day && { from: time(day[0]), to: time(day[0] + day[1]) }),
        };
        const now = WEDNESDAY + minutes * MINUTE;
        const { hours } = await start(now);
        await hours.set(schedule);
        const { next } = hours;
        if (!next) {
          expect(schedule.days.every((day) => day === null)).toBe(true);
          const later = schedule.exceptions.filter((each) => each.hours);
          expect(later.every(({ last }) => new Date(last).getTime() < now)).toBe(true);
          return;
        }
        expect(isOpenAt(schedule, next.at)).toBe(next.what === 'open');
        const before = isOpenAt(schedule, now);
        for (let at = now; at < next.at; at += 7 * MINUTE)
          expect(isOpenAt(schedule, at)).toBe(before);
      },
    ),
    { numRuns: 60 },
  ));
