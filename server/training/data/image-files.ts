/** The image files of a folder. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatasetError, ioCode } from './errors.ts';
import { forEachIndex } from './parallel.ts';

export interface ImageFile {
  readonly path: string;
  /** The path inside the folder, with `/`; files are in the order of these. */
  readonly within: string;
  readonly bytes: number;
  readonly modified: number;
}

const READABLE = /\.(png|jpe?g|svg|webp|gif|avif|tiff?)$/i;
const UNREADABLE = /\.(bmp|heic|heif|ico|psd|jxl|jp2|tga|raw|cr2|nef|dng|eps|ai|pdf)$/i;

/**
 * All images in a folder and the folders in it. Hidden files and files that are no images are left out.
 *
 * @throws DatasetError missing-folder, empty-set; broken-image for one in a format that cannot be read
 */
export async function listImages(folder: string): Promise<ImageFile[]> {
  const paths: string[] = [];
  await walk(folder, paths);
  const bad = paths.find((path) => UNREADABLE.test(path));
  if (bad !== undefined) {
    throw new DatasetError(
      'broken-image',
      bad,
      'is of a format that cannot be read',
      'save it as PNG, JPEG, WebP or SVG, or take it out of the folder',
    );
  }
  const readable = paths.filter((path) => READABLE.test(path));
  const images: ImageFile[] = [];
  await forEachIndex(readable.length, async (i) => {
    const path = readable[i];
    const { size, mtimeMs } = await statOf(path);
    const within = relative(folder, path).replaceAll('\\', '/');
    images.push({ path, within, bytes: size, modified: mtimeMs });
  });
  if (images.length === 0) {
    throw new DatasetError(
      'empty-set',
      folder,
      'holds no image',
      'put PNG, JPEG, WebP or SVG files into it, in subfolders too if you like',
    );
  }
  return images.sort((a, b) => (a.within < b.within ? -1 : 1));
}

/** Changes with the names, sizes and times of the files, and with `more`. */
export function listFingerprint(files: readonly ImageFile[], more: string): string {
  const hash = createHash('sha256').update(more);
  for (const { within, bytes, modified } of files) {
    hash.update(JSON.stringify([within, bytes, modified]));
  }
  return hash.digest('hex');
}

async function walk(folder: string, found: string[]): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw new DatasetError(
      'missing-folder',
      folder,
      `cannot be opened as a folder (${ioCode(error)})`,
      'check data.folder; relative paths start where the configuration lies',
    );
  });
  for (const entry of inside) {
    if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
    const path = join(folder, entry.name);
    // Links to folders are not followed: they may lead in circles.
    if (entry.isDirectory()) await walk(path, found);
    else found.push(path);
  }
}

async function statOf(path: string) {
  return stat(path).catch((error) => {
    throw new DatasetError(
      'broken-image',
      path,
      `cannot be read (${ioCode(error)})`,
      'mend it, replace it, or take it out of the folder',
    );
  });
}
