/** Several threads as one engine; its refusals are tested by the contract, with `onnx`. */
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createEngine } from '../../../server/engine/create-engine.ts';
import type { Engine, PatchId } from '../../../server/engine/engine.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import { shardAcross } from '../../../server/engine/thread/sharding.ts';
import type { ThreadEngine } from '../../../server/engine/thread/worker-engine.ts';
import { Mutex } from '../../../server/platform/mutex.ts';
import { createRandom } from '../../../shared/random.ts';
import { bitsOf, CONTRACT_MODELS, seedOf, still } from './contract.ts';

const CARDS = CONTRACT_MODELS.map(({ card }) => card);

/** A store as a thread would have it, and its patches. */
async function thread(): Promise<{ engine: ThreadEngine; living: Set<PatchId>; moved: number[] }> {
  const backend = await startOnnx();
  const store = await createPatchStore(CONTRACT_MODELS, backend);
  const living = new Set<PatchId>();
  const moved: number[] = [];
  // A thread answers in order.
  const mutex = new Mutex();
  const engine: ThreadEngine = {
    info: backend.info,
    hasUnusedLibraries: false,
    async plant(patches) {
      for (const { patch } of patches) living.add(patch);
      return store.plant(patches);
    },
    step: (steps) => mutex.runExclusive(() => store.step(steps)),
    exportStates: async (patches) => store.exportStates(patches),
    importStates: async (states) => store.importStates(states),
    async take(patches) {
      for (const patch of patches) living.delete(patch);
      moved.push(...patches);
      return mutex.runExclusive(async () => store.take!(patches));
    },
    async put(patches) {
      for (const { patch } of patches) living.add(patch);
      return mutex.runExclusive(async () => store.put!(patches));
    },
    dispose: async (patches) => store.dispose(patches),
    close: () => store.close(),
  };
  return { engine, living, moved };
}

test('patches are distributed evenly, and move when one thread has all the work', async () => {
  const threads = await Promise.all([thread(), thread(), thread()]);
  const engines = threads.map((one) => one.engine);
  const engine = shardAcross(engines, CARDS);
  const ids = Array.from({ length: 12 }, (_, i) => i);
  await engine.plant(ids.map((id) => seedOf(CONTRACT_MODELS[0], id)));
  expect(threads.map(({ living }) => living.size)).toEqual([4, 4, 4]);

  // Only those of the first thread are awake.
  const awake = [...threads[0].living];
  await engine.step(awake.map(still));
  const share = threads.map(({ living }) => awake.filter((id) => living.has(id)).length);
  expect([...share].sort()).toEqual([1, 1, 2]);
  // Once the work is even, no patch moves.
  const moves = threads.flatMap(({ moved }) => moved).length;
  for (let k = 0; k < 3; k++) await engine.step(awake.map(still));
  expect(threads.flatMap(({ moved }) => moved)).toHaveLength(moves);
  await engine.close();
});

test('states and read-outs do not depend on the number of threads, bit for bit', async () => {
  const single = await createEngine({ checkpoints: CONTRACT_MODELS, backend: 'onnx', threads: 1 });
  const threads = await Promise.all([thread(), thread(), thread()]);
  const several = shardAcross(
    threads.map((one) => one.engine),
    CARDS,
  );
  const random = createRandom(8);
  const ids: number[] = [];
  const both = async <T>(ask: (engine: Engine) => Promise<T>): Promise<[T, T]> => [
    await ask(single),
    await ask(several),
  ];
  for (let tick = 0; tick < 60; tick++) {
    if (tick % 3 === 0) {
      const born = seedOf(CONTRACT_MODELS[random.integer(CONTRACT_MODELS.length)], tick);
      ids.push(tick);
      await both((engine) => engine.plant([born]));
    }
    if (tick % 17 === 16) {
      const [gone] = ids.splice(random.integer(ids.length), 1);
      await both((engine) => engine.dispose([gone, 999]));
    }
    // Some sleep, so that threads are uneven all the time.
    const steps = ids.filter(() => random.uniform() < 0.6).map(still);
    const [wanted, found] = await both((engine) => engine.step(steps));
    expect(found).toEqual(wanted);
  }
  const [wanted, found] = await both((engine) => engine.exportStates(ids));
  expect(found.map(bitsOf)).toEqual(wanted.map(bitsOf));
  await single.close();
  await several.close();
});
