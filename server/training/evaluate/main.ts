/** Evaluates a checkpoint: `npm run evaluate -- checkpoints/<name>`. */
import { createEngine } from '../../engine/create-engine.ts';
import { loadModel } from '../../vnca/checkpoint.ts';
import { TrainingError } from '../errors.ts';
import { measure, openCompute, runTool, say } from '../terminal.ts';
import { evaluate, loadImages } from './evaluate.ts';
import { COMMAND } from './options.ts';
import { writeFigures, writePictures } from './write-pictures.ts';

await runTool('evaluate', COMMAND, async (options) => {
  const { backend, threads, folder, data, split, limit } = options;
  const model = await loadModel(folder);
  const { card } = model;
  say('reading the images');
  // Images are optional, unless the user asks for them with --data or --split.
  const isOptional = data === undefined && split === undefined;
  const judged = await loadImages(card, data, { limit, split }).catch((error: unknown) => {
    if (isOptional && error instanceof TrainingError) return error;
    throw error;
  });
  const compute = await openCompute(backend, threads);
  say(`${card.name} on ${compute.device}`);
  const canGraft = card.update.standingInput && card.gallery.length > 0 && options.chimeras > 0;
  const engine = canGraft
    ? await createEngine({
        ...{ checkpoints: [model], backend: compute.name },
        ...(threads !== undefined && { threads }),
      })
    : undefined;
  const chimeras = engine && { count: options.chimeras, engine };
  const evaluation = await evaluate(compute, model, judged, { ...options, chimeras }, measure);
  await engine?.close();
  const { figures } = evaluation;
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  if (options.write) {
    await writeFigures(folder, model, figures);
    await writePictures(compute, model, evaluation, options);
    say(`wrote the figures to card.json, and pictures beside it, in ${folder}`);
  }
  await compute.dispose();
});
