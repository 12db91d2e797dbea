/** Evaluates a checkpoint: `npm run evaluate -- checkpoints/<name>`. */
import { join } from 'node:path';
import { createEngine } from '../../engine/create-engine.ts';
import type { Card } from '../../vnca/card.ts';
import { CARD_FILE, loadModel } from '../../vnca/checkpoint.ts';
import { TrainingError } from '../errors.ts';
import { createMeter, openCompute, runTool, say } from '../terminal.ts';
import { evaluate } from './evaluate.ts';
import { COMMAND, type Options } from './options.ts';
import { describe } from './report.ts';
import { loadImages, type TestImages } from './test-images.ts';
import { writeFigures, writePictures } from './write.ts';

async function main(options: Options): Promise<void> {
  const { backend, threads, ...wanted } = options;
  const { folder } = wanted;
  const model = await loadModel(folder);
  const judged = await loadJudged(model.card, options);
  const compute = await openCompute(backend, threads);
  say(`${model.card.name} on ${compute.device}`);
  const canGraft = model.card.update.standingInput && model.card.gallery.length > 0;
  const engine =
    canGraft && options.chimeras > 0
      ? await createEngine({
          ...{ checkpoints: [model], backend: compute.name },
          ...(threads !== undefined && { threads }),
        })
      : undefined;
  const chimeras = engine && { count: options.chimeras, engine };
  const meter = createMeter(() => performance.now(), say);
  const evaluation = await evaluate(compute, model, judged, { ...wanted, chimeras }, meter);
  await engine?.close();
  const { figures } = evaluation;
  process.stdout.write(`${options.json ? JSON.stringify(figures, null, 2) : describe(figures)}\n`);
  if (options.write) {
    await writeFigures(folder, model, figures);
    const onWritten = (name: string): void => say(`wrote ${join(folder, name)}`);
    onWritten(CARD_FILE);
    await writePictures(compute, model, evaluation, { ...wanted, onWritten });
  }
  await compute.dispose();
}

/**
 * Loads the images, or returns why there are none, because much can be measured without images.
 * Images named with --data or --split must exist.
 */
async function loadJudged(
  card: Card,
  { data, split, limit }: Options,
): Promise<TestImages | TrainingError> {
  say('reading the images');
  try {
    return await loadImages(card, data, { limit, ...(split && { split }) });
  } catch (error) {
    const isAsked = data !== undefined || split !== undefined;
    if (!isAsked && error instanceof TrainingError) return error;
    throw error;
  }
}

await runTool('evaluate', COMMAND, main);
