/** Paint of stills: that of `paint`, without steps between cells. */
import fc from 'fast-check';
import { paint } from '../../../shared/painter/paint.ts';
import { inSlices, LARGEST_SCALE, paintStill, type Still } from '../../../shared/painter/still.ts';
import { createRandom } from '../../../shared/random.ts';
import { randomPainter } from './nets.ts';

const SIDE = 7;
const net = randomPainter(3);

/** Opaque cells with gaps. */
function creature(seed: number): Uint8Array {
  const random = createRandom(seed);
  const cells = new Uint8Array(4 * SIDE * SIDE);
  for (let i = 0; i < cells.length; i += 4) {
    if (random.uniform() < 0.4) continue;
    for (let c = 0; c < 3; c++) cells[i + c] = random.integer(256);
    cells[i + 3] = 255;
  }
  return cells;
}

function finished<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
const stillOf = (still: Still): Uint8ClampedArray => finished(paintStill(still));
const paintOf = ({ cells, scale }: Pick<Still, 'cells' | 'scale'>): Uint8ClampedArray => {
  const owners = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => +(cells[4 * i + 3] > 0));
  const grid = { cells: Uint8Array.from(cells), owners, width: SIDE, height: SIDE };
  return paint({ ...grid, net, scale });
};

test('the middle of each cell is what the reference paints', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(4, 8, 16), (seed, scale) => {
      const cells = creature(seed);
      const [still, reference] = [
        stillOf({ cells, side: SIDE, net, scale }),
        paintOf({ cells, scale }),
      ];
      const isMiddle = (place: number): boolean =>
        Math.abs(((place % scale) + 0.5) / scale - 0.5) <= 0.25;
      let most = 0;
      for (let i = 0; i < still.length; i += 4) {
        const [x, y] = [(i >> 2) % (SIDE * scale), Math.floor((i >> 2) / (SIDE * scale))];
        if (!isMiddle(x) || !isMiddle(y)) continue;
        const alpha = still[i + 3];
        // Where there is hardly any tissue, a still shows less.
        if (cells[4 * (Math.floor(y / scale) * SIDE + Math.floor(x / scale)) + 3] === 0) {
          expect(alpha).toBeLessThanOrEqual(reference[i + 3] + 1);
          continue;
        }
        most = Math.max(most, Math.abs(alpha - reference[i + 3]));
        for (let c = 0; c < 3; c++) {
          most = Math.max(most, Math.abs((still[i + c] * alpha) / 255 - reference[i + c]));
        }
      }
      expect(most).toBeLessThanOrEqual(2);
    }),
    { numRuns: 12 },
  );
});

/** Mean difference of alpha between neighbours in a row: across edges of cells, and right beside. */
function steps(pixels: Uint8ClampedArray, scale: number): { across: number; beside: number } {
  const row = SIDE * scale;
  const of = { across: [0, 0], beside: [0, 0] };
  for (let i = 0; i < row * row; i++) {
    const place = (i + 1) % scale;
    if ((i + 1) % row <= 1 || (i + 1) % row === row - 1 || (place + 1) % scale > 2) continue;
    const sum = place === 0 ? of.across : of.beside;
    sum[0] += Math.abs(pixels[4 * i + 3] - pixels[4 * i + 7]);
    sum[1]++;
  }
  return { across: of.across[0] / of.across[1], beside: of.beside[0] / of.beside[1] };
}

test('there are no steps between cells', () => {
  const cells = creature(4);
  const scale = 16;
  const ofPaint = steps(paintOf({ cells, scale }), scale);
  const ofStill = steps(stillOf({ cells, side: SIDE, net, scale }), scale);
  // A painter whose cells agree anyway would show nothing.
  expect(ofPaint.across).toBeGreaterThan(1.5 * ofPaint.beside);
  expect(ofStill.across).toBeLessThan(1.1 * ofStill.beside);
});

test('work with pauses has the same result, and pauses when its time is over', async () => {
  const still = { cells: creature(5), side: SIDE, net, scale: 4 };
  let time = 0;
  let pauses = 0;
  const pause = async (): Promise<void> => void pauses++;
  const slices = { slice: 10, now: () => time++, pause };
  expect(await inSlices(paintStill(still), slices)).toEqual(stillOf(still));
  expect(pauses).toBeGreaterThan(2);
});

test('work that nobody waits for any more ends at the next pause', async () => {
  const still = { cells: creature(5), side: SIDE, net, scale: 4 };
  let time = 0;
  let pauses = 0;
  const pause = async (): Promise<void> => {
    if (++pauses === 2) throw new Error('nobody waits');
  };
  const work = inSlices(paintStill(still), { slice: 10, now: () => time++, pause });
  await expect(work).rejects.toThrow('nobody waits');
  expect(pauses).toBe(2);
});

test('what does not fit is refused', () => {
  const cells = creature(6);
  for (const wrong of [{ scale: LARGEST_SCALE + 1 }, { scale: 0 }, { scale: 2.5 }, { side: 6 }]) {
    expect(() => stillOf({ cells, side: SIDE, net, scale: 8, ...wrong })).toThrow(RangeError);
  }
});
