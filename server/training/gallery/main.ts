/**
 * Implements `npm run gallery -- checkpoints/<name>`, which draws a checkpoint's `gallery.png` and
 * `gallery.avif`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../../shared/random.ts';
import { loadModel, type Model, PAINTER_FILE } from '../../vnca/checkpoint.ts';
import { GALLERY_FILE, gallerySheet, PAINTED_GALLERY_FILE } from '../../vnca/gallery.ts';
import { TrainingError } from '../errors.ts';
import { EvaluationBatch } from '../evaluate/evaluation-batch.ts';
import { identified, writeCheckpoint } from '../run/export.ts';
import { replaceFile } from '../run/large-files.ts';
import { LATENTS } from '../run/run-state.ts';
import { CHECKPOINT_FOLDER, openCompute, runTool, say } from '../terminal.ts';
import { drawGallery, paintGallery } from './draw-gallery.ts';
import { settleLatents, settleRefusal } from './settle.ts';

const COMMAND = {
  about:
    'Draws gallery.png, which shows every creature in the gallery of a checkpoint, fully grown. If the checkpoint has a painter, also writes gallery.avif, a painted version of gallery.png.',
  usage: 'npm run gallery -- <folder> [options]',
  positional: CHECKPOINT_FOLDER,
  options: {
    settle: {
      help: 'before drawing, look for organisms that never stop changing, and try to replace the latents (numbers) from which they grow. An organism grown from a new latent looks like the old one, but stops changing. Links to seeds of the checkpoint (tokens) become invalid, so use --settle only on a checkpoint that was just trained',
    },
  },
} as const;

await runTool('gallery', COMMAND, async ({ folder, settle }) => {
  const model = await loadModel(folder);
  const file = join(folder, GALLERY_FILE);
  const refusal = settle ? settleRefusal(model.card) : undefined;
  if (refusal !== undefined) throw new TrainingError('bad-config', `--settle: ${refusal}`);
  const settled = settle ? await settleGallery(model) : model;
  if (settled !== model) await writeCheckpoint(folder, settled, say);
  else await replaceFile(file, [await drawGallery(model)]);
  const painter = await readFile(join(folder, PAINTER_FILE)).catch(() => undefined);
  if (painter) {
    const painted = await paintGallery(settled, await readFile(file), painter);
    await replaceFile(join(folder, PAINTED_GALLERY_FILE), [painted]);
  }
  const { width, height } = gallerySheet(model.card);
  process.stdout.write(`${file}: ${width}×${height}\n`);
});

/**
 * Replaces gallery latents whose organisms do not come to rest.
 *
 * @returns a new model, or the given model if no latent has changed
 */
async function settleGallery(model: Model): Promise<Model> {
  const compute = await openCompute('onnx', undefined);
  const batch = new EvaluationBatch(compute, model, 1);
  const before = model.tensors.get(LATENTS)!;
  say(`finding out which of ${before.shape[0]} organisms never stop changing`);
  const { latents, restless, moved } = await settleLatents(batch, before.data, createRandom(1));
  say(`${moved.size} of ${restless.length} organisms that never stopped changing now come to rest`);
  await batch.dispose();
  await compute.dispose();
  if (moved.size === 0) return model;
  const tensors = new Map(model.tensors).set(LATENTS, { ...before, data: latents });
  const training = { ...model.card.training, settled: `${moved.size} of ${restless.length}` };
  return identified({ card: { ...model.card, training }, tensors });
}
