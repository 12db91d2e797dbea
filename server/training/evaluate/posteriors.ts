/** The encoder of a checkpoint: images to the posteriors of their latents. */

import type { Compute } from '../../autodiff/compute.ts';
import * as g from '../../autodiff/graph.ts';
import { parameterInputs, uploadParameters } from '../../autodiff/parameters.ts';
import { misfitOf } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { encode } from '../model/networks.ts';
import { EvaluationError } from './errors.ts';

const BATCH = 16;

/** Encodes images in batches. */
export type Posteriors = Awaited<ReturnType<typeof openPosteriors>>;

/**
 * Compiles the encoder.
 *
 * @throws EvaluationError no-encoder: the checkpoint has none that can run
 */
export async function openPosteriors(compute: Compute, { card, tensors }: Model) {
  const { encoder: network, side, latentSize: z } = card;
  if (!network || !('convolutions' in network)) {
    const how = network ? 'only describes its encoder in words' : 'has no encoder';
    throw new EvaluationError('no-encoder', `the card ${how}, so images have no posterior`);
  }
  const channels = imageChannels(card.readout);
  const shapes = encoderShapes(network, { side, channels, latentSize: z });
  const misfit = misfitOf(tensors, shapes);
  if (misfit) throw new EvaluationError('no-encoder', misfit);
  const shape = [BATCH, side, side, channels];
  const posterior = encode(network, parameterInputs(shapes), g.inputMap('image', shape));
  const program = await compute.compile({ mean: posterior.mean, logSigma: posterior.logSigma });
  const parameters = uploadParameters(compute, shapes.keys(), tensors);
  return {
    /**
     * Encodes images.
     *
     * @param images [N, S, S, c], 0…1
     * @returns mean and log σ, [N, Z] each
     */
    async encode(images: Float32Array, count: number) {
      const size = images.length / count;
      const result = { mean: new Float32Array(count * z), logSigma: new Float32Array(count * z) };
      for (let first = 0; first < count; first += BATCH) {
        const n = Math.min(BATCH, count - first);
        const filled = new Float32Array(BATCH * size);
        filled.set(images.subarray(first * size, (first + n) * size));
        const image = compute.upload(shape, filled);
        const { mean, logSigma } = await program.run({ ...parameters, image });
        result.mean.set((await compute.read(mean)).subarray(0, n * z), first * z);
        result.logSigma.set((await compute.read(logSigma)).subarray(0, n * z), first * z);
        compute.free(image, mean, logSigma);
      }
      return result;
    },
    /** Frees the parameters and the program. */
    async dispose(): Promise<void> {
      compute.free(...Object.values(parameters));
      await program.dispose();
    },
  };
}
