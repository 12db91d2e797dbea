/**
 * Builds an ONNX model that computes one step of a cell rule. For the rule's reference
 * implementation, see `tfjs/tensorflow.ts`.
 */
import { runTrunk } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { type OwnPart, ownLayout } from '../../vnca/genome.ts';
import { ModelWriter } from './model.ts';
import { convolveTiles, TILE } from './winograd.ts';

/** Names of the model's inputs and of its output. */
export const STATES = 'states';
export const OWN = 'own';
export const MASK = 'mask';
export const AFTER = 'after';

/**
 * An input of the model for one part of a patch's own weights. Own weights are the weights that
 * depend on the patch's genome.
 */
interface OwnInput extends OwnPart {
  readonly name: string;
  readonly shape: readonly number[];
}

export type StepModel = ReturnType<typeof stepModel>;

/**
 * Whether to step patches of this side one at a time, with perception in tiles of `TILE` rows.
 * Smaller patches are faster in batches without tiles.
 */
export const tileable = (stage: number): boolean => stage % TILE === 0 && stage >= 4 * TILE;

/**
 * Builds the ONNX model of one step. Inputs: `states` [N, C, s, s]; `own` [N, K], each patch's own
 * weights, if the rule has any (`ownLayout`); `mask` [N, 1, s, s], if the rule updates cells at
 * random. Output: `after` [N, C, s, s].
 *
 * @param stage if given, the model is for one patch of this side, perception is computed in tiles,
 * and each part of `own` is a separate input
 */
export function stepModel({ card, tensors }: Model, stage?: number) {
  const { channels, update } = card;
  const model = new ModelWriter();
  const layout = ownLayout(card);
  const tiled = stage !== undefined;
  const [patches, side] = tiled ? [1, stage] : ['n', 's'];
  model.input(STATES, [patches, channels, side, side]);
  model.output(AFTER, [patches, channels, side, side]);
  if (layout && !tiled) model.input(OWN, [patches, layout.size]);
  const parts: OwnInput[] = [];

  const add = (a: string, b: string): string => model.node('Add', [a, b]);
  /**
   * Adds a tensor with one part of each patch's own weights.
   *
   * @param as shape of the tensor; −1 stands for the number of patches
   * @returns the tensor's name
   */
  const own = (part: OwnPart, as: readonly number[]): string => {
    const { from, size } = part;
    if (tiled) {
      const [name, shape] = [`${OWN}.${from}`, as.map((n) => (n < 0 ? 1 : n))];
      parts.push({ ...part, name, shape });
      return model.input(name, shape);
    }
    const [start, end, axis] = [from, from + size, 1].map((i) => model.integers([i]));
    const numbers = model.node('Slice', [OWN, start, end, axis]);
    return model.reshape(numbers, as);
  };
  /**
   * Adds a k×k convolution with the same weights for all patches. The checkpoint stores these
   * weights as [k, k, in, out], or as [in, out] if k = 1.
   */
  const conv = (layer: string, input: string, withBias = true): string => {
    const kernel = tensors.get(`update.${layer}.kernel`)!;
    const bias = withBias ? tensors.get(`update.${layer}.bias`) : undefined;
    const [inputs, outputs] = kernel.shape.slice(-2);
    const side = kernel.shape.length === 4 ? kernel.shape[0] : 1;
    const weights = outputsFirst(kernel.data, side * side, inputs, outputs);
    const names = [input, model.weight([outputs, inputs, side, side], weights)];
    if (bias) names.push(model.weight(bias.shape, bias.data));
    const pad = (side - 1) / 2;
    return model.node('Conv', names, { kernel_shape: [side, side], pads: [pad, pad, pad, pad] });
  };
  /**
   * Adds a layer with different weights for each patch: a matrix product, [out, in] × [in, cells].
   * For a single patch, the layer is a convolution, because the runtime can fuse a convolution with
   * its bias and activation.
   */
  const ownLayer = (
    { weights, shifts }: { readonly weights: OwnPart; readonly shifts: OwnPart | undefined },
    inputs: number,
    outputs: number,
    input: string,
  ): string => {
    if (tiled) {
      const names = [input, own(weights, [outputs, inputs, 1, 1])];
      if (shifts) names.push(own(shifts, [outputs]));
      return model.node('Conv', names, { kernel_shape: [1, 1] });
    }
    const cells = model.reshape(input, [0, 0, -1]);
    const product = model.node('MatMul', [own(weights, [-1, outputs, inputs]), cells]);
    const result = model.node('Reshape', [product, likeStates(outputs)]);
    return shifts ? add(result, bias(shifts)) : result;
  };
  /**
   * Adds a tensor that holds the shape of a layer's result, for Reshape nodes: [N, units, s, s], or
   * [4, units, s/4, s] if tiles are used.
   */
  const likeStates = (units: number): string => {
    if (tiled) return model.integers([TILE, units, -1, stage]);
    const size = model.node('Shape', [STATES]);
    const [one, two, four] = [[1], [2], [4]].map((at) => model.integers(at));
    const patches = model.node('Slice', [size, model.integers([0]), one]);
    const sides = model.node('Slice', [size, two, four]);
    return model.node('Concat', [patches, model.integers([units]), sides], { axis: 0 });
  };
  /**
   * Adds perception, computed in tiles. Tiles change the order of rows. This does not matter to
   * later layers, which work on each cell separately.
   */
  const perceiveTiles = (withBias: boolean): string => {
    const [kernel, shift] = ['kernel', 'bias'].map((part) =>
      tensors.get(`update.perceive.${part}`),
    );
    const products = convolveTiles(model, STATES, kernel!);
    const seen = model.node('Reshape', [products, likeStates(kernel!.shape[3])]);
    if (!withBias || !shift) return seen;
    return add(seen, model.weight([1, ...shift.shape, 1, 1], shift.data));
  };
  const activate = (x: string): string =>
    update.activation === 'relu' ? model.node('Relu', [x]) : elu(model, x);

  const { hidden } = update;
  const bias = (part: OwnPart): string => own(part, [-1, part.size, 1, 1]);
  let h = tiled ? perceiveTiles(!layout) : conv('perceive', STATES, !layout);
  if (layout?.perceptionScale) h = model.node('Mul', [h, bias(layout.perceptionScale)]);
  if (layout) h = add(h, bias(layout.perceptionBias));
  h = runTrunk(update, h, {
    activate,
    layer: (name, x) =>
      name === 'hidden' && layout?.hidden
        ? ownLayer({ weights: layout.hidden, shifts: layout.hiddenBias }, hidden, hidden, x)
        : conv(name, x),
    add,
  });
  const { out, outBias } = layout ?? {};
  let change = out
    ? ownLayer({ weights: out, shifts: outBias }, hidden, channels, h)
    : conv('out', h, !outBias);
  if (outBias && !out) change = add(change, bias(outBias));
  if (tiled) {
    const inOrder = model.node('Transpose', [change], { perm: [1, 2, 0, 3] });
    change = model.reshape(inOrder, [1, channels, stage, stage]);
  }
  let after: string;
  if (update.updateProbability < 1) {
    if (update.leak > 0) {
      change = model.node('Sub', [change, model.node('Mul', [STATES, model.number(update.leak)])]);
    }
    model.input(MASK, [patches, 1, side, side]);
    after = add(STATES, model.node('Mul', [change, MASK]));
  } else {
    const kept =
      update.leak > 0 ? model.node('Mul', [STATES, model.number(1 - update.leak)]) : STATES;
    after = add(kept, change);
  }
  if (update.stateLimit === undefined) model.node('Identity', [after], {}, AFTER);
  else {
    const limits = [-update.stateLimit, update.stateLimit].map((limit) => model.number(limit));
    model.node('Clip', [after, ...limits], {}, AFTER);
  }
  return {
    bytes: model.finish(),
    /**
     * Inputs for the parts of a patch's own weights. Empty if the single input `own` holds all
     * parts.
     */
    parts,
  };
}

/**
 * Adds an ELU built from simpler operators. The runtime's own ELU rounds some elements differently
 * in batches of different sizes, so a patch's result would depend on the other patches in its
 * batch.
 */
function elu(model: ModelWriter, input: string): string {
  const [zero, one] = [model.number(0), model.number(1)];
  const grown = model.node('Exp', [model.node('Min', [input, zero])]);
  return model.node('Add', [model.node('Relu', [input]), model.node('Sub', [grown, one])]);
}

/**
 * Reorders a kernel from TensorFlow.js's order, [taps, in, out], to ONNX's order, [out, in, taps].
 */
function outputsFirst(data: Float32Array, taps: number, inputs: number, outputs: number) {
  const result = new Float32Array(data.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        result[(o * inputs + i) * taps + tap] = data[(tap * inputs + i) * outputs + o];
      }
    }
  }
  return result;
}
