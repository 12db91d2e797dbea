/** Writes a painter to a checkpoint's folder, and describes it in the checkpoint's card. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHalf } from '../../../shared/half-floats.ts';
import {
  GENOME_PAINTER_VERSION,
  KEY,
  KEYS,
  PAINTER_VERSION,
  type PainterNet,
  parsePainter,
  rampsOf,
} from '../../../shared/painter/net.ts';
import { type Float32Tensor, readSafetensors } from '../../../shared/safetensors.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { parseCard } from '../../vnca/card.ts';
import {
  CARD_FILE,
  type Checkpoint,
  fingerprint,
  loadModel,
  MODEL_FILE,
  PAINTER_FILE,
  writeSafetensors,
} from '../../vnca/checkpoint.ts';
import { TrainingError } from '../errors.ts';
import { readIfThere, replaceFile } from '../run/large-files.ts';

/** The largest finite 16-bit float. */
const LARGEST = 65_504;

/**
 * Converts weights to the content of `painter.safetensors`, with 16-bit floats. Clamps weights that
 * are too large for a 16-bit float.
 *
 * @param weights the painter's tensors
 */
export function painterBytes(weights: Tensors): Uint8Array {
  const version = weights.has(KEYS) ? GENOME_PAINTER_VERSION : PAINTER_VERSION;
  const halves = new Map(
    Array.from(weights, ([name, { shape, data }]) => {
      const within = data.map((x) => Math.max(-LARGEST, Math.min(LARGEST, x)));
      return [name, { shape, data: toHalf(within) }];
    }),
  );
  return writeSafetensors(halves, { painter: `${version}` });
}

/** Returns the tensors of a `painter.safetensors` file. */
export const painterTensors = (bytes: Uint8Array): Map<string, Float32Tensor> =>
  new Map(
    Array.from(readSafetensors(bytes).tensors, ([name, { shape, data }]) => {
      return [name, { shape, data: data! }];
    }),
  );

/**
 * Returns a tensor of keys, which identify learned genomes. A key is the first `KEY` values of a
 * genome's latent.
 *
 * @param latents latents of the genomes, [Z] each
 */
export const keysOf = (latents: readonly Float32Array[]): Float32Tensor => ({
  shape: [latents.length, KEY],
  data: Float32Array.from(latents.flatMap((latent) => Array.from(latent.subarray(0, KEY)))),
});

/** Returns the entry that describes a painter in the checkpoint's card. */
export const painterEntry = (net: PainterNet, figures: Record<string, unknown>) => ({
  version: net.learned ? GENOME_PAINTER_VERSION : PAINTER_VERSION,
  hidden: [net[0].outputs, net[1].outputs],
  ramps: rampsOf(net),
  ...(net.learned && { genomes: net.learned.keys.length / KEY }),
  figures,
});

/**
 * Checks that a folder contains no checkpoint, or the checkpoint for which the painter is trained.
 *
 * @throws TrainingError 'bad-data' if the folder contains another checkpoint; CheckpointError if
 *   the checkpoint in the folder cannot be read
 */
export async function checkOut(folder: string, { card, tensors }: Checkpoint): Promise<void> {
  const file = join(folder, CARD_FILE);
  const bytes = await readIfThere(file);
  if (!bytes) return;
  const hasWeights = (await readIfThere(join(folder, MODEL_FILE))) !== undefined;
  const there = hasWeights
    ? await loadModel(folder)
    : { card: parseCard(JSON.parse(bytes.toString()), file), tensors };
  if (fingerprint(there) === fingerprint({ card, tensors })) return;
  const what =
    'the folder contains another checkpoint. Write the painter to a different folder with --out.';
  throw new TrainingError('bad-data', `${folder}: ${what}`);
}

/**
 * Writes a painter to a checkpoint's folder, and describes it in the checkpoint's card. If the
 * folder has no card, copies the source checkpoint's card first.
 *
 * @param source folder of the checkpoint for which the painter was trained
 * @param bytes content of `painter.safetensors`
 * @param figures measured numbers about the painter, for the checkpoint's card
 */
export async function writePainter(
  folder: string,
  source: string,
  bytes: Uint8Array,
  figures: Record<string, unknown>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, PAINTER_FILE), [bytes]);
  const there = await readIfThere(join(folder, CARD_FILE));
  const card = JSON.parse(`${there ?? (await readFile(join(source, CARD_FILE)))}`);
  const painter = painterEntry(parsePainter(bytes), figures);
  const { figures: ofRule, painter: _, ...rest } = card;
  const text = JSON.stringify({ ...rest, painter, figures: ofRule }, null, 2);
  await replaceFile(join(folder, CARD_FILE), [`${text}\n`]);
}
