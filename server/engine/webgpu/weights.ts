/**
 * A net's weights in the GPU's layout: rows of inputs in groups of four, zero-padded to the columns
 * of a plan.
 */
import type { Model } from '../../vnca/checkpoint.ts';
import type { Plan } from './plan.ts';
import { layersOf } from './record.ts';

/** The weights of all layers in one array. */
export type PackedWeights = ReturnType<typeof packWeights>;

/**
 * Packs a net's weights. The rows of 'perceive' are [9 neighbours, 4·channels].
 *
 * @returns the offset of each layer, in groups of four values; and the values
 */
export function packWeights({ card, tensors }: Model, plan: Plan) {
  let size = 0;
  const parts = layersOf(card).map((layer) => {
    const { data: kernel } = tensors.get(`update.${layer}.kernel`)!;
    const perceives = layer === 'perceive';
    const width = 4 * (layer === 'out' ? plan.outColumns : plan.hiddenColumns).all;
    const taps = perceives ? 9 : 1;
    const inputs = perceives ? card.channels : card.update.hidden;
    const rows = 4 * (perceives ? plan.channels : plan.hidden);
    const at = size;
    size += taps * rows * width;
    return { layer, kernel, taps, inputs, rows, width, at };
  });
  const values = new Float32Array(size);
  for (const { kernel, taps, inputs, rows, width, at } of parts) {
    const units = kernel.length / (taps * inputs);
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < inputs; i++) {
        const from = (tap * inputs + i) * units;
        values.set(kernel.subarray(from, from + units), at + (tap * rows + i) * width);
      }
    }
  }
  const offsets = new Map(parts.map(({ layer, at }) => [layer, at / 4]));
  return { offsets, data: values };
}
