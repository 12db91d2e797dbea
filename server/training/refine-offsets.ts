/** Refines the latents of a gallery into its offsets, so that each grows more like its picture. */
import type { Compute } from '../autodiff/compute.ts';
import { canRefine, openRefiner } from '../autodiff/refine-latent.ts';
import { gatherImages } from './data/dataset.ts';
import { TrainingError } from './errors.ts';
import { type TrainedRule, trainedModel } from './export.ts';
import type { StopSignal } from './failures.ts';
import { LATENTS, OFFSETS, type RunState } from './run-state.ts';

/** Steps after growth in which nearly all cells reach the picture at which they rest. */
const REST_STEPS = 24;

/**
 * Moves the offsets of a gallery to where its pictures are best, grown and at rest. The encoder keeps latents near each
 * other, at the cost of the picture, and offsets alone learn slowly. The rule has not yet learnt to rest and
 * heal with the moved latents: the run must go on.
 *
 * @param rule the weights that a checkpoint of this state has
 * @param asked.pull weight of the mean squared distance from where each latent is, beside the picture's error
 * @param asked.stop ends it before the next latent; those that have moved stay where they are then
 * @returns the state with other `gallery.offsets`
 * @throws TrainingError bad-config if the run has no offsets, or its rule grows by chance or without colours
 */
export async function refineOffsets(
  compute: Compute,
  rule: TrainedRule,
  state: RunState,
  { pull, stop }: { readonly pull: number; readonly stop?: StopSignal },
): Promise<RunState> {
  const { config, data, weights } = rule;
  const offsets = weights.get(OFFSETS);
  if (!offsets || !canRefine(config)) {
    const what = 'needs "galleryOffsets", and pictures in colours that a rule grows without chance';
    throw new TrainingError('bad-config', `--refine ${what}`);
  }
  const model = await trainedModel(compute, rule);
  const latents = model.tensors.get(LATENTS)!.data;
  const { latentSize } = config;
  const refiner = await openRefiner(compute, model, { now: () => 0, restSteps: REST_STEPS });
  const moved = offsets.data.slice();
  for (const [i, index] of data.splits.train.subarray(0, config.gallery).entries()) {
    if (stop?.isAsked()) break;
    const image = gatherImages(data, Uint32Array.of(index));
    const latent = latents.slice(i * latentSize, (i + 1) * latentSize);
    const refined = await refiner.refine({ image, latent, budget: Number.POSITIVE_INFINITY, pull });
    for (let j = 0; j < latentSize; j++) moved[i * latentSize + j] += refined[j] - latent[j];
  }
  await refiner.dispose();
  const tensors = new Map(state.tensors);
  for (const set of ['parameter', 'average']) {
    const name = `${set}:${OFFSETS}`;
    if (tensors.has(name)) tensors.set(name, { ...offsets, data: moved.slice() });
  }
  return { ...state, tensors };
}
