import sharp from 'sharp';
import { encodeGif } from '../../../client/keepsake/gif.ts';
import { indexed, paletteOf } from '../../../client/keepsake/palette.ts';
import fc from '../../support/property.ts';

/** Greys, each of another value. */
const GREYS = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));

/** What another program reads of a page. */
async function page(gif: Uint8Array, index: number): Promise<number[]> {
  const raw = await sharp(gif, { page: index })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  return Array.from({ length: raw.length / 3 }, (_, i) => raw[3 * i]);
}

test('whatever the pictures, others read what was written', async () => {
  // Long runs, noise and repeated patterns: they fill the codes in different ways.
  const pictures = fc
    .record({
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 90 }),
      seed: fc.array(fc.nat(255), { minLength: 1, maxLength: 300 }),
      colours: fc.constantFrom(1, 2, 7, 256),
    })
    .map(({ width, height, seed, colours }) => ({
      width,
      height,
      frames: [1, 7].map((stride) =>
        Uint8Array.from(
          { length: width * height },
          (_, i) => (seed[(i * stride) % seed.length] * (1 + Math.floor(i / 97))) % colours,
        ),
      ),
    }));
  await fc.assert(
    fc.asyncProperty(pictures, async ({ width, height, frames }) => {
      const gif = encodeGif(
        width,
        height,
        GREYS,
        frames.map((pixels, i) => ({ pixels, delay: 9 + i })),
      );
      const meta = await sharp(gif, { animated: true }).metadata();
      expect([meta.width, meta.pageHeight, meta.pages]).toEqual([width, height, 2]);
      expect(meta.delay).toEqual([90, 100]);
      expect(meta.loop).toBe(0);
      for (const [i, pixels] of frames.entries()) expect(await page(gif, i)).toEqual([...pixels]);
    }),
    { numRuns: 40 },
  );
});

test('noise that needs all codes, again and again', async () => {
  const side = 200;
  let state = 1;
  const pixels = Uint8Array.from({ length: side * side }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  const gif = encodeGif(side, side, GREYS, [{ pixels, delay: 10 }]);
  expect(await page(gif, 0)).toEqual([...pixels]);
});

test('a palette comes near to every colour of a picture', () => {
  const side = 64;
  const picture = new Uint8ClampedArray(4 * side * side);
  for (let i = 0; i < side * side; i++) {
    picture.set([4 * (i % side), 4 * Math.floor(i / side), 128, 255], 4 * i);
  }
  const palette = paletteOf([picture]);
  const pixels = indexed(picture, side, palette);
  let error = 0;
  pixels.forEach((color, i) => {
    for (let c = 0; c < 3; c++)
      error += Math.abs(palette.colors[3 * color + c] - picture[4 * i + c]);
  });
  expect(error / (3 * pixels.length)).toBeLessThan(7);
});
