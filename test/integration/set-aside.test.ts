/** Restore drills: with `--on-damage set-aside`, a server with damaged data serves, and says so. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { openSound } from '../../server/storage/lmdb/open.ts';
import { openTable, type Table } from '../../server/storage/lmdb/table.ts';
import { createRandom } from '../../shared/random.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { LogRecorder } from '../support/receivers.ts';
import { PACE, startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { generousTimeout } from '../support/waiting.ts';

/** Longest time until a server with damaged data serves, ms. */
const SERVING = 10_000;

type Outcome =
  /** The room is as it was. */
  | 'same'
  /** The room is as it was, and lacks a damaged record. */
  | 'said'
  /** The room was opened with its last whole snapshot. */
  | 'snapshot'
  /** The room starts empty. */
  | 'empty';

const last = (keys: string[]): string[] => keys.slice(-1);
const first = (keys: string[]): string[] => keys.slice(0, 1);
const all = (keys: string[]): string[] => keys;

/** Damage to records of one room: what comes of it, the records' prefix, the damage, and to which of them. */
const DAMAGES: Readonly<Record<string, readonly [Outcome, string, 'flip' | 'remove', typeof all]>> =
  {
    'every snapshot is damaged': ['empty', 'state/', 'flip', all],
    'the last journal entry is damaged': ['snapshot', 'journal/', 'flip', last],
    'checksums are damaged': ['said', 'mark/', 'flip', all],
    'its own record is damaged': ['same', 'room/', 'flip', all],
    'the last snapshot is damaged': ['same', 'state/', 'flip', last],
    'the last snapshot lacks its cells': ['same', 'cells/', 'remove', last],
    'every snapshot is missing': ['empty', 'snapshot/', 'remove', all],
    // The first snapshot has none, and the journal reaches back to it.
    'all cells are damaged': ['same', 'cells/', 'flip', all],
    'the last journal entry is missing': ['snapshot', 'journal/', 'remove', last],
    'the first journal entry is damaged': ['said', 'journal/', 'flip', first],
    'every journal entry is damaged': ['snapshot', 'journal/', 'flip', all],
    'the end of the journal is damaged': ['snapshot', 'tail/', 'flip', all],
    'the end of the journal is missing': ['snapshot', 'tail/', 'remove', all],
    'statistics are damaged': ['said', 'counted/', 'flip', all],
  };
/** `npm test` tries the first four, one with each outcome. */
const damages = Object.entries(DAMAGES).slice(0, isFull ? undefined : 4);
/** Rooms: one for each damage, and `whole`. */
const ROOMS = [...damages.map((_, i) => String.fromCharCode(97 + i)), 'whole'];

const SETTINGS = {
  ...{ rooms: ROOMS.join(), size: '96x96', energy: 'off', attract: 'off', 'tick-rate': 60 },
  ...SMALL,
  ...PACE,
} as const;
const scratch = suiteFolder();
const base = join(scratch, 'base');
let token = '';
/** Organisms of each room. */
const PLANTED = 3;

beforeAll(async () => {
  const server = await startServer({ ...SETTINGS, data: base, snapshot: 0.2 });
  token = server.hostToken!;
  const visit = (port: number, act: (visitor: Visitor) => Promise<unknown>) =>
    Promise.all(
      ROOMS.map(async (room) => {
        const visitor = await Visitor.join(port, room);
        await act(visitor);
        visitor.leave();
      }),
    );
  await visit(server.port, async (visitor) => {
    for (const x of [16, 48, 80]) await visitor.ask('plant', { x, y: 48, seed: { from: 'prior' } });
    await visitor.until(() => visitor.tick! > 90);
  });
  await server.close();
  // These journal entries come after the last snapshot.
  const own = { data: base, snapshot: 3_600, port: 0, host: '127.0.0.1' };
  const again = new ServerProcess(flagsOf({ ...SETTINGS, ...own }));
  await visit(await again.alive(), async (visitor) => {
    for (let i = 0; i < 4; i++) await visitor.ask('damage', { radius: 2, points: [16, 40 + i] });
  });
  await again.end('SIGKILL');
}, 300_000);

/** Changes the records of a copy. */
function spoil(folder: string, work: (table: Table) => void): Promise<void> {
  const table = openTable(folder);
  work(table);
  return table.close();
}

const keysOf = (table: Table, prefix: string): string[] =>
  table.keys({ from: prefix, to: `${prefix}~` });

const flip = (table: Table, keys: readonly string[]): void => {
  for (const key of keys) {
    const bytes = table.get(key)!;
    bytes[Math.floor(bytes.length / 2) + 3] ^= 4;
    table.write({ put: [{ key, bytes }] });
  }
};

const file = (folder: string): string => join(folder, 'data.mdb');

/** Changes the bytes of the file. */
const bytes = (work: (bytes: Buffer) => Uint8Array | string) => (folder: string) =>
  writeFileSync(file(folder), work(readFileSync(file(folder))));

/** Makes noise of many pages of a file. */
function noise(bytes: Buffer): Buffer {
  const random = createRandom(20261127);
  for (let page = 4; page < bytes.length / 4_096; page += 3) {
    for (let i = 0; i < 4_096; i += 7) bytes[4_096 * page + i] = random.integer(256);
  }
  return bytes;
}

/** Damage to a whole folder. */
const DRILLS: Readonly<Record<string, (folder: string) => unknown>> = {
  'pages of the file are noise': bytes(noise),
  'the file ends early': bytes((whole) => whole.subarray(0, Math.floor(whole.length * 0.6))),
  'the file is empty': bytes(() => ''),
  'the file is missing': (folder) => rmSync(file(folder)),
  'the file is something else': bytes(() => 'Hello.'),
  'the beginning of the file is zero': bytes((whole) => whole.fill(0, 0, 8_192)),
  'the log is damaged': (folder) => {
    const log = join(folder, 'write-ahead.log');
    writeFileSync(log, readFileSync(log).with(20, 0xff));
  },
};

async function open(data: string) {
  const log = new LogRecorder();
  const server = await startServer({ ...SETTINGS, data, 'on-damage': 'set-aside' }, { log });
  afterTest(() => server.close());
  return { server, log };
}

const copyOf = (name: string): string => {
  const folder = join(scratch, name.replace(/\W+/g, '-'));
  cpSync(base, folder, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  return folder;
};

const sizeOf = (server: VivariumServer, room: string): number => server.world.rooms.get(room)!.size;

/** Opens damaged data. Expects that a room serves soon. @returns what was set aside, for the host */
async function openSoon(folder: string, room: string) {
  const begin = performance.now();
  const { server, log } = await open(folder);
  const visitor = await Visitor.join(server.port, room);
  expect(performance.now() - begin).toBeLessThan(SERVING * generousTimeout());
  await visitor.plant(48, 16, { from: 'prior' });
  visitor.leave();
  const host = await HostClient.login(server.port, token);
  const { aside } = await host.call('state');
  for (const { id } of aside) {
    expect(existsSync(join(folder, 'set-aside', id, 'data.mdb'))).toBe(true);
  }
  return { server, log, aside };
}

/** Expects that what was set aside is not damaged data of the next start. */
async function expectSound(server: VivariumServer, folder: string): Promise<void> {
  await server.close();
  await (await openSound(folder)).close();
}

test(`rooms with damaged records are served, and the host is told: ${damages.map(([name]) => name).join('; ')}`, async () => {
  const folder = copyOf('records');
  await spoil(folder, (table) => {
    for (const [i, [, [, prefix, how, which]]] of damages.entries()) {
      const keys = which(keysOf(table, `${prefix}${ROOMS[i]}`));
      expect(keys.length).toBeGreaterThan(0);
      if (how === 'flip') flip(table, keys);
      else table.write({ remove: keys });
    }
    // The host still signs in.
    flip(table, keysOf(table, 'house/token'));
  });
  // A lock file of another program does no harm.
  writeFileSync(join(folder, 'lock.mdb'), 'Hello.');
  const { server, log, aside } = await openSoon(folder, 'whole');
  const found = damages.map(([name], i) => {
    const of = aside.filter(({ room }) => room === ROOMS[i]);
    const whats = of.map(({ what, tick }) => `${what} ${tick === null ? 'empty' : 'snapshot'}`);
    return [name, whats, sizeOf(server, ROOMS[i])];
  });
  const wanted = { same: [], snapshot: ['room snapshot'], empty: ['room empty'] };
  expect(found).toEqual(
    damages.map(([name, [outcome]]) => [
      name,
      outcome === 'said' ? [expect.stringMatching(/^records /)] : wanted[outcome],
      outcome === 'empty' ? 0 : PLANTED,
    ]),
  );
  expect(log.has('set-aside')).toBe(true);
  const restored = log.lines.filter(({ sentence }) =>
    sentence.startsWith('Room "whole" is restored: 3 organisms'),
  );
  expect(restored).toHaveLength(1);
  await expectSound(server, folder);
}, 240_000);

test.each(Object.entries(DRILLS).slice(0, isFull ? undefined : 1))(
  'when %s, the server serves and says so',
  async (name, damage) => {
    const folder = copyOf(name);
    await damage(folder);
    const { server, aside } = await openSoon(folder, 'whole');
    expect(aside.at(-1)).toMatchObject({ what: 'file', room: null });
    await expectSound(server, folder);
  },
  240_000,
);

test('the host puts a room back, in exchange for the present one, or dismisses it', async () => {
  const [A] = ROOMS;
  const folder = copyOf('put-back');
  await spoil(folder, (table) => flip(table, [`tail/${A}`]));
  const { server } = await open(folder);
  const host = await HostClient.login(server.port, token);
  const [entry] = (await host.call('state')).aside;
  expect(entry).toMatchObject({ room: A, what: 'room', tick: expect.any(Number) });
  // It is still damaged: the room keeps what it has.
  const { size } = server.world.rooms.get(A)!;
  expect(await host.refusal('putBack', {}, { aside: entry.id })).toBe('failed');
  expect(server.world.rooms.get(A)!.size).toBe(size);
  // Somebody has repaired it.
  const archive = join(folder, 'set-aside', entry.id);
  await spoil(archive, (table) => flip(table, [`tail/${A}`]));
  const visitor = await Visitor.join(server.port, A);
  await visitor.ask('plant', { x: 48, y: 16, seed: { from: 'prior' } });
  await host.call('putBack', {}, { aside: entry.id });
  expect(sizeOf(server, A)).toBe(PLANTED);
  const [replaced, ...others] = (await host.call('state')).aside;
  expect(others).toEqual([]);
  expect(replaced).toMatchObject({ room: A, what: 'replaced' });
  await host.call('closeRoom', {}, { room: A });
  await host.call('putBack', {}, { aside: replaced.id });
  expect(sizeOf(server, A)).toBe(PLANTED + 1);
  for (const { id } of (await host.call('state')).aside) {
    await host.call('dismissAside', {}, { aside: id });
    expect(await host.refusal('dismissAside', {}, { aside: id })).toBe('not-aside');
  }
  expect((await host.call('state')).aside).toEqual([]);
  expect(readdirSync(join(folder, 'set-aside')).length).toBeGreaterThan(1);
  visitor.leave();
  await server.close();
  // A room that was closed is open since, also after a restart.
  const again = await open(folder);
  expect(sizeOf(again.server, A)).toBe(PLANTED + 1);
});

test('data of another version or size are refused all the same', async () => {
  const other = copyOf('size');
  await expect(
    startServer({ ...SETTINGS, data: other, size: '128x128', 'on-damage': 'set-aside' }),
  ).rejects.toMatchObject({ reason: 'other-size' });
  const later = copyOf('later');
  await spoil(later, (table) => {
    const [key] = keysOf(table, 'tail/whole');
    table.write({ put: [{ key, bytes: table.get(key)!.with(0, 2) }] });
  });
  await expect(open(later)).rejects.toMatchObject({ reason: 'other-version' });
  expect(existsSync(join(later, 'set-aside'))).toBe(false);
});
