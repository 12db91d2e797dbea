/** Loads pictures of a set, each with its original, which is eight times as large. */
import { type ConfigOf, type DatasetConfig, parseDatasetConfig } from '../data/config.ts';
import { emojiName, readEmoji } from '../data/emoji.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { readPicture } from '../data/read-picture.ts';
import { openVectors } from '../data/vectors.ts';
import { TrainingError } from '../errors.ts';
import { meanSquare } from '../pictures/sheet.ts';

/** Size of originals, as a multiple of the size of their pictures. */
export const ENLARGED = 8;
/** Side at which a vector picture is compared with the set's picture. */
const COMPARED = 64;
/**
 * Largest mean squared difference at which a vector picture still shows the same as the set's
 * picture.
 */
const LARGEST_DIFFERENCE = 0.002;

/** A picture and the original that it should resemble; both premultiplied RGBA, 0…255. */
export interface Original {
  /** Index in the set. */
  readonly index: number;
  readonly name: string;
  /** Shape [s, s, 4]. */
  readonly small: Uint8Array;
  /** Shape [8s, 8s, 4]. */
  readonly large: Uint8Array;
}

/**
 * Loads the pictures that have an original. Originals of Noto emoji are vector pictures from an npm
 * package; images of a folder are read again at the larger size.
 *
 * @param baseFolder folder that relative folders in `config` start from. If absent, the working
 * directory
 * @throws TrainingError bad-data: the set has no larger originals; DatasetError
 */
export async function loadOriginals(
  config: DatasetConfig,
  baseFolder?: string,
): Promise<Original[]> {
  const data = parseDatasetConfig(config);
  if (data.kind === 'emoji') return emojiOriginals(data);
  if (data.kind !== 'folder') {
    throw new TrainingError('bad-data', `pictures of "${data.kind}" have no larger originals`);
  }
  const [small, large] = [
    await loadDataset(data, baseFolder),
    await loadDataset(
      { ...data, side: ENLARGED * data.side, margin: ENLARGED * data.margin },
      baseFolder,
    ),
  ];
  const pictureOf = ({ pixels, count }: typeof small, i: number): Uint8Array =>
    pixels.subarray((i * pixels.length) / count, ((i + 1) * pixels.length) / count);
  return small.entries.map(({ name }, index) => ({
    ...{ index, name },
    ...{ small: pictureOf(small, index), large: pictureOf(large, index) },
  }));
}

async function emojiOriginals(config: ConfigOf<'emoji'>): Promise<Original[]> {
  const pictures = await readEmoji(config);
  const { drawing } = await openVectors('@iconify-json/noto');
  const { side, margin } = config;
  const fit = { side: ENLARGED * side, margin: ENLARGED * margin };
  const found: Original[] = [];
  for (const [index, { emoji, file, picture }] of pictures.entries()) {
    const svg = drawing(emoji.unified);
    if (!svg) continue;
    const compared = { side: COMPARED, margin: 0 };
    const ours = await readPicture(file, emoji.image, compared);
    const theirs = await readPicture(svg, emoji.image, compared);
    if (meanSquare(ours, theirs) > LARGEST_DIFFERENCE) continue;
    const large = await readPicture(svg, emoji.image, fit);
    found.push({ index, name: emojiName(emoji), small: picture, large });
  }
  return found;
}
