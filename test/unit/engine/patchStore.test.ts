/** What only the core can show: that it leaks no tensor, and fixed batches for backends that need them. */
import * as tf from '@tensorflow/tfjs-core';
import { selectBackend } from '../../../server/engine/tfjs/backend.ts';
import { createPatchStore, type PatchStore } from '../../../server/engine/tfjs/patchStore.ts';
import { createRandom } from '../../../shared/random.ts';
import { CONTRACT_MODELS } from './contract.ts';

beforeAll(async () => {
  await selectBackend('wasm');
});

const IDS = Array.from({ length: 12 }, (_, i) => i);

function planted(batchPatches?: number): PatchStore {
  const store = createPatchStore({ models: CONTRACT_MODELS, batchPatches });
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

test('stepping leaves no tensor behind, closing none at all', () => {
  const before = tf.memory().numTensors;
  const store = planted();
  const loaded = tf.memory().numTensors;
  for (let k = 0; k < 3; k++) store.step(steps);
  expect(() => store.step([...steps, { patch: 99, divide: false }])).toThrow('unknown-patch');
  expect(tf.memory().numTensors).toBe(loaded);
  store.close();
  expect(tf.memory().numTensors).toBe(before);
});

test('batches filled up with zeros step alike', () => {
  const free = planted();
  const readouts = free.step(steps);
  for (const size of [1, 2, 5, 16]) {
    const fixed = planted(size);
    expect(fixed.step(steps)).toEqual(readouts);
    expect(fixed.exportStates(IDS)).toEqual(free.exportStates(IDS));
    fixed.close();
  }
  free.close();
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
