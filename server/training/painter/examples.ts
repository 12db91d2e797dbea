/**
 * Collects the examples for training a painter: a data set's small pictures, each with its original
 * (the same picture with eight times the side), and gallery creatures grown to several ages. All
 * pixels are premultiplied RGBA, 0…255.
 */
import { INPUTS, type PainterNet, RAMP } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { type Checkpoint, galleryLatent } from '../../vnca/checkpoint.ts';
import { type ConfigOf, type DatasetConfig, parseDatasetConfig } from '../data/config.ts';
import { shuffled } from '../data/dataset.ts';
import { emojiName, openVectors, readEmoji } from '../data/emoji.ts';
import { readPicture } from '../data/folder.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { TrainingError } from '../errors.ts';
import { growGallery } from '../gallery/draw-gallery.ts';
import { meanSquare } from '../pictures/sheet.ts';
import type { PainterConfig } from './config.ts';
import { ENLARGED } from './net-and-loss.ts';

/** Side, in pixels, at which an emoji's vector picture is compared with the data set's picture. */
const COMPARED = 64;
/**
 * Maximum mean squared difference, 0…1, between an emoji's vector picture and the data set's
 * picture. If the difference is larger, the vector picture shows another drawing, and is not used.
 */
const LARGEST_DIFFERENCE = 0.002;

/** A small picture and its large original, in premultiplied RGBA, 0…255. */
export interface Original {
  /** Index of the picture in the data set. */
  readonly index: number;
  readonly name: string;
  /** [side, side, 4] */
  readonly small: Uint8Array;
  /** [8·side, 8·side, 4] */
  readonly large: Uint8Array;
}

/**
 * Loads the pictures of a data set that have a large original. The originals of Noto emoji are
 * vector pictures from an npm package. In a folder of images, the originals are the images at a
 * larger size.
 *
 * @param baseFolder folder to which relative paths in `config` refer; by default, the working
 *   directory
 * @throws TrainingError 'bad-data' if this kind of data set has no originals; errors of
 *   `loadDataset`
 */
export async function loadOriginals(
  config: DatasetConfig,
  baseFolder?: string,
): Promise<Original[]> {
  const data = parseDatasetConfig(config);
  if (data.kind === 'emoji') return emojiOriginals(data);
  if (data.kind !== 'folder') {
    const text = `a painter needs larger versions of the training images, but a data set of the kind "${data.kind}" has none`;
    throw new TrainingError('bad-data', text);
  }
  const enlarged = { ...data, side: ENLARGED * data.side, margin: ENLARGED * data.margin };
  const [small, large] = [
    await loadDataset(data, baseFolder),
    await loadDataset(enlarged, baseFolder),
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

/** A gallery creature for measuring a painter. */
export interface MeasuredCreature {
  readonly original: Original;
  /** [side, side, 4] Grown cells, premultiplied RGBA, 0…255. */
  readonly grown: Uint8Array;
  /** The creature's latent. Absent if the painter must draw without it. */
  readonly latent?: Float32Array | undefined;
}

/** A training example: cells, and the large picture that the painter should draw. */
export interface Example {
  readonly cells: Uint8Array;
  /**
   * [8·side, 8·side, 4] If the cells look like the data set's picture, the large original of this
   * picture; otherwise, the cells enlarged smoothly.
   */
  readonly picture: Uint8Array;
  /** The creature's latent. Absent if the painter does not learn genomes. */
  readonly latent?: Float32Array | undefined;
}

export interface Material {
  readonly originals: readonly Original[];
  readonly grown: readonly Example[];
  readonly side: number;
  /** Alpha below which a room does not show cells, 0…1. */
  readonly threshold: number;
}

/** Ages of creatures in examples, in steps since the end of growth; negative during growth. */
const AGES = [-6, -4, -2, 0, 8, 24, 48] as const;
/**
 * Age of creatures for measuring a painter, in steps since the end of growth. Must be in `AGES`.
 */
export const KEPT_AGE = 24;
/**
 * Grown cells resemble a small picture if the mean squared difference (0…1) is below this value.
 */
const SHOWS = 0.012;

/**
 * Chooses gallery creatures at random for measuring a painter. Equal seeds give equal creatures.
 *
 * @param options.kept maximum number of creatures. The function chooses at most half of the gallery
 *   creatures in `originals`
 * @throws TrainingError 'bad-data' if the pictures do not have the checkpoint's size
 */
export function chooseKept(
  card: Card,
  originals: readonly Original[],
  { seed, kept: most }: Pick<PainterConfig, 'seed' | 'kept'>,
): Original[] {
  if (originals.some(({ large }) => large.length !== 4 * (ENLARGED * card.side) ** 2)) {
    const text = `the side of the images must be ${card.side}, as in the checkpoint`;
    throw new TrainingError('bad-data', text);
  }
  const order = shuffled(inGallery(card, originals), createRandom(hashText(`${seed} kept`)));
  return order.slice(0, Math.min(most, order.length >> 1)).sort((a, b) => a.index - b.index);
}

/** Returns the data set's large pictures that belong to creatures in the checkpoint's gallery. */
export const inGallery = ({ gallery }: Card, originals: readonly Original[]): Original[] =>
  originals.filter(({ index, name }) => gallery[index]?.name === name);

/**
 * Reserves some gallery creatures for measuring, and makes training examples from all other
 * pictures and creatures.
 *
 * If the painter learns genomes, the grown cells of reserved creatures are training examples, too.
 * Measurements then do not give the painter the latents of reserved creatures, so that their
 * genomes count as unknown.
 *
 * @returns `kept`: the reserved creatures; `learned`: the creatures whose genomes are learned;
 *   `material`: the training examples
 * @throws TrainingError 'bad-data' if the pictures do not have the checkpoint's size, or if fewer
 *   than two belong to the checkpoint's gallery
 */
export async function prepareMaterial(
  checkpoint: Checkpoint,
  originals: readonly Original[],
  config: PainterConfig,
) {
  const { card } = checkpoint;
  const kept = chooseKept(card, originals, config);
  if (kept.length === 0) {
    const what =
      'fewer than two of these images show gallery creatures of the checkpoint. Choose the images on which the checkpoint was trained.';
    throw new TrainingError('bad-data', `${checkpoint.folder}: ${what}`);
  }
  const isKept = new Set(kept.map(({ index }) => index));
  const shown = new Map(inGallery(card, originals).map((original) => [original.index, original]));
  const cells = await growGallery(checkpoint, [...card.gallery.keys()], AGES);
  const atRest = new Map(
    cells.flatMap(({ entry, age, cells: bytes }) => (age === KEPT_AGE ? [[entry, bytes]] : [])),
  );
  const taught = new Map<number, MeasuredCreature>();
  const measured = (original: Original): MeasuredCreature => {
    return { original, grown: atRest.get(original.index)! };
  };
  const grown = cells
    .filter(({ entry }) => config.genome || !isKept.has(entry))
    .flatMap(({ entry, cells: bytes }): Example[] => {
      const original = shown.get(entry);
      const shows = original && meanSquare(bytes, original.small) < SHOWS;
      // Skip a creature whose picture has no large version in the data set. If genomes are learned,
      // also skip a creature whose grown cells do not look like its picture.
      if (!shows && (original === undefined || config.genome)) return [];
      const picture = shows ? original.large : enlarged(bytes, card.side, ENLARGED);
      if (!shows || !config.genome) return [{ cells: bytes, picture }];
      const latent = galleryLatent(checkpoint, entry);
      taught.set(entry, { ...measured(original), latent });
      return [{ cells: bytes, picture, latent }];
    });
  const material: Material = {
    originals: originals.filter(({ index }) => !isKept.has(index)),
    grown,
    side: card.side,
    threshold: card.presence.threshold,
  };
  return { kept: kept.map(measured), learned: [...taught.values()], material };
}

/** A painter net that draws no edges and only interpolates the cells. */
const NOTHING = [
  { inputs: INPUTS, outputs: 4, kernel: new Float32Array(INPUTS * 4), bias: new Float32Array(4) },
  { inputs: 4, outputs: 4, kernel: new Float32Array(16), bias: new Float32Array(4) },
  { inputs: 4, outputs: RAMP, kernel: new Float32Array(4 * RAMP), bias: new Float32Array(RAMP) },
] as const satisfies PainterNet;

/**
 * Enlarges cells by Catmull-Rom interpolation.
 *
 * @param cells [side, side, 4] premultiplied RGBA, 0…255
 * @param scale side of an enlarged cell, in pixels
 * @returns [scale·side, scale·side, 4] premultiplied RGBA, 0…255
 */
export function enlarged(cells: Uint8Array, side: number, scale: number): Uint8Array {
  const owners = new Uint8Array(side * side);
  const pixels = paint({ cells, owners, width: side, height: side, net: NOTHING, scale });
  return new Uint8Array(pixels.buffer);
}

/** Lanczos kernel with two lobes: sinc(x)·sinc(x / 2) for |x| < 2, else 0. */
const lanczos2 = (x: number): number => {
  if (x === 0) return 1;
  const p = Math.PI * x;
  return Math.abs(x) >= 2 ? 0 : (2 * Math.sin(p) * Math.sin(p / 2)) / (p * p);
};

/**
 * Shrinks a picture with a Lanczos kernel of two lobes.
 *
 * @param pixels [side, side, 4] premultiplied RGBA, 0…255
 * @param factor a divisor of `side`
 * @returns [side / factor, side / factor, 4] premultiplied RGBA, 0…255, with colours not above
 *   alpha
 */
export function reduced(pixels: Uint8Array, side: number, factor: number): Uint8Array {
  const small = side / factor;
  const taps = Array.from({ length: 4 * factor }, (_, k) =>
    lanczos2((k + 0.5 - 2 * factor) / factor),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const rows = new Float32Array(small * side * 4);
  for (let y = 0; y < small; y++) {
    taps.forEach((tap, k) => {
      const from = y * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      const [to, at] = [y * side * 4, from * side * 4];
      for (let i = 0; i < side * 4; i++) rows[to + i] += (tap / total) * pixels[at + i];
    });
  }
  const result = new Uint8Array(small * small * 4);
  const sum = new Float32Array(4);
  for (let i = 0; i < small * small; i++) {
    const [x, y] = [i % small, Math.floor(i / small)];
    sum.fill(0);
    taps.forEach((tap, k) => {
      const from = x * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      for (let c = 0; c < 4; c++) sum[c] += (tap / total) * rows[4 * (y * side + from) + c];
    });
    const alpha = Math.min(255, Math.max(0, Math.round(sum[3])));
    for (let c = 0; c < 3; c++) {
      result[4 * i + c] = Math.min(alpha, Math.max(0, Math.round(sum[c])));
    }
    result[4 * i + 3] = alpha;
  }
  return result;
}
