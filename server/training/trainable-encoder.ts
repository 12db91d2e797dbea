/** The encoder in training: images to latents, and gradients back. */
import type { EncoderNetwork } from '../vnca/encoder-network.ts';
import type { Compute, Program } from './autodiff/compute.ts';
import { gradients } from './autodiff/gradients.ts';
import * as g from './autodiff/graph.ts';
import {
  divergence,
  type EncoderInput,
  encode,
  encoderShapes,
  reparameterise,
} from './model/encoder.ts';
import { parameterInputs } from './model/parameters.ts';

/** Programs of the encoder for one batch size. */
export class TrainableEncoder {
  private constructor(
    /**
     * Inputs: `image` [N, S, S, c], `noise` [N, Z], `parameter:*`. Outputs: `latents`, `mean`,
     * `logSigma` [N, Z], `divergence` [N], nats.
     */
    readonly forward: Program,
    /**
     * Further inputs: `total:latents`, the change of the latents; `divergenceWeight` [N], the
     * weight of a nat of divergence. Outputs: `total:encoder.*`, the gradients of this batch.
     */
    readonly reverse: Program,
  ) {}

  /** Compiles the programs. */
  static async create(
    compute: Compute,
    net: EncoderNetwork,
    image: EncoderInput,
    batch: number,
  ): Promise<TrainableEncoder> {
    const shapes = encoderShapes(net, image);
    const parameters = parameterInputs(shapes);
    const images = g.inputMap('image', [batch, image.side, image.side, image.channels]);
    const noise = g.input('noise', [batch, image.latentSize]);
    const posterior = encode(net, parameters, images);
    const latents = reparameterise(posterior, noise);
    const nats = divergence(posterior);
    const names = [...shapes.keys()];
    const slopes = gradients(
      [
        { result: latents, change: g.input('total:latents', latents.shape) },
        { result: nats, change: g.reshape(g.input('divergenceWeight', [batch]), [batch, 1]) },
      ],
      names.map(parameters),
    );
    const forward = await compute.compile({
      latents,
      mean: posterior.mean,
      logSigma: posterior.logSigma,
      divergence: g.reshape(nats, [batch]),
    });
    const reverse = await compute.compile(
      Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
    );
    return new TrainableEncoder(forward, reverse);
  }

  /** Disposes the programs. */
  async dispose(): Promise<void> {
    await this.forward.dispose();
    await this.reverse.dispose();
  }
}
