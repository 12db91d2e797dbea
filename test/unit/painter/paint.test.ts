/** What the painter promises whatever its weights are. */
import fc from 'fast-check';
import { enlarged } from '../../../server/training/painter/enlarge.ts';
import { paint } from '../../../shared/painter/paint.ts';
import { createRandom } from '../../../shared/random.ts';
import { randomPainter } from './nets.ts';

const SIDE = 9;
const net = randomPainter(3);

/** Cells of a few creatures with gaps. */
function room(seed: number, side = SIDE) {
  const random = createRandom(seed);
  const cells = new Uint8Array(4 * side * side);
  const owners = new Uint32Array(side * side);
  for (let i = 0; i < owners.length; i++) {
    if (random.uniform() < 0.4) continue;
    owners[i] = 1 + random.integer(2);
    const alpha = 1 + random.integer(255);
    for (let c = 0; c < 3; c++) cells[4 * i + c] = random.integer(alpha + 1);
    cells[4 * i + 3] = alpha;
  }
  return { cells, owners, width: side, height: side };
}
const seeds = fc.integer({ min: 0, max: 1e6 });
const scales = fc.constantFrom(1, 2, 4, 7, 8, 16);

/** [h, w, 4] out of [_, width, 4]. */
function cut(pixels: ArrayLike<number>, width: number, [x, y, w, h]: readonly number[]): number[] {
  return Array.from({ length: 4 * w * h }, (_, i) => {
    const [c, u, v] = [i % 4, (i >> 2) % w, Math.floor(i / (4 * w))];
    return pixels[4 * ((y + v) * width + x + u) + c];
  });
}

test('no colour is above alpha, and equal rooms give equal pictures', () => {
  fc.assert(
    fc.property(seeds, scales, (seed, scale) => {
      const pixels = paint({ ...room(seed), net, scale });
      expect(pixels.length).toBe(4 * (SIDE * scale) ** 2);
      expect(pixels.every((value, i) => value <= pixels[i | 3])).toBe(true);
      const again = paint({ ...room(seed), net, scale });
      expect(Buffer.from(again.buffer).equals(Buffer.from(pixels.buffer))).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('a part is painted as in the whole', () => {
  const area = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 4 })));
  fc.assert(
    fc.property(seeds, area, (seed, [x, y, w, h]) => {
      const [width, height] = [w + 1, h + 1];
      const part = paint({ ...room(seed), net, scale: 4, area: { x, y, width, height } });
      const whole = paint({ ...room(seed), net, scale: 4 });
      const rect = [x, y, width, height].map((n) => 4 * n);
      expect([...part]).toEqual(cut(whole, 4 * SIDE, rect));
    }),
    { numRuns: 20 },
  );
});

test('only the five by five cells around a cell count, and which owner is the same', () => {
  fc.assert(
    fc.property(seeds, seeds, (seed, other) => {
      const side = 13;
      const [a, b] = [room(seed, side), room(other, side)];
      for (let j = 4; j < 9; j++) {
        for (let i = 4; i < 9; i++) {
          const place = j * side + i;
          b.cells.set(a.cells.subarray(4 * place, 4 * place + 4), 4 * place);
          // Other ids, but the same neighbours are alike.
          b.owners[place] = a.owners[place] === 0 ? 0 : a.owners[place] + 40;
        }
      }
      const area = { x: 6, y: 6, width: 1, height: 1 };
      const [ofA, ofB] = [a, b].map((one) => paint({ ...one, net, scale: 8, area }));
      expect(ofB).toEqual(ofA);
    }),
    { numRuns: 20 },
  );
});

test('far from all cells nothing is painted', () => {
  const side = 12;
  const one = { cells: new Uint8Array(4 * side * side), owners: new Uint8Array(side * side) };
  one.cells.fill(255, 0, 4);
  one.owners[0] = 1;
  const pixels = paint({ ...one, width: side, height: side, net, scale: 8 });
  const isFar = (i: number) => i % (8 * side) >= 24 || Math.floor(i / (8 * side)) >= 24;
  expect(pixels.some((value, i) => value > 0 && isFar(i >> 2))).toBe(false);
  expect(pixels.some((value) => value > 0)).toBe(true);
});

test('without ramps, even cells stay even and a middle keeps its colour', () => {
  const cells = Uint8Array.from({ length: 4 * 81 }, (_, i) => [40, 80, 120, 200][i % 4]);
  const pixels = enlarged(cells, 9, 8);
  expect(cut(pixels, 72, [16, 16, 40, 40])).toEqual(
    Array.from({ length: 4 * 1600 }, (_, i) => [40, 80, 120, 200][i % 4]),
  );
  const { cells: any } = room(5);
  // An odd scale has a pixel in the very middle of a cell.
  const odd = enlarged(any, SIDE, 7);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [7 * (i % SIDE) + 3, 7 * Math.floor(i / SIDE) + 3];
    expect(cut(odd, 7 * SIDE, [x, y, 1, 1])).toEqual([...any.subarray(4 * i, 4 * i + 4)]);
  }
});
