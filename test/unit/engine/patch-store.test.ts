/** What only the core can show: that it leaks nothing, and how it reuses buffers. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import type { PatchStore, RuleBackend } from '../../../server/engine/backend.ts';
import { selectBackend } from '../../../server/engine/backends.ts';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createRandom } from '../../../shared/random.ts';
import { CONTRACT_MODELS } from './contract.ts';

setFlagsFromString('--expose-gc');

let backend: RuleBackend;

beforeAll(async () => {
  backend = (await selectBackend('wasm')).backend as RuleBackend;
});

const IDS = Array.from({ length: 12 }, (_, i) => i);

async function planted(): Promise<PatchStore> {
  const store = await createPatchStore({ models: CONTRACT_MODELS, backend });
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

test('seeds that are grown between two ticks leave a room’s patches in their buffers; sleepers leave them at once', async () => {
  const lent = new Map<number, Float32Array[]>();
  const load: RuleBackend['load'] = async (model) => {
    const rule = await backend.load(model);
    return {
      ...rule,
      step(batch) {
        lent.set(batch.count, [...(lent.get(batch.count) ?? []), batch.states]);
        return rule.step(batch);
      },
    };
  };
  const { batchPatches, ...free } = backend;
  const store = await createPatchStore({ models: CONTRACT_MODELS, backend: { ...free, load } });
  const [{ card }] = CONTRACT_MODELS;
  store.plant(
    IDS.map((patch) => ({
      ...{ patch, checkpoint: card.name },
      latent: createRandom(patch).latent(card.latentSize),
    })),
  );
  const room = steps.slice(0, 5);
  const seeds = steps.slice(5, 8);
  await store.step(room);
  await store.step(room);
  const home = new Set(lent.get(5)!.splice(0));
  for (let k = 0; k < 40; k++) {
    await store.step(seeds);
    await store.step(room);
  }
  expect(new Set(lent.get(5))).toEqual(home);
  // Their buffers are lent to others as soon as one of them sleeps: here to as many who stay together with another.
  await store.step(room.slice(1));
  await store.step([...room.slice(1), steps[8]]);
  await store.step([...room.slice(1), steps[8]]);
  expect(new Set(lent.get(5)!.slice(-2))).toEqual(home);
  await store.close();
});

test('2,000 rounds of planting, stepping and disposing leave nothing behind', async () => {
  const collect = runInNewContext('gc') as () => void;
  const store = await createPatchStore({ models: CONTRACT_MODELS, backend });
  const [{ card }] = CONTRACT_MODELS;
  const side = 16;
  const state = createRandom(3).latent(side * side * card.channels);
  const rounds = async (from: number, to: number): Promise<number> => {
    for (let patch = from; patch < to; patch++) {
      const latent = createRandom(patch).latent(card.latentSize);
      store.plant([{ patch, checkpoint: card.name, latent }]);
      store.importStates([{ patch, state }]);
      if (patch % 50 === 0) await store.step([{ patch, divide: false }]);
      store.dispose([patch]);
    }
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  // Buffers lie ready from the first ones on.
  const before = await rounds(0, 1_000);
  const grown = (await rounds(1_000, 3_000)) - before;
  // One state of each would be more than ten times this.
  expect(2_000 * state.byteLength).toBeGreaterThan(10 * 2 ** 20);
  expect(grown).toBeLessThan(2 ** 20);
  await store.close();
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
