import { readFileSync } from 'node:fs';
import { parsePainter } from '../../../shared/painter/net.ts';
import { paintStill, paintThumbnail } from '../../../shared/painter/still.ts';

const file = new URL('../../../checkpoints/organisms/painter.safetensors', import.meta.url);
const net = parsePainter(readFileSync(file));
const [SIDE, SCALE] = [16, 3];

/** A square of 12×12 cells. @param red of a cell */
function square(red: (x: number, y: number) => number): Uint8Array {
  const cells = new Uint8Array(4 * SIDE * SIDE);
  for (let y = 2; y < SIDE - 2; y++) {
    for (let x = 2; x < SIDE - 2; x++) cells.set([red(x, y), 90, 60, 255], 4 * (y * SIDE + x));
  }
  return cells;
}

const finish = (work: ReturnType<typeof paintStill>): Uint8ClampedArray => {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
};
const still = (cells: Uint8Array) => ({ cells, side: SIDE, net, scale: SCALE });

/** Largest difference of red between neighbouring cells' middles, well inside the square. */
function contrast(pixels: Uint8ClampedArray): number {
  const red = (x: number) => pixels[4 * ((8 * SCALE + 1) * SIDE * SCALE + x * SCALE + 1)];
  let largest = 0;
  for (let x = 5; x < 11; x++) largest = Math.max(largest, Math.abs(red(x) - red(x - 1)));
  return largest;
}

test('faint bands of the cells disappear; edges inside and the outline stay', () => {
  const bands = square((x) => (x % 2 === 0 ? 150 : 170));
  expect(contrast(finish(paintStill(still(bands))))).toBeGreaterThan(10);
  expect(contrast(finish(paintThumbnail(still(bands))))).toBeLessThan(4);
  const halves = square((x) => (x < 8 ? 40 : 220));
  expect(contrast(finish(paintThumbnail(still(halves))))).toBeGreaterThan(100);
  const alphas = (pixels: Uint8ClampedArray) => pixels.filter((_, i) => i % 4 === 3);
  const plain = alphas(finish(paintStill(still(square(() => 150)))));
  expect(alphas(finish(paintThumbnail(still(square(() => 150)))))).toEqual(plain);
});
