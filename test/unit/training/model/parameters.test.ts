/** Parameter counts as published: Palm et al. 2022, its code, and Aillet & Sondén 2023. */
import * as g from '../../../../server/training/autodiff/graph.ts';
import { encode, encoderShapes } from '../../../../server/training/model/encoder.ts';
import { initialise, parameterInputs } from '../../../../server/training/model/parameters.ts';
import { type Architecture, updateShapes } from '../../../../server/vnca/architecture.ts';
import { type EncoderNetwork, publishedEncoder } from '../../../../server/vnca/encoder-network.ts';
import { createRandom } from '../../../../shared/random.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { countNumbers } from '../tiny-run.ts';
import { baselineShapes, CELEBA_BASELINE, decodeBaseline, MNIST_BASELINE } from './baseline.ts';

type Kind = Architecture['update']['kind'];

const net = (kind: Kind, size: number, hidden: number, outBias = false): Architecture => ({
  ...tinyCard({
    channels: size,
    latentSize: size,
    update: { kind, hidden, ...(kind === 'simple' && { outBias }) },
  }),
});

const encoder = (
  side: number,
  channels: number,
  latentSize: number,
  network: EncoderNetwork = publishedEncoder('0..1'),
): number => countNumbers(encoderShapes(network, { side, channels, latentSize }));
const decoder = (...of: Parameters<typeof net>): number => countNumbers(updateShapes(net(...of)));

describe('parameters of', () => {
  test.each([
    ['doubling MNIST', encoder(32, 1, 256), decoder('res4', 256, 256), 5_402_880, 1_182_208],
    ['doubling CelebA 64²', encoder(64, 3, 256), decoder('res4', 256, 256), 8_550_208, 1_182_208],
    [
      'damage MNIST 28², as in the code',
      encoder(28, 1, 128, publishedEncoder('0..1', 4)),
      decoder('simple', 128, 128),
      4_878_336,
      163_968,
    ],
    [
      'damage MNIST, as reproduced',
      encoder(32, 1, 128),
      decoder('simple', 128, 128, true),
      4_878_336,
      164_096,
    ],
    ['damage CelebA 32²', encoder(32, 3, 256), decoder('res4', 256, 128), 5_404_480, 460_160],
    [
      'the baseline for MNIST',
      encoder(32, 1, 256),
      countNumbers(baselineShapes(MNIST_BASELINE)),
      5_402_880,
      4_879_617,
    ],
    [
      'the baseline for CelebA 64²',
      encoder(64, 3, 256),
      countNumbers(baselineShapes(CELEBA_BASELINE)),
      8_550_208,
      2_036_780,
    ],
  ])('%s', (_, encoderCount, decoderCount, wantedEncoder, wantedDecoder) => {
    expect(encoderCount).toBe(wantedEncoder);
    expect(decoderCount).toBe(wantedDecoder);
  });
});

describe('published nets', () => {
  test.each([
    [32, 1, 256, 2],
    [28, 1, 128, 4],
    [64, 3, 256, 2],
  ])('encode side %i with %i channels to 2·%i numbers', (side, channels, latentSize, pad) => {
    const network = publishedEncoder('0..1', pad);
    const shapes = encoderShapes(network, { side, channels, latentSize });
    const images = g.inputMap('image', [3, side, side, channels]);
    const { mean, logSigma } = encode(network, parameterInputs(shapes), images);
    expect(mean.shape).toEqual([3, latentSize]);
    expect(logSigma.shape).toEqual([3, latentSize]);
  });

  test.each([
    ['MNIST', MNIST_BASELINE, [2, 32, 32, 1]],
    ['CelebA', CELEBA_BASELINE, [2, 64, 64, 10]],
  ])('decode %s by the baseline', (_, network, shape) => {
    const parameters = parameterInputs(baselineShapes(network));
    const latents = g.input('latents', [2, network.latentSize]);
    expect(decodeBaseline(network, parameters, latents).shape).toEqual(shape);
  });
});

describe('first values', () => {
  const shapes = updateShapes(net('res4', 16, 12));
  const tensors = initialise(shapes, createRandom(1));

  it('are zero in the last layer alone', () => {
    for (const [name, { data }] of tensors) {
      const isLast = name.startsWith('update.out.');
      expect(data.every((x) => x === 0)).toBe(isLast);
    }
  });

  it('are uniform in ±1/√fan-in, kernels and biases', () => {
    for (const layer of ['perceive', 'block0.inner']) {
      const bound = 1 / Math.sqrt(layer === 'perceive' ? 9 * 16 : 12);
      for (const part of ['kernel', 'bias']) {
        const { data } = tensors.get(`update.${layer}.${part}`)!;
        const largest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.7 * bound);
      }
      const { data } = tensors.get(`update.${layer}.kernel`)!;
      const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
      expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 0);
    }
  });

  it('are named when missing', () => {
    expect(() => parameterInputs(shapes)('update.none')).toThrow('no parameter "update.none"');
  });
});
