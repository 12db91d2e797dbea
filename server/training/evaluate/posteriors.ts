/** The encoder of a checkpoint: images to the posteriors of their latents. */
import type { Model } from '../../vnca/checkpoint.ts';
import type { EncoderNetwork } from '../../vnca/encoder-network.ts';
import type { Compute, Program, Values } from '../autodiff/compute.ts';
import * as g from '../autodiff/graph.ts';
import { encode, encoderShapes } from '../model/encoder.ts';
import { imageChannels } from '../model/likelihood.ts';
import { parameterInputs, type Shapes, uploadParameters } from '../model/parameters.ts';
import { EvaluationError } from './errors.ts';
import { likelihoodOfCard } from './evaluation-batch.ts';

const BATCH = 16;

/** Name and shape of a checkpoint's encoder tensors. @throws EvaluationError no-encoder */
export function encoderOf({ card, tensors }: Model): { network: EncoderNetwork; shapes: Shapes } {
  const { encoder: network, side, latentSize } = card;
  if (!network || !('convolutions' in network)) {
    const how = network ? 'only describes its encoder in words' : 'has no encoder';
    throw new EvaluationError('no-encoder', `the card ${how}, so images have no posterior`);
  }
  const channels = imageChannels(likelihoodOfCard(card));
  const shapes = encoderShapes(network, { side, channels, latentSize });
  for (const [name, shape] of shapes) {
    const found = tensors.get(name)?.shape;
    if (`${found}` !== `${shape}`) {
      const what = found ? `has shape [${found}], not [${shape}]` : 'is missing';
      throw new EvaluationError('no-encoder', `encoder tensor "${name}" ${what}`);
    }
  }
  return { network, shapes };
}

/** Encodes images in batches. */
export class Posteriors {
  private constructor(
    private readonly compute: Compute,
    private readonly program: Program,
    private readonly parameters: Values,
    private readonly shape: readonly [number, number, number],
    private readonly latentSize: number,
  ) {}

  /**
   * Compiles the encoder.
   *
   * @throws EvaluationError no-encoder: the checkpoint has none that can run
   */
  static async create(compute: Compute, model: Model): Promise<Posteriors> {
    const { network, shapes } = encoderOf(model);
    const { side, latentSize } = model.card;
    const channels = imageChannels(likelihoodOfCard(model.card));
    const images = g.inputMap('image', [BATCH, side, side, channels]);
    const { mean, logSigma } = encode(network, parameterInputs(shapes), images);
    const program = await compute.compile({ mean, logSigma });
    const parameters = uploadParameters(compute, shapes.keys(), model.tensors);
    return new Posteriors(compute, program, parameters, [side, side, channels], latentSize);
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
    const z = this.latentSize;
    const size = images.length / count;
    const result = { mean: new Float32Array(count * z), logSigma: new Float32Array(count * z) };
    for (let first = 0; first < count; first += BATCH) {
      const n = Math.min(BATCH, count - first);
      const filled = new Float32Array(BATCH * size);
      filled.set(images.subarray(first * size, (first + n) * size));
      const image = this.compute.upload([BATCH, ...this.shape], filled);
      const { mean, logSigma } = await this.program.run({ ...this.parameters, image });
      result.mean.set((await this.compute.read(mean)).subarray(0, n * z), first * z);
      result.logSigma.set((await this.compute.read(logSigma)).subarray(0, n * z), first * z);
      this.compute.free(image, mean, logSigma);
    }
    return result;
  }

  /** Frees the parameters and the program. */
  async dispose(): Promise<void> {
    this.compute.free(...Object.values(this.parameters));
    await this.program.dispose();
  }
}
