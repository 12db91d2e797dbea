/**
 * Makes the encoder of a checkpoint larger without changing what it does: its units come first, and
 * new units say nothing until they have learnt.
 */

import type { Float32Tensor } from '../../shared/safetensors.ts';
import type { Tensors } from '../autodiff/parameters.ts';
import { misfitOf } from '../vnca/architecture.ts';
import { type EncoderInput, type EncoderNetwork, encoderShapes } from '../vnca/encoder-network.ts';

/**
 * Fills the weights of a smaller encoder into a larger one.
 *
 * @param small its net and weights, `encoder.*`
 * @param large its net and random weights
 * @returns `encoder.*` of the larger one; undefined if the smaller one does not fit into it: it has
 *   another number of layers, other sizes of kernels, or more units somewhere
 */
export function enlargeEncoder(
  small: { readonly net: EncoderNetwork; readonly tensors: Tensors },
  large: { readonly net: EncoderNetwork; readonly tensors: Tensors },
  image: EncoderInput,
): Map<string, Float32Tensor> | undefined {
  const [from, to] = [small.net, large.net].map((net) => encoderShapes(net, image));
  const filled = new Map<string, Float32Tensor>();
  const { channels, latentSize } = image;
  const kernels = [...to.keys()].filter((name) => name.endsWith('.kernel'));
  // Of another side, or without what its card says.
  if (misfitOf(small.tensors, from)) return undefined;
  if (from.size !== to.size || !isLike(small.net, large.net)) return undefined;
  /** Units that a position of a layer's input has, before and now. */
  let [known, units] = [channels, channels];
  for (const kernel of kernels) {
    const [before, shape] = [from.get(kernel), to.get(kernel)!];
    if (!before) return undefined;
    const [outBefore, out] = [before, shape].map((sizes) => sizes[sizes.length - 1]);
    if (outBefore > out || known > units) return undefined;
    const isLast = kernel === kernels[kernels.length - 1];
    if (isLast && out !== 2 * latentSize) return undefined;
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

/** Whether both see images alike, with kernels of equal sizes, strides and margins. */
function isLike(small: EncoderNetwork, large: EncoderNetwork): boolean {
  const essence = ({ convolutions, dense, input, meanRange, logSigmaRange }: EncoderNetwork) =>
    JSON.stringify([
      convolutions.map(({ size, stride, pad }) => [size, stride, pad]),
      [dense.length, input, meanRange, logSigmaRange],
    ]);
  return essence(small) === essence(large);
}
