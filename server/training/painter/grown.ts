/**
 * Makes examples from creatures that a rule grows from its gallery, during late growth and after
 * it.
 */
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { type Checkpoint, galleryLatent } from '../../vnca/checkpoint.ts';
import { shuffled } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { growGallery } from '../gallery/draw-gallery.ts';
import { meanSquare } from '../pictures/sheet.ts';
import type { PainterConfig } from './config.ts';
import { enlarged } from './enlarge.ts';
import type { MeasuredCreature } from './measure.ts';
import { ENLARGED, type Original } from './originals.ts';
import type { Example, Material } from './scenes.ts';

/** Ages at which grown creatures become examples, in steps since the end of growth. */
const AGES = [-6, -4, -2, 0, 8, 24, 48] as const;
/** Age at which creatures are measured. Must be one of `AGES`. */
export const KEPT_AGE = 24;
/** Largest mean squared difference at which grown cells still show the picture. */
const SHOWS = 0.012;

/**
 * Draws the gallery creatures to keep out of training, for measuring. The same random seed always
 * gives the same creatures.
 *
 * @param most maximum number; never more than half of the creatures that have an original
 * @throws TrainingError bad-data: the pictures are of another size
 */
export function chooseKept(
  card: Card,
  originals: readonly Original[],
  { seed, kept: most }: Pick<PainterConfig, 'seed' | 'kept'>,
): Original[] {
  if (originals.some(({ large }) => large.length !== 4 * (ENLARGED * card.side) ** 2)) {
    throw new TrainingError('bad-data', `pictures are not of the checkpoint's side ${card.side}`);
  }
  const order = shuffled(inGallery(card, originals), createRandom(hashText(`${seed} kept`)));
  return order.slice(0, Math.min(most, order.length >> 1)).sort((a, b) => a.index - b.index);
}

/** Returns the originals of creatures in the gallery. */
export const inGallery = ({ gallery }: Card, originals: readonly Original[]): Original[] =>
  originals.filter(({ index, name }) => gallery[index]?.name === name);

/**
 * Sets some gallery creatures aside for measuring, and makes examples of all other creatures and
 * pictures.
 *
 * @returns also the creatures whose genomes are to be learned, if any. Kept creatures are among
 * them, because they only measure how other cells are painted
 * @throws TrainingError bad-data: the pictures are of another size, or none can be kept
 */
export async function prepareMaterial(
  checkpoint: Checkpoint,
  originals: readonly Original[],
  config: PainterConfig,
) {
  const { card } = checkpoint;
  const kept = chooseKept(card, originals, config);
  if (kept.length === 0) {
    const what = 'fewer than two images belong to its gallery; choose the images it was trained on';
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
      // Skip creatures without an original, because a painter can learn nothing from them.
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
