import type { AlertMessage, Problem } from '../../../../server/operations/alerts/alert.ts';
import { AlertMonitor } from '../../../../server/operations/alerts/alert-monitor.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const SECOND = 1_000;
const NOT_KEPT: Problem = { alert: 'not-kept', text: 'The disk is full.' };
const slow = (room: string): Problem => ({ alert: 'slow', room, text: 'slow' });

function watch(open: readonly AlertMessage[] = []) {
  const clock = new FakeClock();
  const seen = { problems: [] as Problem[], messages: [] as AlertMessage[] };
  const monitor = new AlertMonitor({
    ...{ clock, date: () => 1e12 + clock.now(), open, problems: () => seen.problems },
    announce: (message) => seen.messages.push(message),
  });
  const said = () =>
    seen.messages
      .splice(0)
      .map(({ alert, state, room = '', wall = '' }) => `${state} ${alert} ${room} ${wall}`.trim());
  return { clock, seen, monitor, said };
}

test('a problem is announced once, and once more when it is over', async () => {
  const { clock, seen, monitor, said } = watch();
  await clock.advance(60 * SECOND);
  expect(said()).toEqual([]);
  seen.problems = [NOT_KEPT];
  await clock.advance(3_600 * SECOND);
  expect(monitor.open).toHaveLength(1);
  expect(said()).toEqual(['raised not-kept']);
  seen.problems = [];
  await clock.advance(3_600 * SECOND);
  expect(said()).toEqual(['cleared not-kept']);
  expect(monitor.open).toEqual([]);
  monitor.stop();
  expect(clock.waiting).toBe(0);
});

test('it is not over while it comes and goes', async () => {
  const { clock, seen, said } = watch();
  for (let i = 0; i < 20; i++) {
    seen.problems = i % 2 === 0 ? [NOT_KEPT] : [];
    await clock.advance(5 * SECOND);
  }
  expect(said()).toEqual(['raised not-kept']);
});

test('while it recovers, it is neither over nor announced, and the time does not count', async () => {
  const { clock, seen, said } = watch();
  const recovering = { ...slow('garden'), isRecovering: true };
  seen.problems = [recovering];
  await clock.advance(3_600 * SECOND);
  for (let i = 0; i < 11; i++) {
    seen.problems = [slow('garden')];
    await clock.advance(5 * SECOND);
    seen.problems = [recovering];
    await clock.advance(20 * SECOND);
  }
  expect(said()).toEqual([]);
  seen.problems = [slow('garden')];
  await clock.advance(6 * SECOND);
  expect(said()).toEqual(['raised slow garden']);
  seen.problems = [recovering];
  await clock.advance(3_600 * SECOND);
  expect(said()).toEqual([]);
  seen.problems = [];
  await clock.advance(20 * SECOND);
  expect(said()).toEqual(['cleared slow garden']);
});

test('a room is slow when it has been slow for a whole minute; rooms are told apart', async () => {
  const { clock, seen, said } = watch();
  seen.problems = [slow('garden')];
  await clock.advance(55 * SECOND);
  seen.problems = [];
  await clock.advance(2 * SECOND);
  seen.problems = [slow('garden'), slow('attic')];
  await clock.advance(55 * SECOND);
  expect(said()).toEqual([]);
  await clock.advance(10 * SECOND);
  expect(said()).toEqual(['raised slow garden', 'raised slow attic']);
  seen.problems = [slow('attic')];
  await clock.advance(20 * SECOND);
  expect(said()).toEqual(['cleared slow garden']);
});

test('what an earlier process announced is not announced again, but is cleared', async () => {
  const first = watch();
  first.seen.problems = [NOT_KEPT, { alert: 'disk-low', text: 'The disk is full.' }];
  await first.clock.advance(SECOND);
  const second = watch(first.monitor.open);
  second.seen.problems = [NOT_KEPT];
  await second.clock.advance(60 * SECOND);
  expect(second.said()).toEqual(['cleared disk-low']);
});

test('what gets more severe is announced again, once, also after a restart; then it is over once', async () => {
  const started: Problem = { alert: 'server-restarted', text: 'started' };
  const crashed: Problem = { ...started, text: 'crashed', severity: 'warning' };
  const first = watch();
  first.seen.problems = [started];
  await first.clock.advance(SECOND);
  const second = watch(first.monitor.open);
  second.seen.problems = [crashed];
  await second.clock.advance(5 * SECOND);
  expect(second.seen.messages).toMatchObject([{ severity: 'warning', text: 'crashed' }]);
  const third = watch(second.monitor.open);
  third.seen.problems = [crashed];
  await third.clock.advance(5 * SECOND);
  third.seen.problems = [started];
  await third.clock.advance(5 * SECOND);
  expect(third.said()).toEqual([]);
  third.seen.problems = [];
  await third.clock.advance(60 * SECOND);
  expect(third.said()).toEqual(['cleared server-restarted']);
});

test('what is expected is not announced, and what is announced stays open meanwhile', async () => {
  const { clock, seen, said } = watch();
  const lost: Problem = { alert: 'wall-lost', room: 'garden', wall: 'Foyer', text: 'lost' };
  const expected = { ...lost, isExpected: true };
  seen.problems = [expected];
  await clock.advance(3_600 * SECOND);
  seen.problems = [lost];
  await clock.advance(30 * SECOND);
  expect(said()).toEqual([]);
  await clock.advance(31 * SECOND);
  expect(said()).toEqual(['raised wall-lost garden Foyer']);
  seen.problems = [expected];
  await clock.advance(3_600 * SECOND);
  expect(said()).toEqual([]);
});
