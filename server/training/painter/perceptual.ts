/** A perceptual distance of pictures: how differently the convolutions of `emoji-features` see them. */
import { fileURLToPath } from 'node:url';
import type { Compute } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { parameterInputs, uploadParameters } from '../../autodiff/parameters.ts';
import { overCells } from '../../autodiff/rule.ts';
import { loadModel } from '../../vnca/checkpoint.ts';
import type { EncoderNetwork } from '../../vnca/encoder-network.ts';

const FEATURES = fileURLToPath(new URL('../evaluate/emoji-features', import.meta.url));
/** The distance is the mean over the picture, half and a quarter of its size. */
const SIZES = [1, 2, 4] as const;

/**
 * Opens the distance.
 *
 * @param side of the pictures, pixels; a multiple of 4
 */
export async function openPerceptual(compute: Compute, side: number) {
  const { card, tensors } = await loadModel(FEATURES);
  const net = card.encoder as EncoderNetwork;
  const names = net.convolutions.flatMap((_, i) => [
    `encoder.conv${i}.kernel`,
    `encoder.conv${i}.bias`,
  ]);
  const parameters = parameterInputs(
    new Map(names.map((name) => [name, tensors.get(name)!.shape])),
  );
  const weights = uploadParameters(compute, names, tensors);
  const programs = await Promise.all(
    SIZES.map((part) => {
      const map = [1, side / part, side / part, 4] as const;
      const [a, b] = ['a', 'b'].map((name) => layers(net, parameters, g.inputMap(name, map)));
      const distances = a.map((of, i) => meanDistance(of, b[i]));
      return compute.compile({ distance: distances.reduce((sum, x) => g.add(sum, x)) });
    }),
  );
  return {
    /** The distance of two pictures [side, side, 4], 0…255; 0 for equal ones. */
    async between(a: ArrayLike<number>, b: ArrayLike<number>): Promise<number> {
      let sum = 0;
      for (const [i, part] of SIZES.entries()) {
        const shape = [1, side / part, side / part, 4];
        const pictures = {
          a: compute.upload(shape, smaller(a, side, part)),
          b: compute.upload(shape, smaller(b, side, part)),
        };
        const { distance } = await programs[i].run({ ...weights, ...pictures });
        sum += (await compute.read(distance))[0];
        compute.free(distance, ...Object.values(pictures));
      }
      return sum / (SIZES.length * net.convolutions.length);
    },
    async dispose(): Promise<void> {
      compute.free(...Object.values(weights));
      for (const program of programs) await program.dispose();
    },
  };
}

/** What each convolution sees. */
function layers(
  net: EncoderNetwork,
  parameters: (name: string) => Expression,
  image: Expression,
): Expression[] {
  let x = image;
  return net.convolutions.map((layer, i) => {
    const seen = g.conv(x, parameters(`encoder.conv${i}.kernel`), layer);
    x = g.elu(g.add(seen, overCells(parameters(`encoder.conv${i}.bias`))));
    return x;
  });
}

/** Mean over places of the squared distance of directions in feature space (as LPIPS). */
function meanDistance(a: Expression, b: Expression): Expression {
  const direction = (x: Expression): Expression =>
    g.divide(x, g.sqrt(g.add(g.sum(g.square(x), [3]), 1e-6)));
  const apart = g.sum(g.square(g.subtract(direction(a), direction(b))));
  return g.divide(g.reshape(apart, []), g.constant(a.shape[1] * a.shape[2]));
}

/** Means of `part`×`part` pixels, 0…1. */
function smaller(pixels: ArrayLike<number>, side: number, part: number): Float32Array {
  const small = side / part;
  const result = new Float32Array(small * small * 4);
  const weight = 1 / (255 * part * part);
  for (let i = 0; i < side * side; i++) {
    const to =
      4 * (Math.floor(Math.floor(i / side) / part) * small + Math.floor((i % side) / part));
    for (let c = 0; c < 4; c++) result[to + c] += weight * pixels[4 * i + c];
  }
  return result;
}
