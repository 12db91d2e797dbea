/** Painters with random weights. */

import { sizeOf } from '../../../server/autodiff/graph.ts';
import { painterShapes } from '../../../server/training/painter/graph.ts';
import { painterBytes } from '../../../server/training/painter/write.ts';
import { type PainterNet, parsePainter } from '../../../shared/painter/net.ts';
import { createRandom } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';

/** Weights of a small painter. */
export function randomWeights(seed: number) {
  const random = createRandom(seed);
  const tensors = new Map<string, Float32Tensor>();
  for (const [name, shape] of painterShapes({ hidden: [8, 12], ramps: 3 })) {
    const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * random.normal());
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** A small painter. */
export const randomPainter = (seed: number): PainterNet =>
  parsePainter(painterBytes(randomWeights(seed)));
