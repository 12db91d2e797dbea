import { REPORT_INTERVAL } from '../../../server/cluster/lease.ts';
import type { NodeLoad } from '../../../server/cluster/open-cluster.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { REPLICAS, Replicas } from '../../../server/rooms/replicas.ts';
import { chooseMove, SPREAD, SpreadRooms } from '../../../server/rooms/spread-rooms.ts';
import { StoreError } from '../../../server/storage/records.ts';
import { NotReplicated, type RoomReplica } from '../../../server/storage/recovery.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Which rooms a server follows, and for how long. */

const { followed: MOST, follow, followRetry } = REPLICAS;

/** Rooms that could be followed, with what happens at each step. */
function open(waiting: string[]) {
  const clock = new FakeClock();
  const said: string[] = [];
  const following = new Set<string>();
  let opened = 0;
  const world = {
    waiting,
    failure: undefined as Error | undefined,
    isComplete: true,
    isOpening: false,
    isIdle: true,
    /** What a step takes, ms. */
    takes: 0,
    steps: 0,
    /** What the opening of the attic waits for. */
    attic: Promise.resolve(),
  };
  const rooms = new Replicas({
    clock,
    log: { info: (_, sentence) => void said.push(sentence), warn: () => {}, error: () => {} },
    waiting: () => world.waiting,
    isOpening: () => world.isOpening,
    isIdle: () => world.isIdle,
    open: async (room) => {
      opened++;
      if (room === 'attic') await world.attic;
      following.add(room);
      const follower: Pick<RoomReplica, 'catchUp' | 'close'> = {
        catchUp: async () => {
          world.steps++;
          clock.spend(world.takes);
          if (world.failure) throw world.failure;
          return world.isComplete;
        },
        close: async () => void following.delete(room),
      };
      return follower as RoomReplica;
    },
  });
  /** Time goes on, and what waits is done. @param time ms */
  const pass = async (time: number): Promise<void> => {
    for (let past = 0; past < time; past += follow) {
      await clock.advance(follow);
      await new Promise((go) => setImmediate(go));
    }
  };
  afterTest(() => rooms.stop());
  return { pass, said, following, world, rooms, opened: () => opened };
}

test('a server follows so many rooms, those that it could take over, until they run here', async () => {
  const names = Array.from({ length: MOST + 2 }, (_, i) => `room-${i}`);
  const { pass, following, world, rooms } = open(names);
  world.isComplete = false;
  await pass(20 * follow);
  expect([...following]).toEqual(names.slice(0, MOST));
  expect(rooms.names).toEqual([]);
  world.isComplete = true;
  await pass(20 * follow);
  expect(rooms.names).toEqual(names.slice(0, MOST));
  expect(await rooms.take('room-0')).toBeDefined();
  expect(await rooms.take('room-0')).toBeUndefined();
  world.waiting = names.slice(1);
  await pass(20 * follow);
  expect(rooms.names).toEqual(names.slice(1, MOST + 1));
  world.waiting = [];
  await pass(20 * follow);
  expect([...following].filter((room) => room !== 'room-0')).toEqual([]);
});

test('a room that is behind is replayed all the time, and half of it where rooms run; then looked at rarely', async () => {
  const { pass, world } = open(['garden']);
  Object.assign(world, { isComplete: false, takes: 10 });
  const stepsIn = async (time: number): Promise<number> => {
    const before = world.steps;
    await pass(time);
    return world.steps - before;
  };
  await pass(follow);
  const free = await stepsIn(10 * follow);
  world.isIdle = false;
  const busy = await stepsIn(10 * follow);
  expect(free).toBeGreaterThan(1.8 * busy);
  expect(busy * 2 * world.takes).toBeGreaterThan(0.8 * 10 * follow);
  world.isComplete = true;
  await pass(follow);
  expect(await stepsIn(10 * follow)).toBeLessThanOrEqual(10);
});

test('a room is taken at once while another one is being read, and its own step is waited for', async () => {
  const { pass, world, rooms, following } = open(['garden', 'attic']);
  let goOn = (): void => {};
  world.attic = new Promise((resolve) => (goOn = resolve));
  await pass(3 * follow);
  expect(await rooms.take('garden')).toBeDefined();
  const attic = rooms.take('attic');
  goOn();
  expect(await attic).toBeDefined();
  world.waiting = [];
  await pass(3 * follow);
  expect([...following]).toEqual(['garden', 'attic']);
});

test('a room that is being opened here stays followed until it is taken, and is not followed anew', async () => {
  const { pass, world, rooms, opened } = open(['garden']);
  await pass(3 * follow);
  world.isOpening = true;
  await pass(20 * follow);
  expect(await rooms.take('garden')).toBeDefined();
  await pass(20 * follow);
  expect(opened()).toBe(1);
});

test('what cannot be followed is tried again later, and said once; while the store is away it stays', async () => {
  const { pass, said, following, world, rooms, opened } = open(['garden']);
  await pass(20 * follow);
  expect(said).toEqual([
    'This server keeps a copy of room "garden" up to date and can take over the room immediately.',
  ]);
  // It falls behind, and catches up.
  world.isComplete = false;
  await pass(3 * follow);
  expect(rooms.names).toEqual([]);
  world.isComplete = true;
  await pass(3 * follow);
  world.failure = new StoreError('unreachable', 'away');
  await pass(10 * follow);
  expect(rooms.names).toEqual(['garden']);
  world.failure = new NotReplicated(
    `this server and the server that runs the room have computed different cells`,
  );
  await pass(3 * followRetry);
  expect(rooms.names).toEqual([]);
  expect(opened()).toBeLessThan(6);
  expect(said.slice(1)).toEqual([
    `This server cannot keep a copy of room "garden" up to date: this server and the server that runs the room have computed different cells.`,
  ]);
  world.failure = undefined;
  await pass(2 * followRetry);
  expect(rooms.names).toEqual(['garden']);
  await rooms.stop();
  expect(following.size).toBe(0);
});

/** Which server gives which room away, when and to whom, and which it takes all the same. */

describe('spread rooms', () => {
  const { spreadFrom, spreadAfter, takeBack, drainAgain } = SPREAD;
  const report = REPORT_INTERVAL;
  /** A share of what counts as busy. */
  const cells = (share: number): number => share * spreadFrom;

  const node = (
    name: string,
    rooms: Record<string, number>,
    followed: string[] = [],
  ): NodeLoad => ({
    ...{ node: name, rooms, followed },
    server: { name, role: 'both', draining: false } as NodeLoad['server'],
  });

  /** A server that runs rooms, beside others. */
  function open(rooms: Record<string, number>, others: readonly NodeLoad[]) {
    const clock = new FakeClock();
    const gifts: [string, string | undefined][] = [];
    const reports: NodeLoad[] = [];
    const world = { rooms, others, isUp: true, onGive: () => {} };
    const spread = new SpreadRooms({
      ...{ clock, log: silentLog, node: 'a', awake: () => world.rooms, followed: () => ['shed'] },
      describe: () => ({}),
      report: async (own) => {
        reports.push(own);
        if (!world.isUp) throw new Error('no answer');
        return [...world.others];
      },
      give: async (room, to) => {
        gifts.push([room, to]);
        const { [room]: _, ...left } = world.rooms;
        world.rooms = left;
        world.onGive();
        return true;
      },
    });
    spread.start();
    return { clock, gifts, reports, world, spread };
  }

  test('the busier of two servers gives the room that leaves both with the least', () => {
    const own = node('a', { attic: cells(1), cellar: cells(4), garden: cells(5) });
    const other = node('b', { meadow: cells(2) }, ['attic', 'cellar', 'garden']);
    expect(chooseMove(own, [other])).toEqual({ room: 'cellar', node: 'b' });
    // Only what the other one has followed, and to the one that is less busy.
    expect(chooseMove(own, [{ ...other, followed: ['attic'] }])).toBeUndefined();
    const third = node('c', {}, other.followed);
    expect(chooseMove(own, [other, third])).toEqual({ room: 'garden', node: 'c' });
  });

  test('a server that is not busy, or has one room, or little to gain, gives none', () => {
    const free = node('b', {}, ['attic', 'cellar']);
    expect(
      chooseMove(node('a', { attic: cells(0.4), cellar: cells(0.4) }), [free]),
    ).toBeUndefined();
    expect(chooseMove(node('a', { attic: cells(9) }), [free])).toBeUndefined();
    expect(chooseMove(node('a', { attic: cells(9), cellar: cells(1) }), [free])).toBeUndefined();
    expect(chooseMove(node('a', { attic: cells(2), cellar: cells(2) }), [])).toBeUndefined();
  });

  test.each([[[1, 1]], [[2, 3]], [[5, 1, 1, 1]], [[4, 4, 4]]])(
    'a room of %j that has been given away is not given back',
    (shares) => {
      const rooms = Object.fromEntries(shares.map((share, i) => [`r${i}`, cells(share)]));
      const names = Object.keys(rooms);
      const move = chooseMove(node('a', rooms), [node('b', {}, names)])!;
      const { [move.room]: given, ...left } = rooms;
      const [a, b] = [node('a', left, names), node('b', { [move.room]: given }, names)];
      expect(chooseMove(b, [a])?.room).not.toBe(move.room);
    },
  );

  test('a room is given once the server has been too busy for some time, whatever changes meanwhile', async () => {
    const busy = { attic: cells(2), cellar: cells(2) };
    const { clock, gifts, reports, world, spread } = open(busy, [
      node('b', {}, ['attic', 'cellar']),
    ]);
    await clock.advance(spreadAfter - report);
    // Whoever does not hear from the others starts again.
    world.isUp = false;
    await clock.advance(2 * report);
    world.isUp = true;
    await clock.advance(spreadAfter - report);
    expect(gifts).toEqual([]);
    await clock.advance(5 * report);
    expect(gifts).toEqual([['attic', 'b']]);
    await clock.advance(3 * spreadAfter);
    expect(gifts).toHaveLength(1);
    expect(reports.at(-1)?.followed).toEqual(['shed']);
    // While it stops, it takes no room.
    spread.stop();
    spread.stop();
    await clock.advance(3 * report);
    const told = reports.filter(({ followed }) => followed.length === 0);
    expect(told).toEqual([reports.at(-1)]);
  });

  test('rooms of a drained server are spread over all servers that follow them, also before these report them', async () => {
    const followed = ['attic', 'cellar', 'garden', 'shed'];
    const others = [node('b', {}, followed), node('c', { meadow: 100 }, followed)];
    const rooms = { attic: 900, cellar: 800, garden: 700, shed: 600 };
    const { spread, gifts, clock, world } = open(rooms, others);
    await spread.drain();
    for (let i = 1; i <= 4; i++) {
      // The others say what they carry between one room and the next.
      await clock.advance(report);
      expect(gifts).toHaveLength(i);
    }
    expect(gifts).toEqual([
      ['attic', 'b'],
      ['cellar', 'c'],
      ['garden', 'b'],
      ['shed', 'c'],
    ]);
    expect(spread.leaving).toHaveLength(4);
    world.others = [node('b', { attic: 900, garden: 700 }), others[1]];
    await clock.advance(report);
    expect(spread.leaving).toEqual(['cellar', 'shed']);
  });

  test('a drained server takes a room that no server has run for some time, wherever that ran before', async () => {
    const { spread, clock, world } = open({ attic: 1 }, [node('b', {}, ['attic'])]);
    await spread.drain();
    await clock.advance(report);
    world.others = [node('b', { attic: 1, meadow: 1 })];
    for (let i = 0; i < 30; i++) {
      await clock.advance(report);
      expect([spread.takes('attic'), spread.takes('meadow')]).toEqual([false, false]);
    }
    world.isUp = false;
    await clock.advance(takeBack - 1);
    expect([spread.takes('attic'), spread.takes('meadow')]).toEqual([false, false]);
    await clock.advance(1);
    expect([spread.takes('attic'), spread.takes('meadow')]).toEqual([true, true]);
  });

  test('a room that nobody takes stands still less and less often', async () => {
    const { spread, clock, gifts, world } = open({ attic: 1 }, [node('b', {}, ['attic'])]);
    await spread.drain();
    const given: number[] = [];
    while (given.length < 4) {
      if (gifts.length > given.length) given.push(clock.now());
      if (spread.takes('attic')) world.rooms = { attic: 1 };
      await clock.advance(report);
    }
    const pauses = given.slice(1).map((at, i) => at - given[i]);
    expect(pauses[0]).toBeGreaterThanOrEqual(drainAgain);
    expect(pauses[1]).toBeGreaterThanOrEqual(2 * drainAgain);
    expect(pauses[2]).toBeGreaterThanOrEqual(4 * drainAgain);
  });

  test('the host sees which rooms stay, as no server takes any', async () => {
    const { spread, clock, world } = open({ attic: 1 }, [node('b', {}, ['attic'])]);
    await spread.drain();
    expect(spread.isKept('attic')).toBe(false);
    world.others = [{ ...node('b', {}), server: undefined }];
    await clock.advance(report);
    expect(spread.isKept('attic')).toBe(true);
  });

  test('a server that takes rooms again while one leaves has nothing to wait for later', async () => {
    const { spread, clock, world } = open({ attic: 1 }, [node('b', {}, ['attic'])]);
    await spread.drain();
    world.onGive = () => void spread.stopDraining();
    await clock.advance(report);
    await spread.drain();
    expect(spread.leaving).toEqual([]);
  });
});
