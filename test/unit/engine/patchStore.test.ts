/** What only the core can show: that it leaks no tensor, and fixed batches for backends that need them. */
import * as tf from '@tensorflow/tfjs-core';
import { type RuleBackend, selectBackend } from '../../../server/engine/backend.ts';
import { createPatchStore, type PatchStore } from '../../../server/engine/core/patchStore.ts';
import { createRandom } from '../../../shared/random.ts';
import { CONTRACT_MODELS } from './contract.ts';

let backend: RuleBackend;

beforeAll(async () => {
  backend = (await selectBackend('wasm')).backend as RuleBackend;
});

const IDS = Array.from({ length: 12 }, (_, i) => i);

async function planted(batchPatches?: number): Promise<PatchStore> {
  const store = await createPatchStore({
    models: CONTRACT_MODELS,
    backend: { ...backend, ...(batchPatches && { batchPatches }) },
  });
  store.plant(
    IDS.map((patch) => {
      const { card } = CONTRACT_MODELS[patch % CONTRACT_MODELS.length];
      const latent = createRandom(patch).latent(card.latentSize);
      return { patch, checkpoint: card.name, latent };
    }),
  );
  return store;
}

const steps = IDS.map((patch) => ({ patch, divide: false }));

test('stepping leaves no tensor behind, closing none at all', async () => {
  const before = tf.memory().numTensors;
  const store = await planted();
  const loaded = tf.memory().numTensors;
  for (let k = 0; k < 3; k++) await store.step(steps);
  await expect(store.step([...steps, { patch: 99, divide: false }])).rejects.toThrow(
    'unknown-patch',
  );
  expect(tf.memory().numTensors).toBe(loaded);
  await store.close();
  expect(tf.memory().numTensors).toBe(before);
});

test('batches filled up with zeros step alike', async () => {
  const free = await planted();
  const readouts = await free.step(steps);
  for (const size of [1, 2, 5, 16]) {
    const fixed = await planted(size);
    expect(await fixed.step(steps)).toEqual(readouts);
    expect(fixed.exportStates(IDS)).toEqual(free.exportStates(IDS));
    await fixed.close();
  }
  await free.close();
});

test('buffers that are used again carry nothing over: who is stepped in ever changing company steps as alone', async () => {
  const random = createRandom(7);
  const together = await planted();
  const alone = await Promise.all(IDS.map(() => planted()));
  for (let round = 0; round < 12; round++) {
    const company = steps.filter(() => random.uniform() < 0.6);
    await together.step(company);
    for (const step of company) await alone[step.patch].step([step]);
  }
  expect(await together.exportStates(IDS)).toEqual(
    await Promise.all(IDS.map(async (patch) => (await alone[patch].exportStates([patch]))[0])),
  );
  for (const store of [together, ...alone]) await store.close();
});

test('a backend that is not there is unavailable, and says why', async () => {
  const unavailable = selectBackend('tensorflow');
  const error = await unavailable.then(
    () => undefined,
    (e: unknown) => e,
  );
  // Where the add-on is installed it starts, and the test has nothing to say.
  if (error !== undefined) {
    expect(error).toMatchObject({ reason: 'unavailable' });
    expect((error as Error).message).toMatch(/^engine: unavailable: tensorflow: .+/);
  }
});
