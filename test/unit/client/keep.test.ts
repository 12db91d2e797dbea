/** What the page of keepsakes reads from addresses and files, and their films, as another program reads them. */

import sharp from 'sharp';
import {
  fragmentOf,
  linkInFile,
  plantingAddress,
  readLink,
} from '../../../client/keep/vivarium-keep.ts';
import { GifWriter, paletteOf } from '../../../client/keepsake/film.ts';

const token = 'Aq-_'.repeat(68);
const link = `https://museum.example/keep.html#${token}/garden`;

test('a link names its seed and its room, if it does', () => {
  expect(readLink(link)).toEqual({ token, room: 'garden' });
  expect(readLink(`#${token}`)).toEqual({ token, room: undefined });
  for (const text of ['', '#', '#short', token]) expect(readLink(text)).toBeUndefined();
  expect(fragmentOf({ token, room: 'garden' })).toBe(`#${token}/garden`);
  expect(fragmentOf({ token, room: undefined })).toBe(`#${token}`);
});

test('the seed is planted in its room, else in the first one', () => {
  const server = 'https://play.museum.example';
  const address = `${server}/r/garden?seed=${token}`;
  expect(plantingAddress({ token, room: 'garden' }, server)).toBe(address);
  expect(plantingAddress({ token, room: undefined }, '')).toBe(`/?seed=${token}`);
});

test('a film and other files are searched for the link that they carry', async () => {
  const picture = new Uint8ClampedArray(64).fill(255);
  const film = new GifWriter(4, 4, await paletteOf([picture]));
  film.add(picture, 100);
  const found = { token, room: 'garden' };
  expect(await linkInFile(new Blob([film.finish(link)]))).toEqual(found);
  expect(await linkInFile(new Blob(['\x89PNG', `${link}\n`, 'a7']))).toEqual(found);
  for (const other of ['GIF89a', 'GIF89a!', 'plain text', '']) {
    expect(await linkInFile(new Blob([other]))).toBeUndefined();
  }
});

/** RGB of a page. */
async function page(gif: Uint8Array, index: number): Promise<Uint8Array> {
  return sharp(gif, { page: index }).removeAlpha().toColourspace('srgb').raw().toBuffer();
}

function picture(
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly [number, number, number],
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    pixels.set([...colour(i % width, Math.floor(i / width)), 255], 4 * i);
  }
  return pixels;
}

/** Mean difference of a page's values to those of a picture, 0…255. */
function errorOf(read: Uint8Array, wanted: Uint8ClampedArray): number {
  let sum = 0;
  for (let i = 0; i < read.length; i++) {
    sum += Math.abs(read[i] - wanted[4 * Math.floor(i / 3) + (i % 3)]);
  }
  return sum / read.length;
}

test.each([
  [1, 1],
  [7, 90],
  [90, 7],
])('a film of %d×%d pixels loops, and shows each picture for its delay', async (width, height) => {
  const pictures = [0, 60, 120].map((shade) =>
    picture(width, height, (x, y) => [shade, 2 * x, 2 * y]),
  );
  const film = new GifWriter(width, height, await paletteOf(pictures));
  pictures.forEach((one, i) => {
    film.add(one, 90 + 10 * i);
  });
  const gif = film.finish('');
  const meta = await sharp(gif, { animated: true }).metadata();
  expect([meta.width, meta.pageHeight, meta.pages]).toEqual([width, height, 3]);
  expect(meta.delay).toEqual([90, 100, 110]);
  expect(meta.loop).toBe(0);
  for (const [i, one] of pictures.entries())
    expect(errorOf(await page(gif, i), one)).toBeLessThan(7);
});

test('a soft gradient shows no bands: neighbouring pixels have its mean brightness', async () => {
  // Like the background of a film: a few dark shades over hundreds of pixels.
  const [width, height] = [256, 16];
  const ground = picture(width, height, (x) => [11 + x / 8, 13 + x / 7, 15 + x / 7]);
  const film = new GifWriter(width, height, await paletteOf([ground]));
  film.add(ground, 100);
  const read = await page(film.finish(''), 0);
  let most = 0;
  for (let x = 0; x + 16 <= width; x += 8) {
    let [ours, wanted] = [0, 0];
    for (let i = 0; i < 16 * height; i++) {
      const at = Math.floor(i / 16) * width + x + (i % 16);
      ours += read[3 * at + 1];
      wanted += ground[4 * at + 1];
    }
    most = Math.max(most, Math.abs(ours - wanted) / (16 * height));
  }
  expect(most).toBeLessThan(3);
});
