import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { inflateSync } from 'fflate';
import { chunkAt, chunkCount, chunkRect } from '../../../shared/codec/chunks.ts';
import { decodeFrame, type Inflate, readHeader } from '../../../shared/codec/decode.ts';
import { encodeDelta, encodeKeyframe } from '../../../shared/codec/encode.ts';
import { FRAME_ERRORS, FrameError } from '../../../shared/codec/frame.ts';
import {
  copyPlanes,
  createPlanes,
  equalPlanes,
  type Planes,
} from '../../../shared/codec/planes.ts';
import { createRandom } from '../../../shared/random.ts';

const inflate: Inflate = (bytes, size) => inflateSync(bytes, { out: new Uint8Array(size) });

/** Changes a few places; returns their chunks. */
function scribble(planes: Planes, seed: number, places: number): Set<number> {
  const random = createRandom(seed);
  const chunks = new Set<number>();
  for (let i = 0; i < places; i++) {
    const x = random.integer(planes.width);
    const y = random.integer(planes.height);
    const place = y * planes.width + x;
    if (random.uniform() < 0.7) planes.rgba[place * 4 + random.integer(4)] = random.integer(256);
    if (random.uniform() < 0.4) planes.owner[place] = random.integer(2 ** 32);
    chunks.add(chunkAt(planes, x, y));
  }
  return chunks;
}

const size = fc.integer({ min: 1, max: 80 });

describe('codec', () => {
  test('any history of planes decodes to the same planes, tick by tick', () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { minLength: 1, maxLength: 6 }),
        (width, height, seeds) => {
          const planes = createPlanes(width, height);
          scribble(planes, 99, 50);
          const seen = createPlanes(width, height);
          decodeFrame(seen, undefined, encodeKeyframe(planes, 5, deflateRawSync), inflate);
          expect(equalPlanes(seen, planes)).toBe(true);
          seeds.forEach((seed, i) => {
            const base = copyPlanes(planes);
            const chunks = scribble(planes, seed, seed % 40);
            const delta = encodeDelta(planes, base, chunks, 6 + i, 5 + i, deflateRawSync);
            const { header } = decodeFrame(seen, 5 + i, delta, inflate);
            expect(header.tick).toBe(6 + i);
            expect(equalPlanes(seen, planes)).toBe(true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a delta names just the rectangles that changed', () => {
    const planes = createPlanes(70, 40);
    const base = copyPlanes(planes);
    planes.rgba[(33 * 70 + 65) * 4] = 9;
    const all = Array.from({ length: chunkCount(planes) }, (_, i) => i);
    const delta = encodeDelta(planes, base, all, 2, 1, deflateRawSync);
    const { changed } = decodeFrame(createPlanes(70, 40), 1, delta, inflate);
    expect(changed).toEqual([{ x: 64, y: 32, width: 6, height: 8 }]);
  });

  test('chunks cover the grid, each place once', () => {
    fc.assert(
      fc.property(size, size, (width, height) => {
        const covered = new Uint8Array(width * height);
        for (let i = 0; i < chunkCount({ width, height }); i++) {
          const rect = chunkRect({ width, height }, i);
          for (let y = rect.y; y < rect.y + rect.height; y++)
            for (let x = rect.x; x < rect.x + rect.width; x++) {
              covered[y * width + x]++;
              expect(chunkAt({ width, height }, x, y)).toBe(i);
            }
        }
        expect(covered.every((n) => n === 1)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('a delta on another base is refused and changes nothing', () => {
    const planes = createPlanes(40, 40);
    const base = copyPlanes(planes);
    const chunks = scribble(planes, 1, 30);
    const delta = encodeDelta(planes, base, chunks, 8, 7, deflateRawSync);
    for (const tick of [undefined, 6, 8]) {
      const seen = createPlanes(40, 40);
      expect(() => decodeFrame(seen, tick, delta, inflate)).toThrow(new FrameError('base'));
      expect(equalPlanes(seen, createPlanes(40, 40))).toBe(true);
    }
  });

  test('broken frames fail with a named reason and leave the planes as they were', () => {
    const planes = createPlanes(64, 48);
    scribble(planes, 3, 200);
    const frame = encodeKeyframe(planes, 5, deflateRawSync);
    const reasons = new Set<string>();
    const random = createRandom(4);
    for (let round = 0; round < 3_000; round++) {
      const broken = frame.slice(
        0,
        random.uniform() < 0.2 ? random.integer(frame.length) : undefined,
      );
      const at = random.uniform() < 0.5 ? random.integer(24) : random.integer(frame.length);
      if (at < broken.length) broken[at] ^= 1 << random.integer(8);
      const seen = createPlanes(64, 48);
      scribble(seen, 8, 20);
      const before = copyPlanes(seen);
      try {
        decodeFrame(seen, 4, broken, inflate);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        reasons.add(error.reason);
        expect(equalPlanes(seen, before)).toBe(true);
      }
    }
    for (const reason of ['truncated', 'magic', 'version', 'kind', 'size', 'chunks', 'body']) {
      expect(reasons).toContain(reason);
    }
    for (const reason of reasons) expect(FRAME_ERRORS).toContain(reason);
  });

  test('a header cannot make the decoder reserve more than its chunks can hold', () => {
    const frame = encodeKeyframe(createPlanes(8, 8), 1, deflateRawSync);
    new DataView(frame.buffer).setUint32(20, 0xffffffff, true);
    expect(() => readHeader(frame)).toThrow(new FrameError('body'));
  });
});
