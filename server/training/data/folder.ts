/** Loads a folder of the user's own images. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ConfigOf } from './config.ts';
import {
  type Dataset,
  DatasetError,
  ioCode,
  mapInParallel,
  nameOfFile,
  splitByShare,
} from './dataset.ts';
import { flatten, isInvisible, readPicture } from './read-picture.ts';

const REPLACE = 'save it as PNG, JPEG, WebP or SVG, or remove it from the folder';
const ADD = 'add PNG, JPEG, WebP or SVG files to it or its subfolders';
const CHECK = 'check data.folder; relative paths start from the folder of the configuration';

const READABLE = /\.(png|jpe?g|svg|webp|gif|avif|tiff?)$/i;
const UNREADABLE = /\.(bmp|heic|heif|ico|psd|jxl|jp2|tga|raw|cr2|nef|dng|eps|ai|pdf)$/i;

/**
 * Lists all images in a folder and its subfolders, sorted by their paths inside the folder. Hidden
 * files and other files are ignored.
 *
 * @throws DatasetError missing-folder, empty-set; broken-image for a format that cannot be read
 */
export async function listImages(folder: string): Promise<string[]> {
  const paths = await filesIn(folder);
  const bad = paths.find((path) => UNREADABLE.test(path));
  if (bad !== undefined) {
    throw new DatasetError('broken-image', bad, 'has an unsupported format', REPLACE);
  }
  const images = paths.filter((path) => READABLE.test(path));
  if (images.length === 0) throw new DatasetError('empty-set', folder, 'contains no images', ADD);
  // With `/`, so that the order is the same on every system.
  const within = (path: string): string => relative(folder, path).replaceAll('\\', '/');
  return images.sort((a, b) => (within(a) < within(b) ? -1 : 1));
}

/**
 * Lists the files in a folder and its subfolders. Skips hidden ones, which may not be readable, and
 * the metadata that macOS adds to archives. Links to folders are not followed, because they can form
 * loops.
 */
async function filesIn(folder: string): Promise<string[]> {
  const inside = await readdir(folder, { withFileTypes: true }).catch((error) => {
    const what = `cannot be opened as a folder (${ioCode(error)})`;
    throw new DatasetError('missing-folder', folder, what, CHECK);
  });
  const shown = inside.filter(({ name }) => !name.startsWith('.') && name !== '__MACOSX');
  const found = shown.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
  return (await Promise.all(found)).flat();
}

/**
 * Reads images into one array.
 *
 * @param size number of bytes per image
 * @param read returns the pixels of a file
 */
export async function readPixels(
  files: readonly string[],
  size: number,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const pixels = new Uint8Array(files.length * size);
  await mapInParallel([...files.entries()], async ([i, path]) =>
    pixels.set(await read(path), i * size),
  );
  return pixels;
}

/**
 * Loads all images of a folder and its subfolders, centred, without changing their aspect ratio.
 * Images are RGBA, or RGB if there is a background colour.
 *
 * @throws DatasetError missing-folder, empty-set, broken-image
 */
export async function loadFolder({
  folder,
  side,
  margin,
  background,
  validationShare,
}: ConfigOf<'folder'>): Promise<Dataset> {
  const files = await listImages(folder);
  const ground = background === 'transparent' ? undefined : colour(background);
  const channels = ground === undefined ? 4 : 3;
  const read = async (path: string): Promise<Uint8Array> => {
    const picture = await readPicture(path, path, { side, margin });
    if (isInvisible(picture)) {
      const next = 'draw something on it, or remove it from the folder';
      throw new DatasetError('broken-image', path, 'is completely transparent', next);
    }
    return ground === undefined ? picture : flatten(picture, ground);
  };
  const name = nameOfFile(folder);
  return {
    name: `folder-${name.toLowerCase().replaceAll(' ', '-')}`,
    side,
    channels,
    count: files.length,
    pixels: await readPixels(files, side * side * channels, read),
    entries: files.map((path) => ({ name: nameOfFile(path), kind: 'thing' as const })),
    splits: splitByShare(files.length, validationShare),
    source: `the user's own folder "${name}"`,
    licence: 'not known: that of the images in the folder',
    description: `${files.length} images of the user's own, ${side}×${side}`,
  };
}

/** Parses "#rrggbb" into three numbers, 0…255. */
function colour(text: string): [number, number, number] {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
