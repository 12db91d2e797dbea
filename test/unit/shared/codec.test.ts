import { BlockReader, readBlockHeader } from '../../../shared/codec/block.ts';
import {
  chunkAt,
  chunkCount,
  chunkRect,
  chunksWithin,
  createPlanes,
  takeCells,
} from '../../../shared/codec/chunks.ts';
import { FrameError, readBlocks, writeFrame } from '../../../shared/codec/frame.ts';
import { FrameDecoder } from '../../../shared/codec/frame-decoder.ts';
import { RangeReader, RangeWriter } from '../../../shared/codec/range-coder.ts';
import { TIER_NAMES, TIERS } from '../../../shared/codec/tiers.ts';
import { createRandom } from '../../../shared/random.ts';
import { copyPlanes, equalPlanes } from '../../support/compare.ts';
import fc, { forRuns } from '../../support/property.ts';
import { scribble, WatchedStream } from '../../support/watched-stream.ts';

const full = process.env.VIVARIUM_TEST_FULL === '1';
/** Time limit for a million rounds, ms. */
const LONG = full ? 3_600_000 : 300_000;

const size = fc.integer({ min: 1, max: 80 });
const seeds = fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { minLength: 1, maxLength: 8 });
const tierName = fc.constantFrom(...TIER_NAMES);

describe('the range coder', () => {
  test('decodes any bits and numbers under any contexts', () => {
    const contexts = 5;
    const one = fc.record({
      contexts: fc.array(fc.integer({ min: 0, max: contexts - 1 }), { maxLength: 4 }),
      value: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
    });
    const odds = fc.array(fc.integer({ min: -32_768, max: 32_767 }), {
      ...{ minLength: contexts, maxLength: contexts },
    });
    forRuns(50, odds, fc.array(one, { maxLength: 2_000 }), (first, told) => {
      const fresh = () => Int16Array.from([0, ...first.slice(1)]);
      const writer = new RangeWriter(fresh());
      for (const {
        contexts: [a, b, c, d],
        value,
      } of told) {
        if (a === undefined) writer.plain(20, value);
        else writer.bit(Number(value < 100), a, b, c, d);
      }
      const reader = new RangeReader(fresh(), writer.finish());
      for (const {
        contexts: [a, b, c, d],
        value,
      } of told) {
        if (a === undefined) expect(reader.plain(20, 0)).toBe(value);
        else expect(reader.bit(0, a, b, c, d)).toBe(Number(value < 100));
      }
    });
  });
});

describe('the stream', () => {
  test("shows any history of planes within the tier's tolerance, and exactly once it rests", () => {
    forRuns(60, size, size, tierName, seeds, (width, height, tier, history) => {
      const stage = new WatchedStream(width, height, { tier });
      const { decoder, planes, encoder } = stage;
      expect(decoder.decode(stage.keyframe()).lost).toEqual([]);
      for (const seed of history) {
        expect(decoder.decode(stage.go(scribble(planes, seed, seed % 60))).lost).toEqual([]);
        if (TIERS[tier].every > 1) continue;
        expect(planes.owner).toEqual(decoder.planes.owner);
        const off = planes.rgba.map((v, i) => Math.abs(v - decoder.planes.rgba[i]));
        expect(Math.max(...off)).toBeLessThanOrEqual(
          Math.max(TIERS[tier].hold, TIERS[tier].step / 2),
        );
      }
      for (let i = 0; i < 15; i++) expect(decoder.decode(stage.go([])).lost).toEqual([]);
      expect(equalPlanes(encoder.seen, encoder.view.planes)).toBe(true);
      expect(equalPlanes(decoder.planes, planes)).toBe(true);
    });
  });

  test('starts with a coarse picture of nearly the same colours, then refines it', () => {
    forRuns(30, size, size, fc.nat(), (width, height, seed) => {
      const stage = new WatchedStream(width, height, { seed });
      const { encoder, decoder, planes, all } = stage;
      const coarse = stage.frame(all.map((chunk) => ({ chunk, block: encoder.coarseKey(chunk) })));
      expect(decoder.decode(coarse).lost).toEqual([]);
      const off = planes.rgba.map((v, i) => Math.abs(v - decoder.planes.rgba[i]));
      expect(Math.max(...off)).toBeLessThan(8);
      const rest = stage.frame(all.map((chunk) => ({ chunk, block: encoder.refinement(chunk) })));
      expect(decoder.decode(rest).lost).toEqual([]);
      expect(equalPlanes(decoder.planes, planes)).toBe(true);
    });
  });

  test('reports only the rectangles that changed, and those that were replaced', () => {
    const stage = new WatchedStream(70, 40);
    const first = stage.decoder.decode(stage.keyframe());
    expect(first.changed).toHaveLength(6);
    expect(first.replaced).toEqual(first.changed);
    const place = 33 * 70 + 65;
    stage.planes.owner[place] = 9;
    stage.planes.rgba[place * 4] = 200;
    const { changed, replaced: anew } = stage.decoder.decode(
      stage.go([chunkAt(stage.planes, 65, 33)]),
    );
    expect(changed).toEqual([{ x: 64, y: 32, width: 6, height: 8 }]);
    expect(anew).toEqual([]);
  });

  test('shows scaled cells as squares', () => {
    const stage = new WatchedStream(70, 40, { tier: 'thrifty', places: 0, scale: 2 });
    const { planes, decoder } = stage;
    decoder.decode(stage.keyframe());
    for (const [x, y] of [
      [10, 10],
      [11, 10],
      [10, 11],
      [69, 39],
    ]) {
      planes.owner[y * 70 + x] = 3;
      planes.rgba.set([80, 40, 20, 100], (y * 70 + x) * 4);
    }
    decoder.decode(stage.go([0, 5]));
    for (let i = 0; i < 15; i++) decoder.decode(stage.go([]));
    // Three of four cells: all four get their owner and mean colour.
    for (const place of [10 * 70 + 10, 10 * 70 + 11, 11 * 70 + 10, 11 * 70 + 11]) {
      expect(decoder.planes.owner[place]).toBe(3);
      expect([...decoder.planes.rgba.subarray(place * 4, place * 4 + 4)]).toEqual([60, 30, 15, 75]);
    }
    // One of four cells is not shown.
    expect(decoder.planes.owner[39 * 70 + 69]).toBe(0);
  });

  test('encodes a chunk only if it is wanted', () => {
    const { encoder, planes } = new WatchedStream(64, 32);
    const chunks = scribble(planes, 5, 40);
    for (const chunk of chunks) if (encoder.view.update(1, chunk)) encoder.touch(chunk);
    encoder.advance(1, new Set([0]));
    expect(encoder.delta(0)).toBeDefined();
    expect(encoder.delta(1)).toBeUndefined();
    expect(encoder.version(1)).toBe(1);
    encoder.advance(2, { has: () => true });
    expect(encoder.delta(1)).toBeDefined();
    expect(encoder.version(1)).toBe(2);
  });
});

describe('chunks', () => {
  test('cover the grid, each place once', () => {
    forRuns(20, size, size, (width, height) => {
      const covered = new Uint8Array(width * height);
      let elsewhere = 0;
      for (let i = 0; i < chunkCount({ width, height }); i++) {
        const rect = chunkRect({ width, height }, i);
        for (let y = rect.y; y < rect.y + rect.height; y++)
          for (let x = rect.x; x < rect.x + rect.width; x++) {
            covered[y * width + x]++;
            if (chunkAt({ width, height }, x, y) !== i) elsewhere++;
          }
      }
      expect(elsewhere).toBe(0);
      expect(covered.every((n) => n === 1)).toBe(true);
    });
  });

  test('within a rectangle are those of its places', () => {
    const grid = { width: 100, height: 70 };
    const side = fc.integer({ min: 1, max: 120 });
    const at = fc.integer({ min: -50, max: 120 });
    forRuns(60, at, at, side, side, (x, y, width, height) => {
      const wanted = new Set<number>();
      for (let v = Math.max(0, y); v < Math.min(70, y + height); v++)
        for (let u = Math.max(0, x); u < Math.min(100, x + width); u++)
          wanted.add(chunkAt(grid, u, v));
      expect(chunksWithin(grid, { x, y, width, height })).toEqual(
        [...wanted].sort((a, b) => a - b),
      );
    });
  });
});

describe('broken data', () => {
  test('a delta for other cells is detected by its checksum, and leaves the chunk unchanged', () => {
    const stage = new WatchedStream(96, 64);
    const { decoder, planes } = stage;
    decoder.decode(stage.keyframe());
    const lateDecoder = new FrameDecoder(copyPlanes(decoder.planes));
    stage.go(scribble(planes, 7, 60));
    const next = stage.go(scribble(planes, 8, 200));
    const before = copyPlanes(lateDecoder.planes);
    const { lost, changed } = lateDecoder.decode(next);
    expect(lost.length).toBeGreaterThan(0);
    for (const chunk of lost) {
      const rect = chunkRect(planes, chunk);
      expect(takeCells(lateDecoder.planes, rect)).toEqual(takeCells(before, rect));
    }
    expect(changed.length + lost.length).toBe(readBlocks(next, chunkCount(planes)).length);
    // A viewer who missed some deltas may get all of them at once.
    const missed = stage.all.flatMap((chunk) => {
      const blocks = stage.encoder.since(chunk, 1) ?? [];
      return blocks.map((block) => ({ chunk, block }));
    });
    expect(missed.length).toBeGreaterThan(lost.length);
    const later = new FrameDecoder(copyPlanes(before));
    expect(later.decode(stage.frame(missed)).lost).toEqual([]);
    expect(equalPlanes(later.planes, stage.encoder.seen)).toBe(true);
    const keys = lost.map((chunk) => ({ chunk, block: stage.encoder.key(chunk) }));
    expect(lateDecoder.decode(stage.frame(keys)).lost).toEqual([]);
  });

  test(
    'broken frames fail with a reason or a checksum, and change nothing',
    () => {
      const stage = new WatchedStream(64, 48, { seed: 3, places: 900 });
      const frame = stage.keyframe();
      const reasons = new Set<string>();
      const random = createRandom(4);
      let found = 0;
      const rounds = full ? 1_000_000 : 1_500;
      for (let round = 0; round < rounds; round++) {
        const cut = random.uniform() < 0.2 ? random.integer(frame.length) : undefined;
        const broken = frame.slice(0, cut);
        const at = random.uniform() < 0.3 ? random.integer(12) : random.integer(frame.length);
        if (at < broken.length) broken[at] ^= 1 << random.integer(8);
        const seen = createPlanes(64, 48);
        scribble(seen, 8, 20);
        const before = copyPlanes(seen);
        try {
          found += new FrameDecoder(seen).decode(broken).lost.length;
        } catch (error) {
          if (!(error instanceof FrameError)) throw error;
          reasons.add(error.reason);
          expect(equalPlanes(seen, before)).toBe(true);
        }
      }
      expect(found).toBeGreaterThan(100);
      for (const reason of ['truncated', 'magic', 'version', 'header', 'chunks'])
        expect(reasons).toContain(reason);
    },
    LONG,
  );

  test(
    'random blocks are read without an error other than FrameError',
    () => {
      const random = createRandom(9);
      let passed = 0;
      const rounds = full ? 1_000_000 : 2_000;
      for (let round = 0; round < rounds; round++) {
        const block = Uint8Array.from({ length: random.integer(120) }, () => random.integer(256));
        block[0] &= 0x1f;
        try {
          new BlockReader().read(block, createPlanes(32, 32));
          passed++;
        } catch (error) {
          if (!(error instanceof FrameError)) throw error;
        }
      }
      // One in 65,536 passes its checksum by chance.
      expect(passed).toBeLessThan(rounds / 10_000 + 3);
    },
    LONG,
  );

  test.each([
    ['too short', [1, 2]],
    ['a key that omits bits', [1 | (3 << 2), 0, 0]],
    ['a coarse key that omits none', [2, 0, 0]],
    ['more than seven bits', [2 | (9 << 2), 0, 0]],
  ])('a block header is refused: %s', (_, bytes) => {
    expect(() => readBlockHeader(Uint8Array.from(bytes))).toThrow(new FrameError('block'));
  });

  test('a broken frame of another scale leaves what the frames before it were for', () => {
    const stage = new WatchedStream(70, 40, { scale: 2 });
    const { decoder, planes } = stage;
    decoder.decode(stage.keyframe());
    const broken = writeFrame({ tier: 'full', tick: 1, scale: 1 }, [
      { chunk: 0, block: Uint8Array.of(1, 2, 3) },
    ]).subarray(0, -1);
    expect(() => decoder.decode(broken)).toThrow(FrameError);
    expect(decoder.holds()).toBeUndefined();
    expect(decoder.decode(stage.go(scribble(planes, 5, 40))).lost).toEqual([]);
  });
});
