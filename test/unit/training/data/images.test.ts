import { augmentImages } from '../../../../server/training/data/augment.ts';
import { createRandom } from '../../../../shared/random.ts';

const data = {
  side: 2,
  channels: 1,
  count: 3,
  pixels: Uint8Array.of(0, 51, 102, 255, 1, 2, 3, 4, 255, 255, 255, 255),
} as const;

describe('augmentation', () => {
  const ramp = (n: number, side: number, channels: number) =>
    Float32Array.from({ length: n * side * side * channels }, (_, i) => i + 1);

  test('mirrors about half of the images', () => {
    const images = ramp(400, 2, 1);
    augmentImages(images, { side: 2, channels: 1 }, { flip: true, shift: 0 }, createRandom(1));
    let mirrored = 0;
    for (let i = 0; i < 400; i++) {
      const image = [...images.subarray(4 * i, 4 * i + 4)].map((value) => value - 4 * i);
      if (image[0] === 2) mirrored++;
      expect(image).toEqual(image[0] === 2 ? [2, 1, 4, 3] : [1, 2, 3, 4]);
    }
    expect(mirrored).toBeGreaterThan(160);
    expect(mirrored).toBeLessThan(240);
  });

  test.each([1, 3, 4] as const)('shifts each way, %i channels', (channels) => {
    const side = 5;
    const images = ramp(300, side, channels);
    augmentImages(images, { side, channels }, { flip: false, shift: 1 }, createRandom(3));
    const seen = new Set<string>();
    const size = side * side * channels;
    for (let i = 0; i < 300; i++) {
      // The centre shows the shift, which all pixels must have.
      const at = (x: number, y: number) => images[i * size + (y * side + x) * channels];
      const from = (at(2, 2) - 1 - i * size) / channels;
      const dx = 2 - (from % side);
      const dy = 2 - Math.floor(from / side);
      seen.add(`${dx} ${dy}`);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          let [sx, sy] = [x - dx, y - dy];
          const outside = sx < 0 || sy < 0 || sx >= side || sy >= side;
          [sx, sy] = [Math.min(Math.max(sx, 0), side - 1), Math.min(Math.max(sy, 0), side - 1)];
          const expected =
            outside && channels !== 3 ? 0 : i * size + (sy * side + sx) * channels + 1;
          expect(at(x, y)).toBe(expected);
        }
      }
    }
    expect(seen.size).toBe(9);
  });

  const side = 16;
  /** A red disc on clear ground, in RGBA. */
  const disc = (n: number): Float32Array =>
    Float32Array.from({ length: n * side * side * 4 }, (_, i) => {
      const cell = Math.floor(i / 4) % (side * side);
      const inside = Math.hypot((cell % side) - 7.5, Math.floor(cell / side) - 7.5) < 6;
      return inside && (i % 4 === 0 || i % 4 === 3) ? 1 : 0;
    });
  const looks = (augmentation: object): Float32Array[] => {
    const images = disc(60);
    const all = { flip: false, shift: 0, ...augmentation };
    augmentImages(images, { side, channels: 4 }, all, createRandom(4));
    return Array.from({ length: 60 }, (_, i) =>
      images.slice(i * 4 * side ** 2, (i + 1) * 4 * side ** 2),
    );
  };
  const alphaOf = (image: Float32Array): number =>
    image.reduce((sum, x, i) => sum + (i % 4 === 3 ? x : 0), 0);
  const colourOf = (image: Float32Array): number[] => {
    const middle = (8 * side + 8) * 4;
    return [...image.subarray(middle, middle + 4)];
  };
  const original = disc(1);

  test('makes pictures smaller about their middle', () => {
    for (const image of looks({ shrink: 0.5 })) {
      expect(alphaOf(image)).toBeLessThanOrEqual(alphaOf(original));
      expect(alphaOf(image)).toBeGreaterThan(0.2 * alphaOf(original));
      expect(colourOf(image)).toEqual([1, 0, 0, 1]);
    }
  });

  test('turns colours, within what the alpha allows', () => {
    const colours = looks({ recolour: 1 }).map(colourOf);
    for (const [r, gr, b, alpha] of colours) {
      expect(alpha).toBe(1);
      for (const x of [r, gr, b]) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(1);
      }
    }
    const strongest = colours.map((colour) => colour.indexOf(Math.max(...colour.slice(0, 3))));
    expect(new Set(strongest).size).toBe(3);
  });

  test('draws outlines, some of which keep their fill', () => {
    const middles = looks({ lines: 1 }).map((image) => colourOf(image)[3]);
    expect(middles.some((alpha) => alpha === 0)).toBe(true);
    expect(middles.some((alpha) => alpha > 0.5)).toBe(true);
  });

  test('leaves the rest as it is', () => {
    const changed = looks({ recolour: 1, lines: 1, shrink: 0.5, untouched: 0.5 }).filter(
      (image) => !image.every((x, i) => x === original[i]),
    );
    expect(changed.length).toBeGreaterThan(10);
    expect(changed.length).toBeLessThan(50);
  });
});
