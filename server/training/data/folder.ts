/** Opens a folder of the user's own images. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ConfigOf } from './config.ts';
import {
  DatasetError,
  type DatasetSource,
  ioCode,
  mapInParallel,
  nameOfFile,
  splitByShare,
} from './dataset.ts';
import { flatten, isInvisible, readPicture } from './read-picture.ts';

/** An image file that has not been read yet. */
export interface ImageFile {
  readonly path: string;
  /** The path inside the folder, with `/`. Files are sorted by this path. */
  readonly within: string;
  readonly bytes: number;
  /** When the file was last changed, in ms since 1970. */
  readonly modified: number;
}

const REPLACE = 'save it as PNG, JPEG, WebP or SVG, or remove it from the folder';
const REPAIR = 'repair it, replace it, or remove it from the folder';
const ADD = 'add PNG, JPEG, WebP or SVG files to it or its subfolders';
const CHECK = 'check data.folder; relative paths start from the folder of the configuration';

const READABLE = /\.(png|jpe?g|svg|webp|gif|avif|tiff?)$/i;
const UNREADABLE = /\.(bmp|heic|heif|ico|psd|jxl|jp2|tga|raw|cr2|nef|dng|eps|ai|pdf)$/i;

/**
 * Lists all images in a folder and its subfolders. Hidden files and other files are ignored.
 *
 * @throws DatasetError missing-folder, empty-set; broken-image for a format that cannot be read
 */
export async function listImages(folder: string): Promise<ImageFile[]> {
  const paths = await filesIn(folder);
  const bad = paths.find((path) => UNREADABLE.test(path));
  if (bad !== undefined) {
    throw new DatasetError('broken-image', bad, 'has an unsupported format', REPLACE);
  }
  const readable = paths.filter((path) => READABLE.test(path));
  const images = await mapInParallel(readable, async (path): Promise<ImageFile> => {
    const { size, mtimeMs } = await stat(path).catch((error) => {
      throw new DatasetError('broken-image', path, `cannot be read (${ioCode(error)})`, REPAIR);
    });
    const within = relative(folder, path).replaceAll('\\', '/');
    return { path, within, bytes: size, modified: mtimeMs };
  });
  if (images.length === 0) throw new DatasetError('empty-set', folder, 'contains no images', ADD);
  return images.sort((a, b) => (a.within < b.within ? -1 : 1));
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
  files: readonly ImageFile[],
  size: number,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const pixels = new Uint8Array(files.length * size);
  await mapInParallel([...files.entries()], async ([i, { path }]) =>
    pixels.set(await read(path), i * size),
  );
  return pixels;
}

/** Hashes the names, sizes and modification times of the files, together with `more`. */
export function listFingerprint(files: readonly ImageFile[], more: string): string {
  const hash = createHash('sha256').update(more);
  for (const { within, bytes, modified } of files) {
    hash.update(JSON.stringify([within, bytes, modified]));
  }
  return hash.digest('hex');
}

/**
 * Opens all images of a folder and its subfolders, centred, without changing their aspect ratio.
 * Images are RGBA, or RGB if there is a background colour.
 *
 * @throws DatasetError missing-folder, empty-set, broken-image
 */
export async function openFolder({
  folder,
  side,
  margin,
  background,
  validationShare,
}: ConfigOf<'folder'>): Promise<DatasetSource> {
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
    name: `folder-${side}`,
    fingerprint: listFingerprint(files, ''),
    build: async () => ({
      name: `folder-${name.toLowerCase().replaceAll(' ', '-')}`,
      side,
      channels,
      count: files.length,
      pixels: await readPixels(files, side * side * channels, read),
      entries: files.map(({ path }) => ({ name: nameOfFile(path), kind: 'thing' as const })),
      splits: splitByShare(files.length, validationShare),
      source: `the user's own folder "${name}"`,
      licence: 'not known: that of the images in the folder',
      description: `${files.length} images of the user's own, ${side}×${side}`,
    }),
  };
}

/** Parses "#rrggbb" into three numbers, 0…255. */
function colour(text: string): [number, number, number] {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
