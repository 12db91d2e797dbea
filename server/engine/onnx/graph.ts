/**
 * One step of a rule as an ONNX model, built from the checkpoint. The same nets as `vnca/rule.ts`, which is the
 * reference; there the words are explained.
 */
import { genomeLayout, RES4_BLOCKS } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { ModelWriter } from './modelWriter.ts';

export const STATES = 'states';
export const GENOME = 'genome';
export const MASK = 'mask';
export const AFTER = 'after';

/**
 * The model's inputs: `states` [N, s, s, C]; `genome` [N, Z] for rules with a standing input; `mask` [N, s, s, 1] for
 * rules whose cells update by chance. Its output: `after` [N, s, s, C].
 *
 * Inside, channels come first: that is the layout ONNX Runtime's convolutions are fast in.
 */
export function stepModel({ card, tensors }: Model): Uint8Array {
  const { channels, latentSize, update } = card;
  const model = new ModelWriter();
  const shape = ['n', 's', 's', channels];
  model.input(STATES, shape);
  model.output(AFTER, shape);

  /** A convolution, k×k, of stored weights [k, k, in, out] or [in, out]. */
  const conv = (layer: string, input: string): string => {
    const kernel = tensors.get(`update.${layer}.kernel`)!;
    const bias = tensors.get(`update.${layer}.bias`);
    const [inputs, outputs] = kernel.shape.slice(-2);
    const side = kernel.shape.length === 4 ? kernel.shape[0] : 1;
    const weights = outputsFirst(kernel.data, side * side, inputs, outputs);
    const names = [input, model.weight([outputs, inputs, side, side], weights)];
    if (bias) names.push(model.weight(bias.shape, bias.data));
    const pad = (side - 1) / 2;
    return model.node('Conv', names, { kernel_shape: [side, side], pads: [pad, pad, pad, pad] });
  };
  const number = (value: number): string => model.weight([], new Float32Array([value]));
  /**
   * ELU in four operators. The runtime's own rounds some elements otherwise where a thread's share of them ends, so that a
   * patch would depend on its company; these do not, and together they are no slower.
   */
  const elu = (input: string): string => {
    const grown = model.node('Exp', [model.node('Min', [input, number(0)])]);
    return add(model.node('Relu', [input]), model.node('Sub', [grown, number(1)]));
  };
  const add = (a: string, b: string): string => model.node('Add', [a, b]);

  const dense = (layer: string, x: string): string => {
    const kernel = tensors.get(`update.${layer}.kernel`)!;
    const bias = tensors.get(`update.${layer}.bias`);
    const product = model.node('MatMul', [x, model.weight(kernel.shape, kernel.data)]);
    return bias ? add(product, model.weight(bias.shape, bias.data)) : product;
  };

  const states = model.node('Transpose', [STATES], { perm: [0, 3, 1, 2] });
  /** Lets the genome speak to a layer. */
  let modulate = (_layer: 'perceive' | 'hidden' | 'out', x: string): string => x;
  /** Adds what the patch's own weights make of the hidden cells. */
  let express = (_hidden: string, x: string): string => x;
  if (update.standingInput) {
    const { hidden, genome } = update;
    const read = dense('genome', model.input(GENOME, ['n', latentSize]));
    const said = genome
      ? model.node('Mul', [dense('modulation', elu(read)), number(genome.gain)])
      : read;
    const layout = genomeLayout({ channels, update });
    const part = (from: number, size: number): string => {
      const [start, end, axis] = [from, from + size, 1].map((i) => model.integers([i]));
      const values = model.node('Slice', [said, start, end, axis]);
      return model.node('Unsqueeze', [values, model.integers([2, 3])]);
    };
    modulate = (layer, x) => {
      if (!genome) return layer === 'perceive' ? add(x, part(0, hidden)) : x;
      if (layer === 'out') return add(x, part(layout.shifts, channels));
      const { scales, shifts } = layout.layers[layer === 'perceive' ? 0 : 1];
      const scaled =
        scales === undefined ? x : model.node('Mul', [x, add(part(scales, hidden), number(1))]);
      return add(scaled, part(shifts, hidden));
    };
    const expressed = genome?.expressed ?? 0;
    if (expressed > 0) {
      const [start, end, axis] = [layout.weights, layout.size, 1].map((i) => model.integers([i]));
      const weights = model.node('Reshape', [
        model.node('Slice', [said, start, end, axis]),
        model.integers([-1, hidden, expressed]),
      ]);
      const mixing = model.node('Transpose', [weights], { perm: [0, 2, 1] });
      express = (h, x) => {
        const cells = model.node('Reshape', [h, model.integers([0, 0, -1])]);
        const own = model.node('MatMul', [mixing, cells]);
        const pads = model.integers([0, 0, 0, 0, channels - expressed, 0]);
        const padded = model.node('Pad', [own, pads]);
        return add(x, model.node('Reshape', [padded, model.node('Shape', [x])]));
      };
    }
  }
  const activate = (x: string): string =>
    update.activation === 'relu' ? model.node('Relu', [x]) : elu(x);
  let h = modulate('perceive', conv('perceive', states));
  if (update.kind === 'res4') {
    for (let i = 0; i < RES4_BLOCKS; i++) {
      h = add(h, conv(`block${i}.outer`, activate(conv(`block${i}.inner`, h))));
    }
  } else {
    h = activate(h);
    if (update.kind === 'residual') {
      h = add(h, activate(modulate('hidden', conv('hidden', h))));
    }
  }
  let change = express(h, modulate('out', conv('out', h)));
  if (update.leak > 0) {
    change = model.node('Sub', [change, model.node('Mul', [states, number(update.leak)])]);
  }
  if (update.updateProbability < 1) {
    const mask = model.node('Transpose', [model.input(MASK, ['n', 's', 's', 1])], {
      perm: [0, 3, 1, 2],
    });
    change = model.node('Mul', [change, mask]);
  }
  let after = add(states, change);
  if (update.stateLimit !== undefined) {
    after = model.node('Clip', [after, number(-update.stateLimit), number(update.stateLimit)]);
  }
  model.node('Transpose', [after], { perm: [0, 2, 3, 1] }, AFTER);
  return model.finish();
}

/** [taps, in, out] → [out, in, taps]: ONNX keeps a kernel's outputs first, tfjs last. */
function outputsFirst(
  data: Float32Array,
  taps: number,
  inputs: number,
  outputs: number,
): Float32Array {
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
