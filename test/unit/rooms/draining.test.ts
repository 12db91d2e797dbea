/** Which rooms a drained server gives to whom, and which it takes all the same. */
import type { NodeLoad } from '../../../server/cluster/open-cluster.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { Draining } from '../../../server/rooms/draining.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const { report, takeBack, drainAgain } = DEFAULTS.cluster;

const other = (node: string, rooms: Record<string, number>, followed: string[]): NodeLoad => ({
  ...{ node, rooms, followed },
  server: { role: 'both', draining: false } as NodeLoad['server'],
});

function open(running: Record<string, number>) {
  const clock = new FakeClock();
  const gifts: [string, string | undefined][] = [];
  const rooms = { ...running };
  const during = { give: () => {} };
  const draining = new Draining({
    ...{ clock, log: silentLog },
    running: () => rooms,
    give: async (room, heir) => {
      gifts.push([room, heir]);
      delete rooms[room];
      during.give();
      return true;
    },
  });
  return { clock, gifts, rooms, during, draining };
}

test('rooms are spread over all servers that follow them, also before these report them', async () => {
  const { draining, gifts, clock } = open({ attic: 900, cellar: 800, garden: 700, shed: 600 });
  const followed = ['attic', 'cellar', 'garden', 'shed'];
  const others = [other('b', {}, followed), other('c', { meadow: 100 }, followed)];
  draining.begin(others);
  for (let i = 1; i <= 4; i++) {
    await draining.look(others);
    // The others say what they carry between one room and the next.
    expect(gifts).toHaveLength(i);
    await clock.advance(report);
  }
  expect(gifts).toEqual([
    ['attic', 'b'],
    ['cellar', 'c'],
    ['garden', 'b'],
    ['shed', 'c'],
  ]);
  expect(draining.leaving).toHaveLength(4);
  await draining.look([other('b', { attic: 900, garden: 700 }, []), others[1]]);
  expect(draining.leaving).toEqual(['cellar', 'shed']);
});

test('it takes a room that no server has run for some time, wherever that ran before', async () => {
  const { draining, clock } = open({ attic: 1 });
  draining.begin([other('b', {}, ['attic'])]);
  await draining.look([other('b', {}, ['attic'])]);
  const carried = [other('b', { attic: 1, meadow: 1 }, [])];
  for (let i = 0; i < 30; i++) {
    await clock.advance(report);
    await draining.look(carried);
    expect([draining.takes('attic'), draining.takes('meadow')]).toEqual([false, false]);
  }
  await clock.advance(takeBack - 1);
  expect([draining.takes('attic'), draining.takes('meadow')]).toEqual([false, false]);
  await clock.advance(1);
  expect([draining.takes('attic'), draining.takes('meadow')]).toEqual([true, true]);
});

test('a room that nobody takes stands still less and less often', async () => {
  const { draining, clock, gifts, rooms } = open({ attic: 1 });
  const others = [other('b', {}, ['attic'])];
  draining.begin(others);
  const given: number[] = [];
  while (given.length < 4) {
    if (gifts.length > given.length) given.push(clock.now());
    if (draining.takes('attic')) rooms.attic = 1;
    await clock.advance(report);
    await draining.look(others);
  }
  const pauses = given.slice(1).map((at, i) => at - given[i]);
  expect(pauses[0]).toBeGreaterThanOrEqual(drainAgain);
  expect(pauses[1]).toBeGreaterThanOrEqual(2 * drainAgain);
  expect(pauses[2]).toBeGreaterThanOrEqual(4 * drainAgain);
});

test('the host sees which rooms stay, as no server takes any', async () => {
  const { draining } = open({ attic: 1 });
  draining.begin([other('b', {}, ['attic'])]);
  expect(draining.isKept('attic')).toBe(false);
  await draining.look([{ ...other('b', {}, []), server: undefined }]);
  expect(draining.isKept('attic')).toBe(true);
});

test('a server that takes rooms again while one leaves has nothing to wait for later', async () => {
  const { draining, during } = open({ attic: 1 });
  const others = [other('b', {}, ['attic'])];
  draining.begin(others);
  during.give = () => draining.end();
  await draining.look(others);
  draining.begin(others);
  expect(draining.leaving).toEqual([]);
});
