/** Several threads as one engine; its refusals are tested by the contract, with `onnx`. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createEngine } from '../../../server/engine/create-engine.ts';
import type { Engine, EngineError, PatchId } from '../../../server/engine/engine.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import type { ThreadEngine } from '../../../server/engine/thread/protocol.ts';
import { shardAcross } from '../../../server/engine/thread/sharding.ts';
import { createRandom } from '../../../shared/random.ts';
import { bitsOf, CONTRACT_MODELS, seedOf, still, threadOver } from './support.ts';

setFlagsFromString('--expose-gc');

const CARDS = CONTRACT_MODELS.map(({ card }) => card);

/** A store as a thread would have it, and its patches. */
async function thread(): Promise<{ engine: ThreadEngine; living: Set<PatchId>; moved: number[] }> {
  const backend = await startOnnx();
  const base = threadOver(await createPatchStore(CONTRACT_MODELS, backend), backend.info);
  const living = new Set<PatchId>();
  const moved: number[] = [];
  const engine: ThreadEngine = {
    ...base,
    plant(patches) {
      for (const { patch } of patches) living.add(patch);
      return base.plant(patches);
    },
    take(patches) {
      for (const patch of patches) living.delete(patch);
      moved.push(...patches);
      return base.take(patches);
    },
    put(patches) {
      for (const { patch } of patches) living.add(patch);
      return base.put(patches);
    },
  };
  return { engine, living, moved };
}

test('what an engine is called does not depend on the number of its threads, so rooms may move between machines', async () => {
  expect((await startOnnx()).info).toEqual({ name: 'onnx', device: 'CPU (ONNX Runtime)' });
});

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

test('no patch moves to a thread that has fallen back to another engine', async () => {
  const threads = await Promise.all([thread(), thread()]);
  const engines = threads.map((one) => one.engine);
  const engine = shardAcross(engines, CARDS);
  const ids = Array.from({ length: 8 }, (_, i) => i);
  await engine.plant(ids.map((id) => seedOf(CONTRACT_MODELS[0], id)));
  Object.assign(engines[1], { info: { ...engines[1].info, name: 'native' } });
  await engine.step([...threads[0].living].map(still));
  expect(threads.flatMap(({ moved }) => moved)).toEqual([]);
  await engine.close();
});

test('read-outs are not kept once a later step is answered', async () => {
  const collect = runInNewContext('gc') as () => void;
  const threads = await Promise.all([thread(), thread()]);
  const engine = shardAcross(
    threads.map((one) => one.engine),
    CARDS,
  );
  await engine.plant([0, 1, 2].map((id) => seedOf(CONTRACT_MODELS[0], id)));
  const stepped = async () => new WeakRef((await engine.step([0, 1, 2].map(still)))[0]);
  const first = await stepped();
  for (let k = 0; k < 3; k++) await stepped();
  // What a WeakRef has referred to is kept until the end of the task.
  await new Promise(setImmediate);
  collect();
  expect(first.deref()).toBeUndefined();
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

test('calls take effect in order without waiting for the answers to those before', async () => {
  const threads = await Promise.all([thread(), thread()]);
  const many = shardAcross(
    threads.map((one) => one.engine),
    CARDS,
  );
  const single = await createEngine({ checkpoints: CONTRACT_MODELS, backend: 'onnx', threads: 1 });
  const ids = [0, 1, 2, 3, 4, 5];
  const calls = (engine: Engine): Promise<unknown>[] => [
    engine.plant(ids.map((id) => seedOf(CONTRACT_MODELS[0], id))),
    engine.step(ids.map(still)),
    // All of one thread: some move, and are asked for while they do.
    engine.step([0, 2, 4].map(still)),
    engine.step(ids.map(still)),
    engine.exportStates(ids),
    engine.dispose([0, 1]),
    engine.step([2, 3].map(still)),
    engine.step([0, 2].map(still)).catch(({ reason }: EngineError) => reason),
    engine.exportStates([2, 3]),
  ];
  const found = await Promise.all(calls(many));
  const results = [1, 2, 3, 4, 6, 7, 8];
  expect(threads.flatMap(({ moved }) => moved).length).toBeGreaterThan(0);
  expect(found[7]).toBe('unknown-patch');
  const wanted: unknown[] = [];
  for (const answer of calls(single)) wanted.push(await answer);
  for (const i of results) expect(found[i]).toEqual(wanted[i]);
  await many.close();
  await single.close();
});
