/** A painter with chance weights, for tests that need any. */
import type { PainterLayer, PainterNet } from '../../shared/painter/net.ts';
import { INPUTS, RAMP } from '../../shared/painter/net.ts';
import { createRandom } from '../../shared/random.ts';

const RAMPS = 16;

/** Weights about as large as trained ones. @param seed of the weights */
export function chanceNet(seed: number): PainterNet {
  const random = createRandom(seed);
  let inputs = INPUTS;
  const layers = [64, 64, RAMP * RAMPS].map((outputs, index): PainterLayer => {
    const scale = (index === 2 ? 0.7 : 1.4) / Math.sqrt(inputs);
    const kernel = Float32Array.from({ length: inputs * outputs }, () => scale * random.normal());
    const bias = Float32Array.from({ length: outputs }, () => 0.1 * random.normal());
    const layer = { inputs, outputs, kernel, bias };
    inputs = outputs;
    return layer;
  });
  return layers as unknown as PainterNet;
}
