/** Memory of the patch store: leaks, and the reuse of buffers. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import type { PatchStore, RuleBackend } from '../../../server/engine/backend.ts';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { CONTRACT_MODELS, seedOf, still } from './support.ts';

setFlagsFromString('--expose-gc');

let backend: RuleBackend;

beforeAll(async () => {
  backend = await startTfjsCpu();
});

const IDS = Array.from({ length: 12 }, (_, i) => i);

async function planted(): Promise<PatchStore> {
  const store = await createPatchStore(CONTRACT_MODELS, backend);
  store.plant(IDS.map((patch) => seedOf(CONTRACT_MODELS[patch % CONTRACT_MODELS.length], patch)));
  return store;
}

const steps = IDS.map(still);

test('stepping leaks no tensors, and closing frees all', async () => {
  const before = tf.memory().numTensors;
  const store = await planted();
  const loaded = tf.memory().numTensors;
  for (let k = 0; k < 3; k++) await store.step(steps);
  await expect(store.step([...steps, still(99)])).rejects.toThrow('unknown-patch');
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
  const store = await createPatchStore(CONTRACT_MODELS, { ...free, load });
  store.plant(IDS.map((patch) => seedOf(CONTRACT_MODELS[0], patch)));
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
  // Once one of them sleeps, others use their buffers: here the same number with another patch.
  await store.step(room.slice(1));
  await store.step([...room.slice(1), steps[8]]);
  await store.step([...room.slice(1), steps[8]]);
  expect(new Set(lent.get(5)!.slice(-2))).toEqual(home);
  await store.close();
});

test('2,000 rounds of planting, stepping and disposing do not leak memory', async () => {
  const collect = runInNewContext('gc') as () => void;
  const store = await createPatchStore(CONTRACT_MODELS, backend);
  const [{ card }] = CONTRACT_MODELS;
  const side = 16;
  const state = createRandom(3).latent(side * side * card.channels);
  const rounds = async (from: number, to: number): Promise<number> => {
    for (let patch = from; patch < to; patch++) {
      store.plant([seedOf(CONTRACT_MODELS[0], patch)]);
      store.importStates([{ patch, state }]);
      if (patch % 50 === 0) await store.step([still(patch)]);
      store.dispose([patch]);
    }
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  // The first rounds fill the pool of buffers.
  const before = await rounds(0, 1_000);
  const grown = (await rounds(1_000, 3_000)) - before;
  // What else runs in the process moves by a MiB or two; a leak of one state a round is far more.
  const leaked = 2_000 * state.byteLength;
  expect(leaked).toBeGreaterThan(10 * 2 ** 20);
  expect(grown).toBeLessThan(leaked / 2);
  await store.close();
});
