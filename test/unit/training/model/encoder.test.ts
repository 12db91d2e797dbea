/** Encoder, divergence and reparameterisation by plain loops. Gradients are those of `autodiff`, which tests them. */
import * as g from '../../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { parameterInputs } from '../../../../server/autodiff/parameters.ts';
import { divergence, encode, reparameterise } from '../../../../server/training/model/networks.ts';
import { type EncoderNetwork, encoderShapes } from '../../../../server/vnca/encoder-network.ts';
import { evaluate } from '../../autodiff/contract.ts';
import { type Numbers, normals, randomParameters } from './small.ts';

const NET: EncoderNetwork = {
  input: '-1..1',
  convolutions: [
    { size: 3, stride: 1, pad: 1, channels: 3 },
    { size: 5, stride: 2, pad: 2, channels: 4 },
  ],
  dense: [5],
};
const IMAGE = { side: 6, channels: 2, latentSize: 3 };
const N = 2;
const Z = IMAGE.latentSize;
const compute = createOnnxCompute({ threads: 1 });

const elu = (x: number): number => (x > 0 ? x : Math.expm1(x));

/** A convolution as on paper, [side, side, channels] → … */
function convolve(
  x: number[],
  side: number,
  { size, stride, pad, channels }: EncoderNetwork['convolutions'][number],
  kernel: Float32Array,
  bias: Float32Array,
): { x: number[]; side: number } {
  const inputs = x.length / (side * side);
  const next = Math.floor((side + 2 * pad - size) / stride) + 1;
  const result: number[] = [];
  for (let j = 0; j < next; j++) {
    for (let i = 0; i < next; i++) {
      for (let o = 0; o < channels; o++) {
        let sum = bias[o];
        for (let v = 0; v < size; v++) {
          for (let u = 0; u < size; u++) {
            const [y, xx] = [j * stride + v - pad, i * stride + u - pad];
            if (y < 0 || xx < 0 || y >= side || xx >= side) continue;
            for (let c = 0; c < inputs; c++) {
              const weight = kernel[((v * size + u) * inputs + c) * channels + o];
              sum += x[(y * side + xx) * inputs + c] * weight;
            }
          }
        }
        result.push(elu(sum));
      }
    }
  }
  return { x: result, side: next };
}

/** Mean and log σ of one image, [2Z]. */
function encodePlainly(
  net: EncoderNetwork,
  parameters: Record<string, Numbers>,
  image: number[],
): number[] {
  const of = (name: string): Float32Array => parameters[`parameter:encoder.${name}`].data;
  let x = net.input === '-1..1' ? image.map((value) => 2 * value - 1) : image;
  let side = IMAGE.side;
  net.convolutions.forEach((layer, i) => {
    ({ x, side } = convolve(x, side, layer, of(`conv${i}.kernel`), of(`conv${i}.bias`)));
  });
  for (let i = 0; i <= net.dense.length; i++) {
    const bias = of(`dense${i}.bias`);
    const kernel = of(`dense${i}.kernel`);
    const sums = Array.from(bias, (b, o) =>
      x.reduce((sum, value, k) => sum + value * kernel[k * bias.length + o], b),
    );
    x = i < net.dense.length ? sums.map(elu) : sums;
  }
  return x;
}

function setUp(net: EncoderNetwork) {
  const shapes = encoderShapes(net, IMAGE);
  const parameters = parameterInputs(shapes);
  const images = g.inputMap('image', [N, IMAGE.side, IMAGE.side, IMAGE.channels]);
  const posterior = encode(net, parameters, images);
  const latents = reparameterise(posterior, g.input('noise', [N, Z]));
  const kl = divergence(posterior);
  const image = normals(images.shape, 1, 0.5);
  const given = { image, noise: normals([N, Z], 2), ...randomParameters(shapes, 10) };
  return { posterior, latents, kl, given };
}

it.each([
  ['free', NET],
  [
    'within bounds',
    { ...NET, meanRange: [-0.1, 0.1], logSigmaRange: [-0.2, 0.05] } as EncoderNetwork,
  ],
  ['of images in 0…1', { ...NET, input: '0..1', dense: [] } as EncoderNetwork],
])('encodes as plain loops do: %s', async (_, net) => {
  const { posterior, latents, kl, given } = setUp(net);
  const { mean, logSigma } = posterior;
  const found = await evaluate(compute, { mean, logSigma, latents, kl }, given);
  const pixels = given.image.data.length / N;
  for (let n = 0; n < N; n++) {
    const image = [...given.image.data.subarray(n * pixels, (n + 1) * pixels)];
    const row = encodePlainly(net, given as Record<string, Numbers>, image);
    const clamp = (x: number, range?: readonly [number, number]): number =>
      range ? Math.min(range[1], Math.max(range[0], x)) : x;
    let nats = 0;
    for (let i = 0; i < Z; i++) {
      const mu = clamp(row[i], net.meanRange);
      const sigma = Math.exp(clamp(row[Z + i], net.logSigmaRange));
      nats += (mu * mu + sigma * sigma - 1 - 2 * Math.log(sigma)) / 2;
      expect(found.mean[n * Z + i]).toBeCloseTo(mu, 4);
      expect(found.logSigma[n * Z + i]).toBeCloseTo(Math.log(sigma), 4);
      expect(found.latents[n * Z + i]).toBeCloseTo(mu + sigma * given.noise.data[n * Z + i], 4);
    }
    expect(found.kl[n]).toBeCloseTo(nats, 4);
  }
});
