/** `npm run replay`: replays a room's journal and verifies its checksums. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { systemClock } from '../../server/platform/clock.ts';
import {
  type JournalRange,
  readBundle,
  readMiddle,
  readRange,
  writeBundle,
} from '../../server/replay/journal-range.ts';
import { type Moment, runReplay } from '../../server/replay/run-replay.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { JOURNAL } from '../../server/storage/journal-writer.ts';
import { readFolder } from '../../server/storage/lmdb/open.ts';
import { Store } from '../../server/storage/store.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import { suiteFolder } from '../support/closing.ts';
import { copyPlanes } from '../support/compare.ts';
import { SMALL } from '../support/organisms.ts';
import { replayed as replayedBy } from '../support/replay.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const replayed = (...args: string[]) => replayedBy(...args, '--checkpoint', SMALL.checkpoint);

const SIDE = 96;
const scratch = suiteFolder();
const data = join(scratch, 'data');
/** What there was to see at the last tick. */
let seen: { readonly tick: number; readonly planes: Planes };

beforeAll(async () => {
  // Twice: a replay goes over a restart as over anything else.
  for (let start = 0; start < 2; start++) {
    const server = await startServer(
      { data, size: `${SIDE}x${SIDE}`, 'tick-rate': 30, ...SMALL },
      { engineThreads: 2 },
    );
    const visitor = await Visitor.join(server.port);
    await visitor.ask('plant', { x: 30 + 30 * start, y: 40, seed: { from: 'prior' } });
    await visitor.ask('plant', { x: 50, y: 70, seed: { from: 'gallery', index: start } });
    const born = visitor.tick!;
    await visitor.until(() => visitor.tick! > born + 30);
    await visitor.ask('damage', { radius: 6, points: [30, 40, 60, 40] });
    await visitor.until(() => visitor.tick! > born + 40);
    await server.close();
    const [room] = server.world.rooms.values();
    seen = { tick: room.tick, planes: copyPlanes(room.grid.planes) };
    visitor.leave();
  }
});

test('the whole journal is replayed, over a restart, and every checksum matches', async () => {
  const { code, output, errors } = await replayed('garden', '--data', data);
  expect(errors).toBe('');
  expect(output).toMatch(/^Replaying ticks 0 to \d+ of room "garden"/);
  const [, checksums, ticks] =
    /All (\d+) checksums equal the checksums in the journal\. The checksums cover (\d+) ticks\./.exec(
      output,
    )!;
  expect(Number(checksums)).toBeGreaterThanOrEqual(4);
  // Each tick is proven: all but those after the last checksum, before an end.
  const all = Number(/(\d+) ticks in/.exec(output)![1]);
  expect(all - Number(ticks)).toBeLessThanOrEqual(2 * JOURNAL.markTicks);
  expect(code).toBe(0);
});

test('halves that are replayed at once give the result of one replay, wherever the second begins', async () => {
  const store = new Store(await readFolder(data));
  const range = await readRange(store, 'garden', { from: undefined, to: undefined });
  const middle = (await readMiddle(store, range))!;
  await store.close();
  const checkpoint = await loadCheckpoint(SMALL.checkpoint);
  const engine = await createEngine({ checkpoints: [checkpoint] });
  const run = (from?: Moment, wrong: Partial<JournalRange> = {}, on = engine) =>
    runReplay(
      { ...range, ...wrong },
      {
        ...{ engine: on, species: speciesOf(checkpoint), clock: systemClock, middle: from },
        ...{ rate: Number.POSITIVE_INFINITY, every: 1 },
      },
    );
  const whole = await run();
  expect(whole.unequal).toEqual([]);
  expect(await run(middle)).toEqual(whole);
  // Where the first half does not lead: to cells that it does not have, or without what was done.
  const cells = middle.cells.map((states) => states.map((value) => value + 1));
  expect(await run({ ...middle, cells })).toEqual(whole);
  const journal = range.journal.filter(({ tick }) => tick > middle.state.tick);
  const wrong = await run(undefined, { journal });
  expect(wrong.unequal.length).toBeGreaterThan(0);
  expect(await run(middle, { journal })).toEqual(wrong);
  // Where there is memory for only one half.
  const { plant, dispose } = engine;
  const held = new Set<number>();
  let most = 0;
  let limit = Number.POSITIVE_INFINITY;
  // The engine runs calls in order, so each finds the memory that those before it left.
  const scarce = {
    ...engine,
    plant(patches: Parameters<typeof plant>[0]) {
      if (held.size + patches.length > limit) {
        return Promise.reject(new EngineError('out-of-memory'));
      }
      for (const { patch } of patches) held.add(patch);
      most = Math.max(most, held.size);
      return plant(patches);
    },
    dispose(patches: readonly number[]) {
      for (const patch of patches) held.delete(patch);
      return dispose(patches);
    },
  };
  expect(await run(undefined, {}, scarce)).toEqual(whole);
  limit = most;
  expect(await run(middle, {}, scarce)).toEqual(whole);
  expect(held.size).toBe(0);
  await engine.close();
});

test('pictures show the room at that time', async () => {
  const out = join(scratch, 'frames');
  const to = `${seen.tick}`;
  const { code } = await replayed(
    ...['garden', '--data', data, '--from', `${seen.tick - 20}`, '--to', to],
    ...['--export', 'frames', '--every', '10', '--out', out],
  );
  expect(code).toBe(0);
  const files = readdirSync(out).sort();
  expect(files).toHaveLength(3);
  const last = PNG.sync.read(readFileSync(join(out, files[2])));
  const { rgba } = seen.planes;
  const colours = (pixels: Uint8Array) => pixels.filter((_, i) => i % 4 < 3);
  expect(Buffer.compare(colours(last.data), colours(rgba))).toBe(0);
  const moving = join(scratch, 'out.gif');
  await replayed('garden', '--data', data, '--export', 'gif', '--every', '30', '--out', moving);
  const { pages, width } = await sharp(moving, { animated: true }).metadata();
  expect(width).toBe(SIDE);
  expect(pages).toBeGreaterThan(2);
});

test('a replay bundle replays without the data folder it came from; not as a GIF that is too long', async () => {
  const bundle = join(scratch, 'bug.bundle');
  await replayed('garden', '--data', data, '--from', '20', '--bundle', bundle);
  const { code, output } = await replayed(bundle);
  expect(output).toMatch(/ticks 20 to \d+/);
  expect(output).toMatch(
    /checksums equal the checksums in the journal\. The checksums cover \d+ ticks\./,
  );
  expect(code).toBe(0);
  const { room } = await readBundle(bundle);
  expect(room).toMatchObject({ name: 'garden', width: SIDE });

  const long = join(scratch, 'long.bundle');
  const { from, ...range } = await readBundle(bundle);
  await writeBundle(long, { ...range, from, to: from + 2_000 });
  const many = await replayed(long, '--export', 'gif', '--every', '2');
  expect(many.errors).toBe(
    'A GIF can have at most 1000 pictures, but this GIF would have 1001. Choose --every 3 or more, or --export frames.\n',
  );
  expect(many.code).toBe(1);

  const bytes = readFileSync(bundle);
  writeFileSync(bundle, bytes.subarray(0, bytes.length - 100));
  const cut = await replayed(bundle);
  expect(cut.errors).toMatch(/^The file .* is not a complete replay bundle: .*\.\n$/);
  expect(cut.code).toBe(1);
});

test.each([
  [
    'a room that is not there',
    ['attic'],
    'no stored room "attic" in this folder. Stored rooms: garden.',
  ],
  ['one that is named like a folder', ['test'], 'There is no stored room "test" in this folder.'],
  ['a time that is not kept', ['garden', '--from', '999999'], 'are stored, so ticks 999999 to'],
  ['a file that is no bundle', ['package.json'], 'is not a complete replay bundle'],
  ['an unknown kind of picture', ['garden', '--export', 'webm'], '--export must be frames or gif'],
])('%s is refused with a sentence', async (_, args, words) => {
  const { code, errors } = await replayed(...args, '--data', data);
  expect(errors).toContain(words);
  expect(errors.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
});
