/**
 * Divergence, reparameterisation, and gradients by differences. `vnca/encoder.test.ts` compares the
 * encoder with plain loops.
 */
import { gradients } from '../../../../server/training/autodiff/gradients.ts';
import * as g from '../../../../server/training/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/training/autodiff/onnx.ts';
import { divergence, encode, reparameterise } from '../../../../server/training/model/encoder.ts';
import { parameterInputs } from '../../../../server/training/model/parameters.ts';
import { type EncoderNetwork, encoderShapes } from '../../../../server/vnca/encoder-network.ts';
import { expectNear } from '../../../support/near.ts';
import { evaluate } from '../autodiff/contract.ts';
import { type Numbers, normals, randomParameters, slopeAt, slopeChecker, upload } from './small.ts';

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

function setUp(net: EncoderNetwork) {
  const shapes = encoderShapes(net, IMAGE);
  const parameters = parameterInputs(shapes);
  const images = g.inputMap('image', [N, IMAGE.side, IMAGE.side, IMAGE.channels]);
  const posterior = encode(net, parameters, images);
  const latents = reparameterise(posterior, g.input('noise', [N, Z]));
  const kl = divergence(posterior);
  const image = normals(images.shape, 1, 0.5);
  const given = { image, noise: normals([N, Z], 2), ...randomParameters(shapes, 10) };
  return { shapes, parameters, posterior, latents, kl, given };
}

it.each([
  ['free', NET],
  [
    'within bounds',
    { ...NET, meanRange: [-0.1, 0.1], logSigmaRange: [-0.2, 0.05] } as EncoderNetwork,
  ],
])('draws latents of the posterior, and measures its divergence: %s', async (_, net) => {
  const { posterior, latents, kl, given } = setUp(net);
  const { mean, logSigma } = posterior;
  const found = await evaluate(compute, { mean, logSigma, latents, kl }, given);
  const { meanRange = [-9, 9], logSigmaRange = [-9, 9] } = net;
  const nats = new Float32Array(N);
  found.mean.forEach((mu, i) => {
    const log = found.logSigma[i];
    expect(mu).toBe(Math.min(Math.max(mu, Math.fround(meanRange[0])), Math.fround(meanRange[1])));
    expect(log).toBe(
      Math.min(Math.max(log, Math.fround(logSigmaRange[0])), Math.fround(logSigmaRange[1])),
    );
    expect(found.latents[i]).toBeCloseTo(mu + Math.exp(log) * given.noise.data[i], 4);
    nats[Math.floor(i / Z)] += (mu * mu + Math.exp(2 * log) - 1 - 2 * log) / 2;
  });
  expectNear(found.kl, nats, 5e-5);
});

it('has gradients through sampling and divergence, for every parameter', async () => {
  const { shapes, parameters, latents, kl, given } = setUp(NET);
  const weights = normals([N, Z], 3);
  const names = [...shapes.keys()];
  const slopes = gradients(
    [{ result: latents, change: g.input('weights', [N, Z]) }, { result: kl }],
    names.map(parameters),
  );
  const outputs = Object.fromEntries(slopes.map((slope, i) => [names[i], slope]));
  const found = await evaluate(compute, outputs, { ...given, weights });
  const program = await compute.compile({ latents, kl });
  const check = slopeChecker();
  for (const name of names) {
    const key = `parameter:${name}`;
    const tensor = (given as Record<string, Numbers>)[key];
    const objective = async (data: Float32Array): Promise<number> => {
      const all: Record<string, Numbers> = { ...given, [key]: { ...tensor, data } };
      const results = await program.run(upload(compute, all));
      const z = await compute.read(results.latents);
      const nats = await compute.read(results.kl);
      return (
        z.reduce((sum, x, i) => sum + x * weights.data[i], 0) + nats.reduce((a, b) => a + b, 0)
      );
    };
    for (let at = 0; at < tensor.data.length; at++) {
      // A small step: an ELU bends where it begins, and a difference that spans this is a little
      // off.
      const wanted = await slopeAt(tensor, at, objective, 2e-3);
      check.compare(name, at, found[name][at], wanted);
    }
  }
  expect(check.wrong()).toEqual([]);
  expect(check.steep()).toBeGreaterThan(0.8);
  await program.dispose();
});
