/** A painter with chance weights, for tests that need any. */
import type { PainterLayer, PainterNet } from '../../shared/painter/net.ts';
import { FIRST_SIDE, INPUTS, KEY, RAMP } from '../../shared/painter/net.ts';
import { createRandom, type Random } from '../../shared/random.ts';

const RAMPS = 16;

/** Weights about as large as trained ones. @param seed of the weights */
export function chanceNet(seed: number): PainterNet {
  const random = createRandom(seed);
  return chanceLayers(random, INPUTS, [64, 64, RAMP * RAMPS]) as unknown as PainterNet;
}

/** The same, which has also learned a genome, of zeros. */
export function learnedNet(seed: number): PainterNet {
  const random = createRandom(seed + 1);
  const [latent, wide, channels] = [KEY, 8, [4, 8, 8, 8]];
  const sizes = [wide, channels[0] * FIRST_SIDE ** 2, ...channels.slice(1)];
  const layers = chanceLayers(random, INPUTS + 8, [64, 64, RAMP * RAMPS]);
  const inputs = [latent, wide, ...channels.slice(0, 3).map((n) => 9 * n)];
  const genome = sizes.flatMap((outputs, i) => chanceLayers(random, inputs[i], [outputs]));
  const learned = { layers, genome, keys: new Float32Array(KEY) };
  return Object.assign([...chanceNet(seed)], { learned }) as unknown as PainterNet;
}

function chanceLayers(random: Random, first: number, widths: readonly number[]): PainterLayer[] {
  let inputs = first;
  return widths.map((outputs, index): PainterLayer => {
    const scale = (index === 2 ? 0.7 : 1.4) / Math.sqrt(inputs);
    const kernel = Float32Array.from({ length: inputs * outputs }, () => scale * random.normal());
    const bias = Float32Array.from({ length: outputs }, () => 0.1 * random.normal());
    const layer = { inputs, outputs, kernel, bias };
    inputs = outputs;
    return layer;
  });
}
