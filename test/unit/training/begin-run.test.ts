/** Runs that begin with the weights of a checkpoint. */
import { join } from 'node:path';
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { initialise, parameterInputs } from '../../../server/autodiff/parameters.ts';
import { readConfig, type TrainingConfig } from '../../../server/training/config.ts';
import { encode } from '../../../server/training/model/networks.ts';
import { leakAt } from '../../../server/training/rollout/rollout-plan.ts';
import { beginRun, enlargeEncoder } from '../../../server/training/run/begin-run.ts';
import { writeCheckpoint } from '../../../server/training/run/export.ts';
import type { Run } from '../../../server/training/run/run-folder.ts';
import { firstState, trainedShapes } from '../../../server/training/run/run-state.ts';
import { CARD_VERSION, parseCard } from '../../../server/vnca/card.ts';
import { loadModel } from '../../../server/vnca/checkpoint.ts';
import { type EncoderNetwork, encoderShapes } from '../../../server/vnca/encoder-network.ts';
import { createRandom } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { expectNear } from '../../support/compare.ts';
import { hexOf, tinyConfig } from './tiny-run.ts';

const folder = temporaryFolder();
const update = { kind: 'residual', hidden: 5, leak: 0.5, stateLimit: 4 };
const encoder = (fields: object = {}, pad = 1) => ({
  ...{ input: '0..1', logSigmaRange: [-6, 2], ...fields },
  convolutions: [{ size: 3, stride: 2, pad, channels: 4 }],
});
const trained = tinyConfig({ update });

/** Writes a checkpoint with random weights. */
async function write(name: string, config: TrainingConfig): Promise<string> {
  const out = join(folder(), name);
  const { title, side, channels, latentSize, growth, readout, presence } = config;
  const card = parseCard(
    {
      ...{ version: CARD_VERSION, name, title, side, channels, latentSize, growth, readout },
      ...{ presence, update: config.update, encoder: config.encoder, training: {}, figures: {} },
      gallery: [{ name: 'one', kind: 'thing' }],
      data: { set: 'none', licence: 'none', source: 'none' },
    },
    name,
  );
  const { tensors } = firstState(config);
  const weights = [...trainedShapes(config).keys()].map(
    (key) => [key, tensors.get(`parameter:${key}`)!] as const,
  );
  const latents = { shape: [1, latentSize], data: new Float32Array(latentSize) };
  await writeCheckpoint(out, {
    card,
    tensors: new Map([...weights, ['gallery.latents', latents]]),
  });
  return out;
}

async function begin(options: object, config: TrainingConfig): Promise<Run & { said: string[] }> {
  const said: string[] = [];
  const run = await beginRun({ resume: false, ...options }, config, folder(), (line) =>
    said.push(line),
  );
  return { ...run, said };
}

let from: string;
beforeAll(async () => {
  from = await write('trained', trained);
});

test('a rule that was trained with a leak keeps it', async () => {
  const config = tinyConfig({ update, leakRamp: [0, 0.5], curriculum: [{ side: 4, until: 0.2 }] });
  const { state, said } = await begin({ from }, config);
  expect(leakAt(config, state.reached)).toBe(0.5);
  expect(state.update).toBe(0);
  expect(said).toEqual([]);
  const anew = await begin({}, config);
  expect(leakAt(config, anew.state.reached)).toBe(0);
});

test('what differs from the checkpoint is said, for rule and encoder', async () => {
  // Its encoder has maps of the same size, and so the same shapes.
  const config = tinyConfig({
    ...{ side: 10, data: { kind: 'folder', folder: 'none', side: 10, margin: 0 } },
    growth: { kind: 'uniform', steps: 4 },
    update: { ...update, leak: 0.25 },
    encoder: encoder({}, 0),
  });
  const { said } = await begin({ from }, config);
  expect(said).toHaveLength(2);
  for (const path of ['"side"', '"growth.kind"', '"update.leak"']) expect(said[0]).toContain(path);
  expect(said[1]).toContain('"encoder.convolutions.0.pad"');
  for (const line of said)
    expect(line).toMatch(new RegExp(`^${from} was trained with a different`));
});

test.each([
  ['input', { input: '-1..1' }],
  ['logSigmaRange', { logSigmaRange: [-6, 3] }],
  ['meanRange', { meanRange: [-9, 9] }],
])('an encoder with another %s is refused', async (field, fields) => {
  const config = tinyConfig({ update, encoder: encoder(fields) });
  const message = expect.stringMatching(new RegExp(`^${from}: "encoder.${field}" differs`));
  await expect(begin({ from }, config)).rejects.toMatchObject({ reason: 'bad-run', message });
});

test('tensors that do not fit are said of the checkpoint that has them', async () => {
  const other = await write('other', trained);
  const blamed = async (config: TrainingConfig): Promise<string> => {
    const error = await begin({ from, encoder: other }, config).catch((thrown) => thrown);
    return error.message.split(':')[0];
  };
  expect(await blamed(tinyConfig({ update: { ...update, hidden: 6 } }))).toBe(from);
  const narrow = { ...encoder(), convolutions: [{ size: 3, stride: 2, pad: 1, channels: 3 }] };
  expect(await blamed(tinyConfig({ update, encoder: narrow }))).toBe(other);
});

test('the rule of digits goes on at another side, and its encoder with wider margins', async () => {
  const digits = 'checkpoints/digits';
  const { tensors, card } = await loadModel(digits);
  const { folder: _, ...heal } = await readConfig('server/training/configs/digits-heal.json');
  const long = await readConfig('server/training/configs/digits-long.json');
  const [first, ...rest] = long.encoder.convolutions;
  const wider = { ...long.encoder, convolutions: [{ ...first, pad: 4 }, ...rest] };
  const config = { ...heal, side: 28, encoder: wider, update: card.update };
  const { state, said } = await begin({ from: digits }, config);
  for (const name of trainedShapes(config).keys()) {
    const now = state.tensors.get(`parameter:${name}`)!;
    expect([name, hexOf(now.data)]).toEqual([name, hexOf(tensors.get(name)!.data)]);
  }
  expect(leakAt(config, state.reached)).toBe(card.update.leak);
  expect(said.join()).toContain('"side", "growth.kind"');
});

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
