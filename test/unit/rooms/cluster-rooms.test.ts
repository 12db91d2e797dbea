/** Rooms of two servers that share them, with leases and records in memory. */
import {
  LEASE,
  Lease,
  type LeaseStore,
  REPORT_INTERVAL,
  RoomLeases,
} from '../../../server/cluster/lease.ts';
import type { NodeLoad } from '../../../server/cluster/open-cluster.ts';
import { ClusterRooms } from '../../../server/rooms/cluster-rooms.ts';
import type { OpenRoom } from '../../../server/rooms/live-room.ts';
import { SPREAD } from '../../../server/rooms/spread-rooms.ts';
import { JournalWriter } from '../../../server/storage/journal-writer.ts';
import type { PlanRecord } from '../../../server/storage/record-schemas.ts';
import { openMemory, StoreError } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { IDLE_ENGINE, registryOptions } from '../../support/registry-options.ts';

const WISH = { name: 'attic', width: 32, height: 24, seed: 1, checkpoint: 'hand', change: {} };
const { lease, firstTickDelay, failed } = LEASE;
const { takeBack } = SPREAD;
const report = REPORT_INTERVAL;
/** Until a room whose owner is away has been taken over and ticks, ms. */
const TAKEN = lease + firstTickDelay + failed;

/** A store that holds plans back while a test wants it, or cannot be read. */
class SlowStore extends Store {
  isBroken = false;
  private held: (() => void)[] | undefined;

  override async putPlan(plan: PlanRecord): Promise<void> {
    await this.wait();
    await super.putPlan(plan);
  }

  override async room(...of: Parameters<Store['room']>): ReturnType<Store['room']> {
    if (this.isBroken) throw new StoreError('damaged', 'it cannot be read');
    return super.room(...of);
  }

  hold(): void {
    this.held = [];
  }

  go(): void {
    for (const go of this.held ?? []) go();
    this.held = undefined;
  }

  private async wait(): Promise<void> {
    await (this.held && new Promise<void>((resolve) => this.held!.push(resolve)));
  }
}

function openCluster() {
  const clock = new FakeClock();
  const memory = new MemoryCluster<never>(() => clock.now());
  const records = openMemory();
  const loads = new Map<string, NodeLoad>();
  const openServer = (holder: string) => {
    /** Whether the lease store answers this server. */
    const link = { isUp: true };
    const through = <T>(call: () => Promise<T>): Promise<T> =>
      link.isUp ? call() : Promise.reject(new Error('no answer'));
    const remote: LeaseStore = {
      acquire: (...of) => through(() => memory.acquire(...of)),
      renew: (...of) => through(() => memory.renew(...of)),
      release: (...of) => through(() => memory.release(...of)),
    };
    const leases: RoomLeases = new RoomLeases({
      ...{ leases: remote, holder, clock },
      onEnd: (room) => void rooms.stopForLostLease(room),
    });
    const store = new SlowStore(records);
    const options = registryOptions(store, clock, async () => {});
    const { date, ticker } = options;
    const journalWriter = new JournalWriter({
      ...{ store, engine: IDLE_ENGINE, clock, date, snapshotLeast: 1_000 },
      warn: () => {},
    });
    const rooms = new ClusterRooms({
      ...{ ...options, leases, runsRooms: true },
      report: async (load) => {
        if (!link.isUp) {
          loads.delete(load.node);
          throw new Error('no answer');
        }
        loads.set(load.node, load);
        const others = [...loads.values()].filter(({ node }) => node !== load.node);
        if (load.node !== 'a') return others;
        // To this server, others seem to take rooms for as long as they have reported at all.
        const TAKES = { role: 'both', draining: false } as NodeLoad['server'];
        return others.map((one) => {
          const { server = TAKES } = one;
          return { ...one, server, followed: server?.draining ? [] : ['attic', 'cellar'] };
        });
      },
      describe: () => ({
        ...{ name: holder, role: 'both' as const, version: '1', since: 0 },
        ...{ tick: null, latency: null, viewers: [] },
      }),
      refresh: async () => {},
      storage: { store, journalWriter, aside: undefined },
    });
    afterTest(async () => {
      rooms.stopStandby();
      await ticker.stop();
    });
    return { rooms, leases, link, store };
  };
  return { clock, openServer };
}

const reasonOf = (work: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'none',
      (error: { reason?: string; message: string }) => error.reason ?? error.message,
    );

type Server = ReturnType<ReturnType<typeof openCluster>['openServer']>;

/** Time goes on until a server runs the room; opening it is work that takes real time too. */
async function untilRuns({ rooms }: Server, clock: FakeClock, name = 'attic'): Promise<OpenRoom> {
  for (;;) {
    if (rooms.isLeader && rooms.roomServers.has(name)) return rooms.requireOpen(name);
    await clock.advance(100);
    await new Promise((go) => setImmediate(go));
  }
}

async function openPair() {
  const cluster = openCluster();
  const [a, b] = [cluster.openServer('a'), cluster.openServer('b')];
  for (const { rooms } of [a, b]) await rooms.start([]);
  await a.rooms.create(WISH);
  await cluster.clock.advance(TAKEN);
  return { ...cluster, a, b };
}

test('when the host has closed the only room, all servers are ready', async () => {
  const { a, b, clock } = await openPair();
  await a.rooms.close('attic');
  await clock.advance(TAKEN);
  expect(await reasonOf(() => b.rooms.requireOpen('attic'))).toBe('room-closed');
  expect([a.rooms.isLeader, b.rooms.isLeader]).toEqual([true, true]);
  await b.rooms.open('attic');
  expect([a.rooms.isLeader, b.rooms.isLeader]).toEqual([true, true]);
  await clock.advance(TAKEN);
  expect([a.rooms.isLeader, b.rooms.isLeader]).toEqual([false, true]);
});

test('a room that a server is not allowed to create does not open there later', async () => {
  const { a, b, clock } = await openPair();
  // Another server creates it: it has the lease, but its plan is not stored yet.
  expect(await a.leases.acquire('cellar')).toBeInstanceOf(Lease);
  expect(await reasonOf(() => b.rooms.create({ ...WISH, name: 'cellar' }))).toBe('elsewhere');
  expect(b.rooms.names).toEqual(['attic']);
  await a.leases.release('cellar');
  await clock.advance(TAKEN);
  expect(b.rooms.names).toEqual(['attic']);
  b.link.isUp = false;
  expect(await reasonOf(() => b.rooms.create({ ...WISH, name: 'cellar' }))).toBe('unreachable');
  expect(b.rooms.names).toEqual(['attic']);
});

test('a room whose lease has ended does not go on under a new one, whatever waits for it', async () => {
  const { a, b, clock } = await openPair();
  const before = a.rooms.requireOpen('attic');
  // A change waits for the store, and the host closes the room meanwhile.
  a.store.hold();
  const change = reasonOf(() => a.rooms.change('attic', { capacity: 7 }));
  await clock.advance(1);
  const closing = reasonOf(() => a.rooms.close('attic'));
  a.link.isUp = false;
  await untilRuns(b, clock);
  // The other one gives it up before this one gets on.
  b.rooms.stopStandby();
  await b.leases.release('attic');
  a.link.isUp = true;
  a.store.go();
  expect([await change, await closing]).toEqual(['none', 'elsewhere']);
  expect(await untilRuns(a, clock)).not.toBe(before);
});

test('a server that is too busy gives a room to one that is less busy', async () => {
  const { a, b, clock } = await openPair();
  await a.rooms.create({ ...WISH, name: 'cellar' });
  const busy = (name: string, awake: number): void => {
    Object.defineProperty(a.rooms.requireOpen(name).room, 'awake', { value: awake });
  };
  busy('attic', 2_000);
  busy('cellar', 1_000);
  const { tick } = (await untilRuns(b, clock, 'cellar')).room;
  expect(tick).toBe(0);
  // The one that gave it does not take it back.
  await clock.advance(TAKEN);
  expect(b.rooms.requireOpen('cellar').room.name).toBe('cellar');
  // The host sees which server could take a room over at once.
  const { servers } = await a.rooms.servers();
  expect(servers.map(({ name, followed }) => [name, followed])).toEqual([
    ['a', ['cellar']],
    ['b', ['attic']],
  ]);
  expect(a.rooms.requireOpen('attic').room.name).toBe('attic');
  expect(await reasonOf(() => a.rooms.requireOpen('cellar'))).toBe('elsewhere');
});

test('a drained server gives all its rooms to another and takes none while that one runs them', async () => {
  const { a, b, clock } = await openPair();
  await a.rooms.create({ ...WISH, name: 'cellar' });
  await a.rooms.spread.drain();
  const stateOf = async (name: string, by = b) => {
    const { servers } = await by.rooms.servers();
    return servers.find((one) => one.name === name);
  };
  const holds = async (): Promise<boolean> => {
    const { rooms = [], leaving = [] } = (await stateOf('a', a)) ?? {};
    return rooms.length + leaving.length > 0;
  };
  while (await holds()) {
    await clock.advance(100);
    await new Promise((go) => setImmediate(go));
  }
  // Whoever stops it now stops no room.
  expect([...b.rooms.roomServers.keys()].sort()).toEqual(['attic', 'cellar']);
  await Promise.all([untilRuns(b, clock), untilRuns(b, clock, 'cellar')]);
  await clock.advance(2 * report);
  expect(await stateOf('a')).toMatchObject({ draining: true, rooms: [] });
  expect((await stateOf('b'))?.rooms.map(({ name, epoch }) => [name, epoch])).toEqual([
    ['attic', 2],
    ['cellar', 2],
  ]);
  // Nobody else is left for what the other one runs, and a new room is for the other one.
  expect(await reasonOf(() => b.rooms.spread.drain())).toBe('nobody-takes-over');
  expect(await stateOf('b')).toMatchObject({ draining: false });
  expect(await reasonOf(() => a.rooms.create({ ...WISH, name: 'shed' }))).toBe('elsewhere');
  expect(a.rooms.ledElsewhere('attic')).toBe('cellar');
  await clock.advance(2 * takeBack);
  expect([...a.rooms.roomServers.keys()]).toEqual([]);
  b.link.isUp = false;
  await Promise.all([untilRuns(a, clock), untilRuns(a, clock, 'cellar')]);
  await clock.advance(report);
  const { draining, rooms } = (await stateOf('a', a))!;
  expect([draining, rooms.map(({ name, kept }) => [name, kept])]).toEqual([
    true,
    [
      ['attic', true],
      ['cellar', true],
    ],
  ]);
});

test('each server has a place of its own by its name, also while another one restarts', async () => {
  const { a, b, clock } = await openPair();
  await clock.advance(2 * report);
  expect([a.rooms.place, b.rooms.place]).toEqual([0, 1]);
  a.link.isUp = false;
  await clock.advance(4 * report);
  expect(b.rooms.place).toBe(1);
});

test('a room goes on after what was shown of it, also if the first to take it over cannot open it', async () => {
  const { a, b, clock, openServer } = await openPair();
  const shown = a.rooms.requireOpen('attic').room.tick;
  // Its owner is cut off, and who takes the room over cannot open it, until it gives up.
  a.link.isUp = false;
  b.store.isBroken = true;
  await clock.advance(TAKEN);
  await clock.advance(TAKEN);
  b.rooms.stopStandby();
  const c = openServer('c');
  await c.rooms.start([]);
  const { room } = await untilRuns(c, clock);
  expect(room.tick).toBeGreaterThan(shown);
  // It has skipped them once: what the host puts back later begins where it was.
  await c.rooms.exchange('attic', async () => async () => {});
  expect(c.rooms.requireOpen('attic').room.tick).toBe(room.tick);
  // A room that was closed in good order is known to the last tick.
  await c.rooms.close('attic');
  const d = openServer('d');
  await d.rooms.start([]);
  await d.rooms.open('attic');
  expect(d.rooms.requireOpen('attic').room.tick).toBe(room.tick);
});
