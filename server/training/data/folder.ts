/** Loads a user's folder of images of any format and size as a data set. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { OutputInfo, Sharp } from 'sharp';
import type { ConfigOf } from './config.ts';
import {
  type Dataset,
  datasetError,
  mapInParallel,
  nameOfFile,
  notInstalled,
  splitByShare,
} from './dataset.ts';

const REPLACE = 'Save the image as PNG, JPEG, WebP or SVG, or remove the image from the folder';
const ADD = 'Add PNG, JPEG, WebP or SVG files to the folder or its subfolders';
const CHECK =
  'Check "data.folder" in the configuration. Relative paths start from the folder of the configuration';

const READABLE = /\.(png|jpe?g|svg|webp|gif|avif|tiff?)$/i;
const UNREADABLE = /\.(bmp|heic|heif|ico|psd|jxl|jp2|tga|raw|cr2|nef|dng|eps|ai|pdf)$/i;

/**
 * Lists the images in a folder and its subfolders, sorted by their paths inside the folder. Ignores
 * hidden files and files that are not images.
 *
 * @throws TrainingError 'missing-folder' if the folder cannot be opened; 'empty-set' if there are
 *   no images; 'broken-image' if the format of an image is not supported
 */
async function listImages(folder: string): Promise<string[]> {
  const paths = await filesIn(folder);
  const bad = paths.find((path) => UNREADABLE.test(path));
  if (bad !== undefined) {
    throw datasetError('broken-image', bad, 'has an unsupported format', REPLACE);
  }
  const images = paths.filter((path) => READABLE.test(path));
  if (images.length === 0) throw datasetError('empty-set', folder, 'contains no images', ADD);
  // With `/` as the separator, paths sort in the same order on every operating system.
  const within = (path: string): string => relative(folder, path).replaceAll('\\', '/');
  return images.sort((a, b) => (within(a) < within(b) ? -1 : 1));
}

/**
 * Lists the files in a folder and its subfolders. Skips hidden files and folders, the folder
 * `__MACOSX` of archives made by macOS, and links to folders.
 */
async function filesIn(folder: string): Promise<string[]> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(({ code }) => {
    const what = `cannot be opened as a folder (${code})`;
    throw datasetError('missing-folder', folder, what, CHECK);
  });
  const shown = inside.filter(({ name }) => !name.startsWith('.') && name !== '__MACOSX');
  const found = shown.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
  return (await Promise.all(found)).flat();
}

/**
 * Loads all images of a folder and its subfolders. Each image is scaled to fit into a square, with
 * its aspect ratio unchanged, and centred. Images are RGBA, or RGB if there is a background colour.
 *
 * @throws TrainingError 'missing-folder' if the folder cannot be opened; 'empty-set' if there are
 *   no images; 'broken-image' if an image cannot be read or is completely transparent
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
  const pictures = await mapInParallel(files, async (path) => {
    const picture = await readPicture(path, path, { side, margin });
    if (isInvisible(picture)) {
      const next = 'Draw something in the image, or remove the image from the folder';
      throw datasetError('broken-image', path, 'is completely transparent', next);
    }
    return ground === undefined ? picture : flatten(picture, ground);
  });
  const name = nameOfFile(folder);
  return {
    name: `folder-${name.toLowerCase().replaceAll(' ', '-')}`,
    side,
    channels,
    count: files.length,
    pixels: new Uint8Array(Buffer.concat(pictures)),
    entries: files.map((path) => ({ name: nameOfFile(path), kind: 'thing' as const })),
    splits: splitByShare(files.length, validationShare),
    source: `the user's own folder "${name}"`,
    licence: 'unknown (the licence of the images in the folder)',
    description: `${files.length} of the user's own images, ${side}×${side} pixels`,
  };
}

/** Parses a colour, "#rrggbb". @returns red, green and blue, 0…255 */
function colour(text: string): [number, number, number] {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Reads an image of any format that sharp supports (PNG, JPEG, SVG, WebP and others), scales it to
 * fit into a square with its aspect ratio unchanged, and centres it.
 *
 * The image is rotated according to its EXIF orientation and converted to sRGB. Only the first
 * frame of an animation is used. The Lanczos kernel has only two lobes, because a third lobe leaves
 * faint pixels around the picture.
 *
 * @param input file name or content of the image
 * @param file file name for error messages
 * @param size.side side of the square, in pixels
 * @param size.margin width of the transparent margin, in pixels
 * @returns [side, side, 4] premultiplied RGBA, 0…255; red, green and blue are at most alpha
 * @throws TrainingError 'broken-image' if the image cannot be read
 */
export async function readPicture(
  input: string | Uint8Array,
  file: string,
  { side, margin }: { readonly side: number; readonly margin: number },
): Promise<Uint8Array> {
  const inner = side - 2 * margin;
  const { data, info } = await decode(file, (sharp) =>
    sharp(input, { failOn: 'error' })
      .autoOrient()
      .resize(inner, inner, { fit: 'inside', kernel: 'lanczos2' })
      .toColourspace('srgb')
      .ensureAlpha(),
  );
  premultiply(data);
  return place(data, info.width, info.height, side);
}

/** Draws premultiplied RGBA pixels on a background colour. @returns [n, 3] RGB, 0…255 */
function flatten(rgba: Uint8Array, ground: readonly [number, number, number]): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4, o += 3) {
    const through = 255 - rgba[i + 3];
    for (let c = 0; c < 3; c++) rgb[o + c] = rgba[i + c] + Math.round((ground[c] * through) / 255);
  }
  return rgb;
}

/** Returns whether a picture is completely transparent. @param rgba [n, 4] */
export function isInvisible(rgba: Uint8Array): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 0) return false;
  return true;
}

function premultiply(rgba: Uint8Array): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    for (let c = i; c < i + 3; c++) rgba[c] = Math.round((rgba[c] * alpha) / 255);
  }
}

function place(rgba: Uint8Array, width: number, height: number, side: number): Uint8Array {
  const square = new Uint8Array(side * side * 4);
  const left = (side - width) >> 1;
  const top = (side - height) >> 1;
  for (let y = 0; y < height; y++) {
    const row = rgba.subarray(y * width * 4, (y + 1) * width * 4);
    square.set(row, ((top + y) * side + left) * 4);
  }
  return square;
}

/** Imports sharp, an image library, only when it is needed. */
async function loadSharp(): Promise<typeof import('sharp').default> {
  const { default: sharp } = await import('sharp').catch(() => {
    throw notInstalled('sharp');
  });
  sharp.cache(false);
  return sharp;
}

async function decode(
  file: string,
  pipeline: (sharp: Awaited<ReturnType<typeof loadSharp>>) => Sharp,
): Promise<{ data: Uint8Array; info: OutputInfo }> {
  const sharp = await loadSharp();
  try {
    return await pipeline(sharp).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0].trim();
    const next = 'Repair or replace the image, or remove the image from the folder';
    throw datasetError('broken-image', file, `cannot be read as an image (${why})`, next);
  }
}
