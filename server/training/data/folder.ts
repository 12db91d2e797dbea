/** A folder of the user's own images. */
import type { ConfigOf } from './config.ts';
import { type BuildProgress, type Dataset, type DatasetSource, splitByShare } from './dataset.ts';
import { DatasetError } from './errors.ts';
import { type ImageFile, listFingerprint, listImages, readPixels } from './image-files.ts';
import { nameOfFile } from './names.ts';
import { flatten, isInvisible, readPicture } from './picture.ts';

/**
 * Opens all images of a folder and its subfolders, centred with their aspect ratio: RGBA, or RGB
 * with a background colour.
 *
 * @throws DatasetError missing-folder, empty-set, broken-image
 */
export async function openFolder(config: ConfigOf<'folder'>): Promise<DatasetSource> {
  const files = await listImages(config.folder);
  return {
    name: `folder-${config.side}`,
    fingerprint: listFingerprint(files, ''),
    build: (onProgress) => build(config, files, onProgress),
  };
}

async function build(
  { folder, side, margin, background, validationShare }: ConfigOf<'folder'>,
  files: readonly ImageFile[],
  onProgress: BuildProgress,
): Promise<Dataset> {
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
  const pixels = await readPixels(files, side * side * channels, read, onProgress);
  const name = nameOfFile(folder);
  return {
    name: `folder-${name.toLowerCase().replaceAll(' ', '-')}`,
    side,
    channels,
    count: files.length,
    pixels,
    entries: files.map(({ path }) => ({ name: nameOfFile(path), kind: 'thing' as const })),
    splits: splitByShare(files.length, validationShare),
    source: `the user's own folder "${name}"`,
    licence: 'not known: that of the images in the folder',
    description: `${files.length} images of the user's own, ${side}×${side}`,
  };
}

/** "#rrggbb" → 0…255 each. */
function colour(text: string): [number, number, number] {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
