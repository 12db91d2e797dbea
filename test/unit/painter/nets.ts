/** Painters with random weights. */

import { sizeOf } from '../../../server/autodiff/graph.ts';
import { painterShapes } from '../../../server/training/painter/net-and-loss.ts';
import { keysOf, painterBytes } from '../../../server/training/painter/write.ts';
import { KEYS, type PainterNet, parsePainter } from '../../../shared/painter/net.ts';
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

const LEARNED = { hidden: [8, 12], ramps: 3, genome: [20, 4, 4, 8, 4, 4] } as const;

/** Weights of the layers with which the small painter learns genomes. */
export function learnedWeights(seed: number): Map<string, Float32Tensor> {
  const random = createRandom(seed);
  return new Map(
    [...painterShapes(LEARNED as unknown as Parameters<typeof painterShapes>[0])].map(
      ([name, shape]) => {
        const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * random.normal());
        return [name, { shape, data }];
      },
    ),
  );
}

/** The small painter, which has learned a genome of zeros. */
export const learnedFile = (seed: number): Uint8Array =>
  painterBytes(
    new Map([
      ...randomWeights(seed),
      ...learnedWeights(seed),
      [KEYS, keysOf([new Float32Array(20)])],
    ]),
  );

/** A small painter. */
export const randomPainter = (seed: number): PainterNet =>
  parsePainter(painterBytes(randomWeights(seed)));
