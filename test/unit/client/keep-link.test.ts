/** What the page of keepsakes reads from addresses and files. */
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
