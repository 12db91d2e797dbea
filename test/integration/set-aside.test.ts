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
const SETTINGS = {
  ...{ rooms: 'a,b', size: '96x96', energy: 'off', attract: 'off', 'tick-rate': 60 },
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
  for (const room of ['a', 'b']) {
    const visitor = await Visitor.join(server.port, room);
    for (const x of [16, 48, 80]) await visitor.ask('plant', { x, y: 48, seed: { from: 'prior' } });
    await visitor.until(() => visitor.tick! > 90);
    visitor.leave();
  }
  await server.close();
  // These journal entries come after the last snapshot.
  const own = { data: base, snapshot: 3_600, port: 0, host: '127.0.0.1' };
  const again = new ServerProcess(flagsOf({ ...SETTINGS, ...own }));
  const later = await again.alive();
  for (const room of ['a', 'b']) {
    const visitor = await Visitor.join(later, room);
    for (let i = 0; i < 4; i++) await visitor.ask('damage', { radius: 2, points: [16, 40 + i] });
    visitor.leave();
  }
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

const records =
  (prefix: string, how: 'flip' | 'remove', which: (keys: string[]) => string[] = (keys) => keys) =>
  (folder: string) =>
    spoil(folder, (table) => {
      const keys = which(keysOf(table, prefix));
      if (how === 'flip') flip(table, keys);
      else table.write({ remove: keys });
    });

const last = (keys: string[]): string[] => keys.slice(-1);
const first = (keys: string[]): string[] => keys.slice(0, 1);
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

type Outcome =
  /** The room is as it was. */
  | 'same'
  /** It is as it was, and a damaged record is missing. */
  | 'said'
  /** It was opened with its last whole snapshot. */
  | 'snapshot'
  /** It starts empty. */
  | 'empty'
  /** What could be read is kept. */
  | 'file';

const DRILLS: Readonly<Record<string, readonly [Outcome, (folder: string) => unknown]>> = {
  'the last snapshot is damaged': ['same', records('state/a/', 'flip', last)],
  'the last snapshot lacks its cells': ['same', records('cells/a/', 'remove', last)],
  'every snapshot is damaged': ['empty', records('state/a/', 'flip')],
  'every snapshot is missing': ['empty', records('snapshot/a/', 'remove')],
  // The first snapshot has none, and the journal reaches back to it.
  'all cells are damaged': ['same', records('cells/a/', 'flip')],
  'the last journal entry is damaged': ['snapshot', records('journal/a/', 'flip', last)],
  'the last journal entry is missing': ['snapshot', records('journal/a/', 'remove', last)],
  'the first journal entry is damaged': ['said', records('journal/a/', 'flip', first)],
  'every journal entry is damaged': ['snapshot', records('journal/a/', 'flip')],
  'checksums are damaged': ['said', records('mark/a/', 'flip')],
  'the end of the journal is damaged': ['snapshot', records('tail/a', 'flip')],
  'the end of the journal is missing': ['snapshot', records('tail/a', 'remove')],
  "the room's own record is damaged": ['same', records('room/a', 'flip')],
  "the room's own record and the copy are damaged": [
    'empty',
    async (folder) => {
      await records('room/a', 'flip')(folder);
      rmSync(join(folder, 'essentials'));
    },
  ],
  "the host's token is damaged": ['same', records('house/token', 'flip')],
  'the file ends early': ['file', bytes((all) => all.subarray(0, Math.floor(all.length * 0.6)))],
  'the file is empty': ['file', bytes(() => '')],
  'the file is missing': ['file', (folder) => rmSync(file(folder))],
  'the file is something else': ['file', bytes(() => 'Hello.')],
  'the beginning of the file is zero': ['file', bytes((all) => all.fill(0, 0, 8_192))],
  'pages of the file are noise': ['file', bytes(noise)],
  'the log is damaged': [
    'file',
    (folder) => {
      const log = join(folder, 'write-ahead.log');
      writeFileSync(log, readFileSync(log).with(20, 0xff));
    },
  ],
  'the lock file is something else': [
    'same',
    (folder) => writeFileSync(join(folder, 'lock.mdb'), 'Hello.'),
  ],
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

/** One of each kind, which take their time. */
const FEW = [
  'every snapshot is damaged',
  'the last journal entry is damaged',
  'checksums are damaged',
  "the room's own record is damaged",
  'pages of the file are noise',
];
const drills = Object.entries(DRILLS).filter(([name]) => isFull || FEW.includes(name));

test.each(drills)(
  'when %s, the server serves and says so',
  async (name, [outcome, damage]) => {
    const folder = copyOf(name);
    await damage(folder);
    const begin = performance.now();
    const { server, log } = await open(folder);
    const visitor = await Visitor.join(server.port, 'a');
    expect(performance.now() - begin).toBeLessThan(SERVING * generousTimeout());
    const host = await HostClient.login(server.port, token);
    const { aside } = await host.call('state');
    const whats = aside.map(({ what, room }) => `${what} ${room}`);
    expect(log.has('set-aside')).toBe(outcome !== 'same');
    if (outcome !== 'same') {
      expect(existsSync(join(folder, 'set-aside', aside[0].id, 'data.mdb'))).toBe(true);
    }
    if (outcome === 'said') expect(whats).toEqual(['records a']);
    if (outcome === 'snapshot' || outcome === 'empty') {
      expect(whats).toEqual(['room a']);
      expect(aside[0].tick === null).toBe(outcome === 'empty');
    }
    if (outcome === 'file') expect(whats.at(-1)).toBe('file null');
    else {
      expect(sizeOf(server, 'a')).toBe(outcome === 'empty' ? 0 : PLANTED);
      expect(sizeOf(server, 'b')).toBe(PLANTED);
      const restored = log.lines.filter(({ sentence }) =>
        sentence.startsWith('Room "b" is restored: 3 organisms'),
      );
      expect(restored).toHaveLength(1);
    }
    await visitor.plant(48, 16, { from: 'prior' });
    visitor.leave();
    await server.close();
    // What was set aside is not damaged data of the next start.
    await (await openSound(folder)).close();
  },
  240_000,
);

test('the host puts a room back, in exchange for the present one, or dismisses it', async () => {
  const folder = copyOf('put-back');
  await records('tail/a', 'flip')(folder);
  const { server } = await open(folder);
  const host = await HostClient.login(server.port, token);
  const [entry] = (await host.call('state')).aside;
  expect(entry).toMatchObject({ room: 'a', what: 'room', tick: expect.any(Number) });
  // It is still damaged: the room keeps what it has.
  const { size } = server.world.rooms.get('a')!;
  expect(await host.refusal('putBack', {}, { aside: entry.id })).toBe('failed');
  expect(server.world.rooms.get('a')!.size).toBe(size);
  // Somebody has repaired it.
  const archive = join(folder, 'set-aside', entry.id);
  await spoil(archive, (table) => flip(table, ['tail/a']));
  const visitor = await Visitor.join(server.port, 'a');
  await visitor.ask('plant', { x: 48, y: 16, seed: { from: 'prior' } });
  await host.call('putBack', {}, { aside: entry.id });
  expect(sizeOf(server, 'a')).toBe(PLANTED);
  const [replaced, ...others] = (await host.call('state')).aside;
  expect(others).toEqual([]);
  expect(replaced).toMatchObject({ room: 'a', what: 'replaced' });
  await host.call('closeRoom', {}, { room: 'a' });
  await host.call('putBack', {}, { aside: replaced.id });
  expect(sizeOf(server, 'a')).toBe(PLANTED + 1);
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
  expect(sizeOf(again.server, 'a')).toBe(PLANTED + 1);
});

test('data of another version or size are refused all the same', async () => {
  const other = copyOf('size');
  await expect(
    startServer({ ...SETTINGS, data: other, size: '128x128', 'on-damage': 'set-aside' }),
  ).rejects.toMatchObject({ reason: 'other-size' });
  const later = copyOf('later');
  await spoil(later, (table) => {
    const [key] = keysOf(table, 'tail/a');
    table.write({ put: [{ key, bytes: table.get(key)!.with(0, 2) }] });
  });
  await expect(open(later)).rejects.toMatchObject({ reason: 'other-version' });
  expect(existsSync(join(later, 'set-aside'))).toBe(false);
});
