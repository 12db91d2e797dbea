/** The contract of leases and the fenced log, which Valkey and the model's memory keep alike. */
import {
  type FencedLog,
  LEASE,
  Lease,
  type LeaseStore,
  RoomLeases,
} from '../../../server/cluster/lease.ts';
import { openCluster, reportLoad, valkeyLeases } from '../../../server/cluster/open-cluster.ts';
import { RECORD_PREFIX, ValkeyConnection } from '../../../server/cluster/valkey-connection.ts';
import {
  LogFull,
  Prepared,
  RECORD_LIMITS,
  ValkeyLog,
} from '../../../server/cluster/valkey-records.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { describeNeeding } from '../../support/needs.ts';
import { hasValkey, ValkeyServer } from '../../support/valkey.ts';

/** Writes are words; the last one that took effect can be read. */
interface Home {
  readonly leases: LeaseStore;
  readonly log: FencedLog<string>;
  last(room: string): Promise<string | undefined>;
  /** Lets a lease end that nobody renews. */
  lapse(): Promise<void>;
  close(): unknown;
}

const memory = async (): Promise<Home> => {
  let now = 0;
  const cluster = new MemoryCluster<string>(() => now);
  return {
    leases: cluster,
    log: cluster,
    last: async (room) => cluster.writesOf(room).at(-1)?.write,
    lapse: async () => {
      now += LEASE.lease;
    },
    close: () => {},
  };
};

/** One for all tests, which is emptied before each. */
let shared: ValkeyServer | undefined;
afterAll(() => shared?.remove());
const emptied = async (): Promise<ValkeyServer> => {
  shared ??= await ValkeyServer.start();
  const connection = await ValkeyConnection.open(shared.url, systemClock);
  await connection.ask('FLUSHALL');
  connection.close();
  return shared;
};

const valkey = async (): Promise<Home> => {
  const server = await emptied();
  const connection = await ValkeyConnection.open(server.url, systemClock);
  const valkeyLog = new ValkeyLog(connection);
  return {
    leases: valkeyLeases(connection),
    log: {
      write: (room, position, word) => {
        const change = { key: `tail/${room}`, bytes: Buffer.from(word) };
        return valkeyLog.write(room, position, new Prepared([change], connection));
      },
    },
    last: async (room) => {
      const bytes = await connection.ask('GET', `${RECORD_PREFIX}tail/${room}`);
      return bytes === null ? undefined : `${bytes}`;
    },
    // As its clock does; waiting for it would take three seconds a time.
    lapse: async () =>
      void (await connection.ask('DEL', 'vivarium:lease:garden', 'vivarium:heir:garden')),
    close: () => connection.close(),
  };
};

for (const [name, open] of Object.entries({ memory, valkey }))
  describeNeeding('Valkey', name === 'memory' || hasValkey)(
    `${name} keeps the contract of leases and the fenced log`,
    () => {
      let home: Home;
      beforeEach(async () => {
        home = await open();
      });
      afterEach(() => home.close());

      test('one holder has a room at a time, and each gets a new epoch', async () => {
        const { leases } = home;
        const first = { epoch: 1, isReleased: true, renewals: 0 };
        expect(await leases.acquire('garden', 'a')).toEqual(first);
        expect(await leases.acquire('garden', 'b')).toEqual({ renewals: 1 });
        expect(await leases.acquire('garden', 'a')).toEqual({ renewals: 1 });
        expect(await leases.acquire('meadow', 'b')).toEqual(first);
        expect(await leases.renew('garden', 'a', 1)).toBe(true);
        expect(await leases.renew('garden', 'b', 1)).toBe(false);
        await leases.release('garden', 'b', 1, { isStored: true });
        expect(await leases.acquire('garden', 'b')).toEqual({ renewals: 2 });
        await leases.release('garden', 'a', 1, { isStored: true });
        expect(await leases.renew('garden', 'a', 1)).toBe(false);
        const second = { epoch: 2, isReleased: true, renewals: 2 };
        expect(await leases.acquire('garden', 'b')).toEqual(second);
      });

      test('who finds a lease that has ended is told that its holder has not given it up', async () => {
        const { leases } = home;
        await leases.acquire('garden', 'a');
        await home.lapse();
        expect(await leases.renew('garden', 'a', 1)).toBe(false);
        const second = { epoch: 2, isReleased: false, renewals: 1 };
        expect(await leases.acquire('garden', 'a')).toEqual(second);
        expect(await leases.renew('garden', 'a', 1)).toBe(false);
        await leases.release('garden', 'a', 1, { isStored: true });
        expect(await leases.renew('garden', 'a', 2)).toBe(true);
      });

      test('who knows that nobody has renewed a lease for long acquires it before it ends', async () => {
        const { leases } = home;
        await leases.acquire('garden', 'a');
        await leases.renew('garden', 'a', 1);
        expect(await leases.acquire('garden', 'b', 1)).toEqual({ renewals: 2 });
        const second = { epoch: 2, isReleased: false, renewals: 2 };
        expect(await leases.acquire('garden', 'b', 2)).toEqual(second);
        expect(await leases.renew('garden', 'a', 1)).toBe(false);
        await leases.release('garden', 'a', 1, { isStored: true });
        expect(await leases.renew('garden', 'b', 2)).toBe(true);
        expect(await leases.acquire('garden', 'a', 2)).toEqual({ renewals: 4 });
      });

      test('who has not stored all gives a room up at once, and that is told', async () => {
        const { leases } = home;
        await leases.acquire('garden', 'a');
        await leases.release('garden', 'a', 1, { isStored: false });
        const second = { epoch: 2, isReleased: false, renewals: 1 };
        expect(await leases.acquire('garden', 'b')).toEqual(second);
        await leases.release('garden', 'b', 2, { isStored: true });
        expect(await leases.acquire('garden', 'c')).toMatchObject({ epoch: 3, isReleased: true });
      });

      test('a room that is given to somebody waits for them', async () => {
        const { leases } = home;
        await leases.acquire('garden', 'a');
        await leases.release('garden', 'a', 1, { isStored: true, heir: 'c' });
        expect(await leases.acquire('garden', 'b')).toEqual({ renewals: 1 });
        expect(await leases.acquire('garden', 'c')).toMatchObject({ epoch: 2, isReleased: true });
        await leases.release('garden', 'c', 2, { isStored: true, heir: 'gone' });
        await home.lapse();
        expect(await leases.acquire('garden', 'b')).toMatchObject({ epoch: 3, isReleased: true });
      });

      test('only writes of the latest epoch take effect, each once', async () => {
        const { leases, log } = home;
        expect(await log.write('garden', { epoch: 1, number: 1 }, 'early')).toBe(false);
        await leases.acquire('garden', 'a');
        expect(await log.write('garden', { epoch: 1, number: 1 }, 'one')).toBe(true);
        expect(await log.write('garden', { epoch: 1, number: 2 }, 'two')).toBe(true);
        expect(await log.write('garden', { epoch: 1, number: 1 }, 'one, repeated')).toBe(true);
        expect(await home.last('garden')).toBe('two');
        await home.lapse();
        expect(await log.write('garden', { epoch: 1, number: 3 }, 'three')).toBe(true);
        await leases.acquire('garden', 'b');
        expect(await log.write('garden', { epoch: 1, number: 4 }, 'four')).toBe(false);
        expect(await home.last('garden')).toBe('three');
        expect(await log.write('garden', { epoch: 2, number: 1 }, 'new')).toBe(true);
        expect(await home.last('garden')).toBe('new');
      });
    },
  );

describeNeeding('Valkey', hasValkey)('a room in Valkey', () => {
  let server: ValkeyServer;
  let connection: ValkeyConnection;
  beforeEach(async () => {
    server = await ValkeyServer.start();
    connection = await ValkeyConnection.open(server.url, systemClock);
    await valkeyLeases(connection).acquire('garden', 'a');
  });
  afterEach(async () => {
    connection.close();
    await server.remove();
  });
  const write = (number: number, bytes: Uint8Array, key = 'state/garden/1') => {
    const prepared = new Prepared([{ key, bytes }], connection);
    return new ValkeyLog(connection).write('garden', { epoch: 1, number }, prepared);
  };

  test('what is large comes in parts, which nobody sees before it is whole', async () => {
    const large = Uint8Array.from({ length: 3_500_000 }, (_, i) => i * 7);
    expect(await write(1, large)).toBe(true);
    const stored = (await connection.ask('GET', `${RECORD_PREFIX}state/garden/1`)) as Buffer;
    expect(Buffer.compare(stored, large)).toBe(0);
    expect(await connection.ask('TTL', `${RECORD_PREFIX}state/garden/1`)).toBe(-1);
    expect(await connection.ask('KEYS', 'vivarium:part:*')).toEqual([]);
    // Its parts are there, but the epoch is over.
    await connection.ask('HSET', 'vivarium:fence:garden', 'epoch', 2);
    expect(
      await write(
        2,
        large.map((byte) => byte + 1),
      ),
    ).toBe(false);
    expect(await connection.ask('GET', `${RECORD_PREFIX}state/garden/1`)).toEqual(stored);
    const [part] = (await connection.ask('KEYS', 'vivarium:part:*')) as Buffer[];
    expect(await connection.ask('TTL', part)).toBeGreaterThan(0);
  });

  test('a write whose parts have been lost changes nothing, and has new parts when it is repeated', async () => {
    const changes = [1, 2].map((n) => ({
      ...{ key: `state/garden/${n}`, bytes: new Uint8Array(1_200_000).fill(n) },
    }));
    const prepared = new Prepared(changes, connection);
    const log = new ValkeyLog(connection);
    await prepared.upload();
    const lost = prepared.partOf(1)!;
    await connection.ask('DEL', lost);
    const position = { epoch: 1, number: 1 };
    await expect(log.write('garden', position, prepared)).rejects.toThrow(/lost/);
    expect(await connection.ask('KEYS', `${RECORD_PREFIX}*`)).toEqual([]);
    expect(await log.write('garden', position, prepared)).toBe(true);
    // As a command would do that was on its way all the time.
    expect(prepared.partOf(1)).not.toBe(lost);
    const stored = await connection.ask('GET', `${RECORD_PREFIX}state/garden/2`);
    expect(Buffer.compare(stored as Buffer, changes[1].bytes)).toBe(0);
  });

  test('a room takes so many bytes, and no more', async () => {
    const { roomBytes } = RECORD_LIMITS;
    await connection.ask('HSET', 'vivarium:fence:garden', 'bytes', roomBytes - 100);
    expect(await write(1, new Uint8Array(100))).toBe(true);
    await expect(write(2, new Uint8Array(101))).rejects.toBeInstanceOf(LogFull);
    // What makes room is always taken.
    expect(await write(2, new Uint8Array(50))).toBe(true);
    expect(await write(3, new Uint8Array(50), 'state/garden/2')).toBe(true);
  });

  test('a Valkey that is full takes no more, and says so', async () => {
    await connection.ask('CONFIG', 'SET', 'maxmemory', 1);
    await expect(write(1, new Uint8Array(10))).rejects.toBeInstanceOf(LogFull);
    expect(await valkeyLeases(connection).renew('garden', 'a', 1)).toBe(true);
  });

  test('nothing counts as written that is not on the disk', async () => {
    await connection.ask('CONFIG', 'SET', 'appendonly', 'no');
    await expect(write(1, new Uint8Array(10))).rejects.toThrow();
  });

  test('why a room does not run is told in one sentence', async () => {
    const cluster = await openCluster(server.url, systemClock, silentLog);
    const { roomBytes } = RECORD_LIMITS;
    await connection.ask('HSET', 'vivarium:fence:pond', 'bytes', roomBytes);
    expect(await cluster.leases.acquire('pond')).toBeInstanceOf(Lease);
    const write = { put: [{ key: 'tail/pond', bytes: new Uint8Array(1) }] };
    await expect(cluster.records.write(write)).rejects.toMatchObject({ reason: 'not-owner' });
    const why =
      'Room "pond" cannot run on this server: The room needs more than the allowed 256 MiB in Valkey.';
    expect([...cluster.refused()]).toEqual([['pond', why]]);
    await cluster.records.close();
  });

  test('processes hear from one another what they carry', async () => {
    const [a, b] = ['a', 'b'].map((node) => ({ node, rooms: { garden: 7 }, followed: ['attic'] }));
    const report = reportLoad(connection);
    expect(await report(a)).toEqual([]);
    expect(await report(b)).toEqual([a]);
    await connection.ask('DEL', 'vivarium:node:b');
    expect(await report(a)).toEqual([]);
    expect(await connection.ask('SMEMBERS', 'vivarium:nodes')).toHaveLength(1);
  });

  test('an owner whose writes Valkey refuses stops, and is told why, instead of trying for ever', async () => {
    await connection.ask('ACL', 'SETUSER', 'default', '-waitaof');
    const log = new ValkeyLog(connection);
    const refused: string[] = [];
    const leases = new RoomLeases({
      ...{ leases: valkeyLeases(connection), holder: 'b', clock: systemClock },
      ...{
        onEnd: () => {},
        onRefused: (room: string, why: string) => void refused.push(`${room}: ${why}`),
      },
    });
    const lease = await leases.acquire('meadow');
    if (!(lease instanceof Lease)) throw new Error(lease);
    const change = { key: 'tail/meadow', bytes: new Uint8Array(1) };
    const written = lease.write(log, new Prepared([change], connection));
    await expect(written).rejects.toThrow(/NOPERM/);
    expect(lease.isHeld).toBe(false);
    // Nor does it take over what it is not allowed to.
    await connection.ask('ACL', 'SETUSER', 'default', '+waitaof');
    await connection.ask('CONFIG', 'SET', 'maxmemory', 1);
    expect(await leases.acquire('pond')).toBe('no-answer');
    expect(refused).toEqual([expect.stringMatching(/^pond: OOM /)]);
    expect(leases.mayTakeOver('pond')).toBe(true);
    leases.holdOff('pond', LEASE.refused);
    expect(leases.mayTakeOver('pond')).toBe(false);
  });
});
