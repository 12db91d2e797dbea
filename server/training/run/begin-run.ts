/**
 * Creates the first state of a training run: from a stored run, from a checkpoint's weights, or
 * from random weights.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import {
  canRefine,
  compileObjective,
  createRefiner,
  nativeObjective,
} from '../../autodiff/refine-latent.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import { loadModel, type Model } from '../../vnca/checkpoint.ts';
import {
  type EncoderInput,
  type EncoderNetwork,
  encoderShapes,
} from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { Options } from '../command.ts';
import { differs, type TrainingConfig } from '../config.ts';
import { type Dataset, gatherImages } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { pointOf } from '../rollout/rollout-plan.ts';
import type { StopSignal } from '../terminal.ts';
import { type TrainedRule, trainedModel } from './export.ts';
import { loadRun, type Run } from './run-folder.ts';
import { firstState, LATENTS, OFFSETS, type RunState, runShapes } from './run-state.ts';

/**
 * Copies the weights of a small encoder into a larger encoder. Until trained further, the larger
 * encoder computes the same output as the small one.
 *
 * @param small net and weights of the small encoder
 * @param large net and random weights of the larger encoder
 * @returns weights `encoder.*` of the larger encoder; undefined if the encoders differ in anything
 *   but the number of units, or if a layer of the small encoder has more units
 */
export function enlargeEncoder(
  small: { readonly net: EncoderNetwork; readonly tensors: Tensors },
  large: { readonly net: EncoderNetwork; readonly tensors: Tensors },
  image: EncoderInput,
): Map<string, Float32Tensor> | undefined {
  const [from, to] = [small.net, large.net].map((net) => encoderShapes(net, image));
  const filled = new Map<string, Float32Tensor>();
  const kernels = [...to.keys()].filter((name) => name.endsWith('.kernel'));
  // Check the shapes of the small encoder's weights, because the checkpoint's card may be wrong and
  // because the image size may differ.
  if (misfitOf(small.tensors, from)) return undefined;
  if (from.size !== to.size || !isLike(small.net, large.net)) return undefined;
  /**
   * Number of the current layer's input channels, in the small encoder (`known`) and in the large
   * encoder (`units`).
   */
  let [known, units] = [image.channels, image.channels];
  for (const kernel of kernels) {
    const [before, shape] = [from.get(kernel), to.get(kernel)!];
    if (!before) return undefined;
    const [outBefore, out] = [before, shape].map((sizes) => sizes[sizes.length - 1]);
    if (outBefore > out || known > units) return undefined;
    const isLast = kernel === kernels[kernels.length - 1];
    if (isLast && out !== 2 * image.latentSize) return undefined;
    const source = small.tensors.get(kernel)!.data;
    const data = large.tensors.get(kernel)!.data.slice();
    for (let i = 0; i < data.length; i++) {
      const unit = i % out;
      if (unit >= outBefore) continue;
      const input = Math.floor(i / out);
      const of = input % units;
      const place = Math.floor(input / units);
      data[i] = of < known ? source[(place * known + of) * outBefore + unit] : 0;
    }
    filled.set(kernel, { shape, data });
    const bias = kernel.replace('.kernel', '.bias');
    const biases = large.tensors.get(bias)!.data.slice();
    biases.set(small.tensors.get(bias)!.data);
    filled.set(bias, { shape: [out], data: biases });
    [known, units] = [outBefore, out];
  }
  return filled;
}

/** Returns whether two encoders differ only in the number of units per layer. */
function isLike(small: EncoderNetwork, large: EncoderNetwork): boolean {
  const essence = ({ convolutions, dense, input, meanRange, logSigmaRange }: EncoderNetwork) =>
    JSON.stringify([
      convolutions.map(({ size, stride, pad }) => [size, stride, pad]),
      [dense.length, input, meanRange, logSigmaRange],
    ]);
  return essence(small) === essence(large);
}

/**
 * Loads a stored run to resume it, or creates a new run.
 *
 * @param say prints differences between the checkpoint and the configuration
 * @throws TrainingError 'no-run' if there is no run to resume; 'bad-run' if the stored run or the
 *   checkpoint does not fit the configuration
 */
export async function beginRun(
  { resume, from }: Pick<Options, 'resume' | 'from'>,
  config: TrainingConfig,
  folder: string,
  say: (line: string) => void = () => {},
): Promise<Run> {
  if (resume) return loadRun(folder, config);
  const state = firstState(config);
  if (from === undefined) {
    if (config.trains === 'all') return { state, seconds: 0 };
    const text =
      'a run that trains only the encoder needs a checkpoint. Give the folder of the checkpoint with --from.';
    throw new TrainingError('bad-run', text);
  }
  const model = await loadModel(from);
  checkOrigin(model, from, config, say);
  const shapes = runShapes(config);
  const names = [...shapes.keys()];
  const drawn = new Map(names.map((name) => [name, state.tensors.get(`parameter:${name}`)!]));
  const found = new Map([...model.tensors, ...encoderTensors(model, config, drawn)]);
  // Offsets are trained vectors that are added to the latents of gallery images. A checkpoint does
  // not store them, so start with the initial offsets.
  if (drawn.has(OFFSETS)) found.set(OFFSETS, drawn.get(OFFSETS)!);
  const misfit = misfitOf(found, shapes);
  if (misfit) {
    const why = 'The checkpoint and the configuration describe different models.';
    throw new TrainingError('bad-run', `${from}: ${misfit}. ${why}`);
  }
  const tensors = new Map(names.map((name) => [`parameter:${name}`, found.get(name)!]));
  return {
    state: { ...state, tensors, reached: pointOf(config, model.card.update.leak) },
    ...{ seconds: 0, from },
  };
}

/**
 * Returns the weights of a checkpoint's encoder, enlarged to the size in the configuration if
 * possible.
 */
function encoderTensors({ card, tensors }: Model, config: TrainingConfig, drawn: Tensors): Tensors {
  const { side, latentSize, readout } = config;
  const own = new Map([...tensors].filter(([name]) => name.startsWith('encoder.')));
  if (!card.encoder) return own;
  const image = { side, channels: imageChannels(readout), latentSize };
  const large = { net: config.encoder, tensors: drawn };
  return enlargeEncoder({ net: card.encoder, tensors }, large, image) ?? own;
}

/**
 * Fields of the rule that `checkOrigin` compares between a checkpoint and the configuration. Shapes
 * of tensors would not show all differences.
 */
const KEPT = ['side', 'channels', 'latentSize', 'growth', 'update', 'readout', 'presence'] as const;

/** Fields of an encoder on which its weights depend. Must not change after training. */
const ENCODING = ['input', 'meanRange', 'logSigmaRange'] as const;

/**
 * Checks that a new run can start from a checkpoint. The encoder's fields in `ENCODING` must be the
 * same in the checkpoint and the configuration. If the run trains only the encoder, the rule's
 * fields in `KEPT` must be the same, too. Other differences of rule and encoder are printed with
 * `say`.
 *
 * @throws TrainingError 'bad-run' if the checkpoint does not fit the configuration
 */
function checkOrigin(
  { card }: Model,
  from: string,
  config: TrainingConfig,
  say: (line: string) => void,
): void {
  const sayOthers = (paths: readonly string[]): void => {
    const what = `was trained with a different ${paths.map((path) => `"${path}"`).join(', ')}`;
    if (paths.length > 0) say(`${from} ${what}. The run uses the values in the configuration.`);
  };
  const changed = KEPT.flatMap((field) => differs(card[field], config[field], field) ?? []);
  if (changed.length > 0 && config.trains === 'encoder') {
    const why =
      'If a run trains only the encoder, all other parts of the model must stay as in the checkpoint.';
    const text = `${from}: "${changed[0]}" differs from the configuration. ${why}`;
    throw new TrainingError('bad-run', text);
  }
  sayOthers(changed);
  const { encoder: before } = card;
  const { encoder: now } = config;
  if (!before) return;
  const other = ENCODING.find((field) => !isDeepStrictEqual(before[field], now[field]));
  if (other !== undefined) {
    const why = `Copy "encoder.${other}" from the checkpoint's card to the configuration, because the encoder was trained with that value.`;
    const text = `${from}: "encoder.${other}" differs from the configuration. ${why}`;
    throw new TrainingError('bad-run', text);
  }
  const path = differs(before, now, 'encoder');
  sayOthers(path === undefined ? [] : [path]);
}

/**
 * If a run trains only the encoder, checks that the data set begins with the entries of the
 * checkpoint's gallery, in the same order. The run keeps the gallery's latents, and takes the
 * gallery's names from the data set.
 *
 * @param from folder of the checkpoint
 * @throws TrainingError 'bad-run' if the data set begins with other entries
 */
export async function checkGallery(
  { gallery, trains }: TrainingConfig,
  data: Dataset,
  from: string,
): Promise<void> {
  if (trains === 'all') return;
  const { card } = await loadModel(from);
  const entries = Array.from(data.splits.train.subarray(0, gallery), (i) => data.entries[i]);
  if (isDeepStrictEqual(card.gallery, entries)) return;
  const text = `${from}: the checkpoint's gallery must consist of the first ${gallery} training images, in the same order ("gallery" in the configuration is ${gallery})`;
  throw new TrainingError('bad-run', text);
}

/** Number of steps from the end of growth until nearly all cells are at rest. */
const REST_STEPS = 24;

/**
 * Optimises the offsets (trained vectors that are added to the latents of gallery images), so that
 * organisms look like their images after growth and at rest. The rule has not been trained with the
 * new latents, so training must continue afterwards.
 *
 * @param rule the rule with the weights of `state`
 * @param options.pull how strongly a latent is kept near its initial value: weight of their mean
 *   squared distance, relative to the error of the picture
 * @param options.stop if a stop is requested, the remaining latents are not optimised
 * @returns the state with the new offsets
 * @throws TrainingError 'bad-config' if the run has no offsets, if its rule updates cells at
 *   random, or if its pictures have no colours
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
    const what =
      'works only if the configuration contains "galleryOffsets", the pictures are in colour, and every cell updates in every step ("updateProbability" is 1)';
    throw new TrainingError('bad-config', `--refine ${what}`);
  }
  const model = await trainedModel(compute, rule);
  const latents = model.tensors.get(LATENTS)!.data;
  const { latentSize } = config;
  const objective = compute.openSteps
    ? nativeObjective(compute.openSteps(model.card), model, REST_STEPS)
    : await compileObjective(compute, model, REST_STEPS);
  const refine = createRefiner(objective, { now: () => 0 });
  const moved = offsets.data.slice();
  for (const [i, index] of data.splits.train.subarray(0, config.gallery).entries()) {
    if (stop?.isAsked()) break;
    const image = gatherImages(data, Uint32Array.of(index));
    const latent = latents.slice(i * latentSize, (i + 1) * latentSize);
    const refined = await refine({ image, latent, budget: Number.POSITIVE_INFINITY, pull });
    for (let j = 0; j < latentSize; j++) moved[i * latentSize + j] += refined[j] - latent[j];
  }
  await objective.dispose?.();
  const tensors = new Map(state.tensors);
  for (const set of ['parameter', 'average']) {
    const name = `${set}:${OFFSETS}`;
    if (tensors.has(name)) tensors.set(name, { ...offsets, data: moved.slice() });
  }
  return { ...state, tensors };
}
