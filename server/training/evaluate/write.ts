/**
 * Writes an evaluation to the folder of its checkpoint: figures into the card, pictures beside it.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { CARD_FILE, type Model } from '../../vnca/checkpoint.ts';
import { MAP_FILE } from '../../vnca/gallery-map.ts';
import { replaceFile } from '../large-files.ts';
import { tilesOfStates } from '../pictures/sheet.ts';
import { EvaluationError } from './errors.ts';
import type { Evaluation, Figures } from './evaluate.ts';
import { EvaluationBatch } from './evaluation-batch.ts';
import type { Options } from './options.ts';
import { drawMap, mapLatents } from './picture.ts';
import { drawGrowth, drawHealing, drawInterpolation, drawSamples } from './strips.ts';
import { drawWoundChart } from './wound-chart.ts';

/** Files that an evaluation writes beside the card of its checkpoint. */
export const WRITTEN_FILES = [
  'samples.png',
  'growth.png',
  'heal.png',
  'wounds.png',
  'interpolation.png',
  'map.png',
  MAP_FILE,
] as const;

/** Most steps after growth that growth.png shows. */
const GROWTH_PICTURED = 1000;

/**
 * Draws samples.png, growth.png, heal.png, interpolation.png, wounds.png, and map.png with map.json:
 * `{ name, kind, x, y }` of each gallery entry, 0…1. Of a decoder, only samples and map.
 *
 * @param options.onWritten called with the name of each file
 */
export async function writePictures(
  compute: Compute,
  model: Model,
  { grown, figures }: Evaluation,
  {
    folder,
    steps,
    seed,
    kernel,
    onWritten,
  }: Pick<Options, 'folder' | 'steps' | 'seed'> & {
    /** See `EvaluationBatch`. */
    readonly kernel?: string | undefined;
    readonly onWritten: (name: string) => void;
  },
): Promise<void> {
  const random = (what: string) => createRandom(hashText(`${seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, seed, { kernel });
  const pictured = steps.filter((at) => at <= GROWTH_PICTURED);
  const write = async (
    name: (typeof WRITTEN_FILES)[number],
    content: Buffer | string,
  ): Promise<void> => {
    await writeFile(join(folder, name), content);
    onWritten(name);
  };
  await write('samples.png', await drawSamples(batch, model, random('samples')));
  if (grown.count > 0) {
    const closing = model.card.closing ?? 1;
    await write('growth.png', await drawGrowth(batch, grown, pictured));
    await write('heal.png', await drawHealing(batch, grown, random('pictured wounds')));
    await write('wounds.png', await drawWoundChart({ ...figures, closing }));
  }
  if (grown.count > 1) {
    await write('interpolation.png', await drawInterpolation(batch, grown, random('pairs')));
  }
  const { card, tensors } = model;
  const latents = tensors.get('gallery.latents')!.data;
  const places = mapLatents(latents, card.gallery.length, random('map'));
  if (places) {
    const tiles = tilesOfStates(card, await batch.grow(latents), card.side);
    const entries = card.gallery.map(({ name, kind }, i) => ({
      name,
      kind,
      x: Number(places[i].x.toFixed(4)),
      y: Number(places[i].y.toFixed(4)),
    }));
    // With 256 colours it looks the same, in a third of the bytes.
    const { default: sharp } = await import('sharp');
    await write('map.png', await sharp(drawMap(tiles, places)).png({ palette: true }).toBuffer());
    const lines = entries.map((entry) => `  ${JSON.stringify(entry)}`);
    await write(MAP_FILE, `[\n${lines.join(',\n')}\n]\n`);
  }
  await batch.dispose();
}

/**
 * Replaces the figures of the card; the rest of the card does not change.
 *
 * @param model whose figures they are
 * @throws EvaluationError other-weights: the folder has another one by now
 */
export async function writeFigures(folder: string, model: Model, figures: Figures): Promise<void> {
  const file = join(folder, CARD_FILE);
  const card = JSON.parse(await readFile(file, 'utf8'));
  if (card.identity !== model.card.identity) {
    const what =
      'the figures are of weights that have been replaced meanwhile; evaluate them again';
    throw new EvaluationError('other-weights', `${file}: ${what}`);
  }
  const text = JSON.stringify({ ...card, figures }, null, 2);
  // One line per gallery entry, as in the published cards.
  const compact = text.replace(
    /\{\s+"name": ("(?:[^"\\]|\\.)*"),\s+"kind": ("[a-z]+")\s+\}/g,
    '{"name": $1, "kind": $2}',
  );
  await replaceFile(file, [`${compact}\n`]);
}
