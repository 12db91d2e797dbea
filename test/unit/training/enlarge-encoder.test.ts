import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { initialise, parameterInputs } from '../../../server/autodiff/parameters.ts';
import { encode } from '../../../server/training/model/networks.ts';
import { enlargeEncoder } from '../../../server/training/run/begin-run.ts';
import { type EncoderNetwork, encoderShapes } from '../../../server/vnca/encoder-network.ts';
import { createRandom } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import { expectNear } from '../../support/near.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());
const image = { side: 8, channels: 4, latentSize: 3 };
const net = (convolutions: readonly number[], dense: readonly number[]): EncoderNetwork => ({
  input: '0..1',
  convolutions: convolutions.map((channels) => ({ size: 3, stride: 2, pad: 1, channels })),
  dense: [...dense],
  logSigmaRange: [-8, 2],
});
const drawn = (of: EncoderNetwork, seed: number) => ({
  net: of,
  tensors: initialise(encoderShapes(of, image), createRandom(seed)),
});
const small = drawn(net([3, 4], [5]), 1);

async function means({
  net: of,
  tensors,
}: {
  net: EncoderNetwork;
  tensors: ReadonlyMap<string, Float32Tensor>;
}): Promise<Float32Array> {
  const pixels = g.inputMap('image', [2, 8, 8, 4]);
  const { mean } = encode(of, parameterInputs(encoderShapes(of, image)), pixels);
  const program = await compute.compile({ mean });
  const random = createRandom(9);
  const values = {
    image: compute.upload(
      [2, 8, 8, 4],
      Float32Array.from({ length: 512 }, () => random.uniform()),
    ),
    ...Object.fromEntries(
      [...tensors].map(([name, { shape, data }]) => [
        `parameter:${name}`,
        compute.upload(shape, data),
      ]),
    ),
  };
  const result = await program.run(values);
  return Float32Array.from(await compute.read(result.mean));
}

it('encodes as before with more units, all of which can learn', async () => {
  const large = drawn(net([5, 7], [9]), 2);
  const tensors = enlargeEncoder(small, large, image)!;
  expectNear(await means({ net: large.net, tensors }), await means(small), 1e-5);
  for (const [name, { shape, data }] of tensors) {
    expect([name, shape]).toEqual([name, encoderShapes(large.net, image).get(name)]);
    expect(data).toHaveLength(g.sizeOf(shape));
  }
  // What leads to new units is drawn again.
  const { data } = tensors.get('encoder.dense0.kernel')!;
  expect(data.filter((x, i) => i % 9 >= 5 && x === 0)).toHaveLength(0);
});

it('an equal encoder stays as it is', () => {
  const tensors = enlargeEncoder(small, drawn(small.net, 2), image)!;
  for (const [name, { data }] of tensors) expect(data).toEqual(small.tensors.get(name)!.data);
});

it('one for another side does not take its weights', () => {
  const wide = { ...image, side: 16 };
  const of = net([5, 7], [9]);
  const tensors = initialise(encoderShapes(of, wide), createRandom(2));
  expect(enlargeEncoder(small, { net: of, tensors }, wide)).toBeUndefined();
});

it.each([
  ['smaller', net([3, 3], [5])],
  ['deeper', net([3, 4, 4], [5])],
  [
    'of another width of kernels',
    {
      ...net([3, 4], [5]),
      convolutions: net([3, 4], [5]).convolutions.map((layer) => ({ ...layer, size: 5, pad: 2 })),
    },
  ],
])('one that is %s does not take its weights', (_, of) => {
  expect(enlargeEncoder(small, drawn(of, 2), image)).toBeUndefined();
});
