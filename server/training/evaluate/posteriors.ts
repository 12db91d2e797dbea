/** The encoder of a checkpoint: images to the posteriors of their latents. */
import { misfitOf } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { Compute, Program, Values } from '../autodiff/compute.ts';
import type { Shape } from '../autodiff/graph.ts';
import * as g from '../autodiff/graph.ts';
import { encode } from '../model/encoder.ts';
import { parameterInputs, uploadParameters } from '../model/parameters.ts';
import { EvaluationError } from './errors.ts';

const BATCH = 16;

/** Encodes images in batches. */
export class Posteriors {
  private constructor(
    private readonly parts: {
      readonly compute: Compute;
      readonly program: Program;
      readonly parameters: Values;
      readonly latentSize: number;
      /** Shape of a batch of images. */
      readonly image: Shape;
    },
  ) {}

  /**
   * Compiles the encoder.
   *
   * @throws EvaluationError no-encoder: the checkpoint has none that can run
   */
  static async create(compute: Compute, { card, tensors }: Model): Promise<Posteriors> {
    const { encoder: network, side, latentSize } = card;
    if (!network || !('convolutions' in network)) {
      const how = network ? 'only describes its encoder in words' : 'has no encoder';
      throw new EvaluationError('no-encoder', `the card ${how}, so images have no posterior`);
    }
    const channels = imageChannels(card.readout);
    const shapes = encoderShapes(network, { side, channels, latentSize });
    const misfit = misfitOf(tensors, shapes);
    if (misfit) throw new EvaluationError('no-encoder', misfit);
    const images = g.inputMap('image', [BATCH, side, side, channels]);
    const { mean, logSigma } = encode(network, parameterInputs(shapes), images);
    const program = await compute.compile({ mean, logSigma });
    const parameters = uploadParameters(compute, shapes.keys(), tensors);
    return new Posteriors({ compute, program, parameters, latentSize, image: images.shape });
  }

  /**
   * Encodes images.
   *
   * @param images [N, S, S, c], 0…1
   * @returns mean and log σ, [N, Z] each
   */
  async encode(
    images: Float32Array,
    count: number,
  ): Promise<{ mean: Float32Array; logSigma: Float32Array }> {
    const { compute, program, parameters, latentSize: z, image: shape } = this.parts;
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
  }

  /** Frees the parameters and the program. */
  async dispose(): Promise<void> {
    const { compute, program, parameters } = this.parts;
    compute.free(...Object.values(parameters));
    await program.dispose();
  }
}
