/** Pictures of a set, each with its original eight times as large. */
import { type ConfigOf, type DatasetConfig, parseDatasetConfig } from '../data/config.ts';
import { emojiName, readEmoji } from '../data/emoji.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { readPicture } from '../data/picture.ts';
import { openVectors } from '../data/vectors.ts';
import { TrainingError } from '../errors.ts';

/** How many times as large as the pictures originals are. */
export const ENLARGED = 8;
/** Side at which a vector picture is compared with ours. */
const COMPARED = 64;
/** Vector pictures that differ more, in mean squared difference, show something else. */
const LARGEST_DIFFERENCE = 0.002;

/** A picture and its original, premultiplied RGBA, 0…255. */
export interface Original {
  /** Index in the set. */
  readonly index: number;
  readonly name: string;
  /** [s, s, 4] */
  readonly small: Uint8Array;
  /** [8s, 8s, 4] */
  readonly large: Uint8Array;
}

/**
 * Loads the pictures that have an original: Noto emoji from the vector pictures of an npm package,
 * images of a folder from their own pixels.
 *
 * @param wanted which of the set's pictures; default: all
 * @throws TrainingError bad-data: the set has no larger originals; DatasetError
 */
export async function loadOriginals(
  config: DatasetConfig,
  { baseFolder = process.cwd(), wanted = (_: number): boolean => true } = {},
): Promise<Original[]> {
  const data = parseDatasetConfig(config);
  if (data.kind === 'emoji') return emojiOriginals(data, wanted);
  if (data.kind !== 'folder') {
    throw new TrainingError('bad-data', `pictures of "${data.kind}" have no larger originals`);
  }
  const [small, large] = [
    await loadDataset(data, { baseFolder }),
    await loadDataset(
      { ...data, side: ENLARGED * data.side, margin: ENLARGED * data.margin },
      { baseFolder },
    ),
  ];
  const pictureOf = ({ pixels, count }: typeof small, i: number): Uint8Array =>
    pixels.subarray((i * pixels.length) / count, ((i + 1) * pixels.length) / count);
  return small.entries.flatMap(({ name }, index) =>
    wanted(index)
      ? [{ index, name, small: pictureOf(small, index), large: pictureOf(large, index) }]
      : [],
  );
}

async function emojiOriginals(
  config: ConfigOf<'emoji'>,
  wanted: (index: number) => boolean,
): Promise<Original[]> {
  const pictures = await readEmoji(config);
  const { drawing } = await openVectors('@iconify-json/noto');
  const { side, margin } = config;
  const fit = { side: ENLARGED * side, margin: ENLARGED * margin };
  const found: Original[] = [];
  for (const [index, { emoji, file, picture }] of pictures.entries()) {
    const svg = wanted(index) ? drawing(emoji.unified) : undefined;
    if (!svg) continue;
    const compared = { side: COMPARED, margin: 0 };
    const ours = await readPicture(file, emoji.image, compared);
    if (difference(ours, await readPicture(svg, emoji.image, compared)) > LARGEST_DIFFERENCE)
      continue;
    const large = await readPicture(svg, emoji.image, fit);
    found.push({ index, name: emojiName(emoji), small: picture, large });
  }
  return found;
}

function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] - b[i]) / 255) ** 2;
  return sum / a.length;
}
