/** Lays weights out as the kernel reads them (`kernel.h`). */
import { cellLayers } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { type OwnPart, ownLayout } from '../../vnca/genome.ts';
import { OF_KERNEL } from '../core/winograd-kernel.ts';

/** As many numbers, and those that fill the last vector. */
const whole = (numbers: number, lanes: number): number => Math.ceil(numbers / lanes) * lanes;

/** Perception's kernel [3, 3, C, hidden] at each point, [36, C, hidden], in double precision. */
export function perceptionAtPoints({ card, tensors }: Model, lanes: number): Float32Array {
  const { channels } = card;
  const { hidden } = card.update;
  const kernel = tensors.get('update.perceive.kernel')!.data;
  const width = whole(hidden, lanes);
  const result = new Float32Array(36 * channels * width);
  let at = 0;
  for (const rows of OF_KERNEL) {
    for (const columns of OF_KERNEL) {
      for (let c = 0; c < channels; c++, at += width) {
        for (let h = 0; h < hidden; h++) {
          let sum = 0;
          for (let tap = 0; tap < 9; tap++) {
            const factor = rows[Math.floor(tap / 3)] * columns[tap % 3];
            sum += factor * kernel[(tap * channels + c) * hidden + h];
          }
          result[at + h] = sum;
        }
      }
    }
  }
  return result;
}

/**
 * Scales and shifts of perception, and the weights and shifts of the layers after it.
 *
 * @param row a patch's own weights, as `createCondition` computes them; absent: the net has none
 */
export function layersAsRead(model: Model, lanes: number, row?: Float32Array): Float32Array {
  const { card, tensors } = model;
  const { channels, update } = card;
  const { hidden } = update;
  const width = whole(hidden, lanes);
  const middle = cellLayers(update).slice(1, -1);
  const size = 2 * width + (hidden + 1) * (middle.length * width + whole(channels, lanes));
  const result = new Float32Array(size);
  let at = 0;
  const layout = row && ownLayout(card);
  const own = (part: OwnPart | undefined): Float32Array | undefined =>
    part && row?.subarray(part.from, part.from + part.size);
  const shared = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const put = (numbers: Float32Array | undefined, outputs: number): void => {
    if (numbers) result.set(numbers, at);
    at += whole(outputs, lanes);
  };
  const layer = (name: string, outputs: number, weights?: OwnPart, shifts?: OwnPart): void => {
    const ofPatch = own(weights);
    const ofAll = shared(`${name}.kernel`)!;
    for (let i = 0; i < hidden; i++, at += whole(outputs, lanes)) {
      for (let o = 0; o < outputs; o++) {
        // A patch's own are [out, in].
        result[at + o] = ofPatch ? ofPatch[o * hidden + i] : ofAll[i * outputs + o];
      }
    }
    put(own(shifts) ?? shared(`${name}.bias`), outputs);
  };
  put(own(layout?.perceptionScale) ?? new Float32Array(hidden).fill(1), hidden);
  put(own(layout?.perceptionBias) ?? shared('perceive.bias'), hidden);
  for (const name of middle) layer(name, hidden, layout?.hidden, layout?.hiddenBias);
  layer('out', channels, layout?.out, layout?.outBias);
  return result;
}
