/** Which rooms a server follows, and for how long. */
import { REPLICAS, Replicas } from '../../../server/rooms/replicas.ts';
import { StoreError } from '../../../server/storage/records.ts';
import { NotReplicated, type RoomReplica } from '../../../server/storage/recovery.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

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
    'This server follows room "garden" and can take over the room immediately.',
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
  world.failure = new NotReplicated(`this server computes the room's cells differently`);
  await pass(3 * followRetry);
  expect(rooms.names).toEqual([]);
  expect(opened()).toBeLessThan(6);
  expect(said.slice(1)).toEqual([
    `This server does not follow room "garden": this server computes the room's cells differently.`,
  ]);
  world.failure = undefined;
  await pass(2 * followRetry);
  expect(rooms.names).toEqual(['garden']);
  await rooms.stop();
  expect(following.size).toBe(0);
});
