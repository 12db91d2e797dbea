/** Evaluates a checkpoint: `npm run evaluate -- checkpoints/<name>`. */

import { join } from 'node:path';
import { createCompute } from '../../autodiff/create.ts';
import type { StartError } from '../../engine/backend.ts';
import { explain } from '../../engine/backends.ts';
import { loadKernel } from '../../engine/native/native.ts';
import { runCommand } from '../../settings/document.ts';
import { CARD_FILE, loadModel } from '../../vnca/checkpoint.ts';
import { DatasetError } from '../data/dataset.ts';
import { reportErrors } from '../errors.ts';
import { say } from '../failures.ts';
import { openKeep } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { deviceOf, evaluate } from './evaluate.ts';
import { painterFigures } from './image-figures.ts';
import { COMMAND, type Options } from './options.ts';
import { createMeter } from './progress-meter.ts';
import { describe } from './report.ts';
import { type Judged, loadImages } from './test-images.ts';
import { writeFigures, writePictures } from './write.ts';

async function main(options: Options): Promise<void> {
  const model = await loadModel(options.folder);
  const judged = await loadJudged(model.card, options);
  const { backend, threads, keep: file, ...wanted } = options;
  const keep =
    file === undefined || judged instanceof EvaluationError
      ? undefined
      : await openKeep(file, { ...wanted, model, images: judged });
  if (keep && keep.known.length > 0) say(`${keep.known.length} images are in ${file}`);
  const onSkip = (reason: string): void => say(`not used: ${reason}`);
  const isNative = backend === 'native';
  const compute = await createCompute(isNative ? 'onnx' : backend, { threads, onSkip });
  const hasCells = model.card.update.kind !== 'decoder';
  const kernel =
    hasCells && (isNative || (backend === 'auto' && compute.name === 'onnx'))
      ? await kernelOfRooms(isNative, onSkip)
      : undefined;
  say(`${model.card.name} on ${deviceOf(compute, kernel)}`);
  const meter = createMeter(() => performance.now(), say);
  say('measuring the painter, if there is one');
  const painter = await painterFigures({ compute, model, ...options });
  const asked = { ...wanted, kernel, painter, ...(keep && { keep }) };
  const evaluation = await evaluate(compute, model, judged, asked, meter);
  const { figures } = evaluation;
  process.stdout.write(`${options.json ? JSON.stringify(figures, null, 2) : describe(figures)}\n`);
  if (options.write) {
    await writeFigures(options.folder, model, figures);
    const onWritten = (name: string): void => say(`wrote ${join(options.folder, name)}`);
    onWritten(CARD_FILE);
    await writePictures(compute, model, evaluation, { ...options, kernel, onWritten });
  }
  await compute.dispose();
}

/**
 * The kernel that steps cells in rooms: twice as fast as programs.
 *
 * @param isAsked whether it was named
 * @returns its file; undefined: it is not here
 * @throws EvaluationError no-kernel: it was named and is not here
 */
async function kernelOfRooms(
  isAsked: boolean,
  onSkip: (reason: string) => void,
): Promise<string | undefined> {
  try {
    return (await loadKernel()).file;
  } catch (error) {
    const { message, remedy } = error as StartError;
    const failure = { name: 'native', onlyGpu: false, reason: message } as const;
    const reason = explain({ ...failure, ...(remedy !== undefined && { remedy }) });
    if (isAsked) throw new EvaluationError('no-kernel', reason);
    onSkip(reason);
    return undefined;
  }
}

/**
 * Loads the images, or returns why there are none: much can be measured without. Images named with
 * --data or --split must exist.
 */
async function loadJudged(
  card: Parameters<typeof loadImages>[0],
  { data, ...chosen }: Options,
): Promise<Judged | EvaluationError> {
  try {
    return await loadImages(card, data, chosen, (done, total) => {
      if (done === total) say(`${total} images read`);
    });
  } catch (error) {
    const isAsked = data !== undefined || chosen.split !== undefined;
    if (!isAsked && error instanceof EvaluationError) return error;
    if (!isAsked && error instanceof DatasetError) {
      return new EvaluationError('no-data', error.message);
    }
    throw error;
  }
}

await reportErrors('evaluate', runCommand(COMMAND, main));
