/** Stores of patches, threads that share patches, and what replaces threads that are lost. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName, PatchStore, RuleBackend } from '../../../server/engine/backend.ts';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createEngine } from '../../../server/engine/create-engine.ts';
import {
  type Engine,
  EngineError,
  type EngineInfo,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../../../server/engine/engine.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import { attachEngine, type ThreadEngine } from '../../../server/engine/thread/protocol.ts';
import { recoveringThread } from '../../../server/engine/thread/recovering-thread.ts';
import { shardAcross } from '../../../server/engine/thread/sharding.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { LABELS } from './contract.ts';
import { bitsOf, CONTRACT_MODELS, seedOf, still, threadOver } from './support.ts';

/** Memory of the patch store: leaks, and the reuse of buffers. */

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

/** Several threads as one engine; its refusals are tested by the contract, with `onnx`. */
setFlagsFromString('--expose-gc');

/** A store as a thread would have it, and its patches. */
async function thread() {
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

/** An engine of some threads. */
async function sharded(count: number) {
  const threads = await Promise.all(Array.from({ length: count }, thread));
  const engines = threads.map(({ engine }) => engine);
  const cards = CONTRACT_MODELS.map(({ card }) => card);
  return { threads, engine: shardAcross(engines, cards) };
}

test('patches are distributed evenly, and move when one thread has all the work', async () => {
  const { threads, engine } = await sharded(3);
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

test('chimeras move with their genomes and labels, and other genomes can be grafted afterwards', async () => {
  const model = CONTRACT_MODELS.find(({ card }) => card.name === 'genome')!;
  const latents = [1, 2, 3, 4].map((one) => seedOf(model, one).latent);
  const run = async (count: number) => {
    const { threads, engine } = await sharded(count);
    const ids = Array.from({ length: 8 }, (_, i) => i);
    const genomes = { latents, labels: LABELS.quarters };
    await engine.plant(ids.map((id) => ({ ...seedOf(model, id), genomes })));
    // Of two threads, all of these are in one.
    const awake = [0, 2, 4, 6];
    await engine.step(awake.map((patch) => ({ patch, divide: true })));
    await engine.step(awake.map(still));
    const express = { latents: latents.slice(1, 3), labels: LABELS.halves };
    await engine.step(awake.map((patch) => ({ patch, divide: true, express })));
    const states = (await engine.exportStates(awake)).map(bitsOf);
    await engine.close();
    return { states, moved: threads.flatMap(({ moved }) => moved) };
  };
  const [one, two] = [await run(1), await run(2)];
  expect(two.moved).toHaveLength(2);
  expect(two.states).toEqual(one.states);
});

test('no patch moves to a thread that has fallen back to another engine', async () => {
  const { threads, engine } = await sharded(2);
  const ids = Array.from({ length: 8 }, (_, i) => i);
  await engine.plant(ids.map((id) => seedOf(CONTRACT_MODELS[0], id)));
  const [, fallen] = threads.map((one) => one.engine);
  Object.assign(fallen, { info: { ...fallen.info, name: 'native' } });
  await engine.step([...threads[0].living].map(still));
  expect(threads.flatMap(({ moved }) => moved)).toEqual([]);
  await engine.close();
});

test('read-outs are not kept once a later step is answered', async () => {
  const collect = runInNewContext('gc') as () => void;
  const { engine } = await sharded(2);
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

test('states and read-outs do not depend on the number of threads, bit for bit, nor on waiting for answers', async () => {
  const single = await createEngine({ checkpoints: CONTRACT_MODELS, backend: 'onnx', threads: 1 });
  const { engine: several, threads } = await sharded(3);
  const random = createRandom(8);
  const ids: number[] = [];
  const answers: Promise<unknown>[][] = [];
  /** Calls both engines, without waiting for answers to earlier calls. */
  const both = (ask: (engine: Engine) => Promise<unknown>) =>
    answers.push([single, several].map(ask));
  for (let tick = 0; tick < 60; tick++) {
    if (tick % 3 === 0) {
      const born = seedOf(CONTRACT_MODELS[random.integer(CONTRACT_MODELS.length)], tick);
      ids.push(tick);
      both((engine) => engine.plant([born]).then(() => 'planted'));
    }
    if (tick % 17 === 16) {
      const [gone] = ids.splice(random.integer(ids.length), 1);
      both((engine) => engine.dispose([gone, 999]).then(() => 'gone'));
      both((engine) => engine.step([still(gone)]).catch(({ reason }: EngineError) => reason));
    }
    // Some sleep, so that threads are uneven all the time.
    const steps = ids.filter(() => random.uniform() < 0.6).map(still);
    both((engine) => engine.step(steps));
  }
  both(async (engine) => (await engine.exportStates(ids)).map(bitsOf));
  for (const pair of answers) {
    const [wanted, found] = await Promise.all(pair);
    expect(found).toEqual(wanted);
  }
  expect(threads.flatMap(({ moved }) => moved).length).toBeGreaterThan(0);
  await single.close();
  await several.close();
});

/**
 * Threads that die repeatedly or in various ways, and what replaces them. `losses.ts` tests that
 * nothing is lost.
 */
const SEED = { patch: 1, checkpoint: 'fake', latent: new Float32Array(2) };

/** A thread that counts the steps of its patches. @param dies in which of its steps */
function fakeThread(dies = Infinity, name = 'fake'): ThreadEngine & { steps: number } {
  const thread = {
    info: { name, device: 'CPU (none)' },
    steps: 0,
    plant: async () => {},
    async step(steps: readonly PatchStep[]) {
      if (++thread.steps > dies) throw new EngineError('failed', 'hit');
      return steps.map(({ patch }) => ({ patch }) as Readout);
    },
    exportStates: async () => [],
    importStates: async () => {},
    dispose: async () => {},
    take: async () => [],
    put: async () => {},
    close: async () => {},
  };
  return thread;
}

/** @param deaths after how many steps each replacement thread dies */
async function lasting(
  deaths: number[],
  options: Partial<Parameters<typeof recoveringThread>[1]> = {},
) {
  const whys: string[] = [];
  const thread = await recoveringThread(fakeThread(0), {
    start: async () => fakeThread(deaths.shift()),
    onLoss: (_, why) => whys.push(why),
    retryDelays: [0],
    ...options,
  });
  await thread.plant([SEED]);
  return { thread, whys };
}

test('a step that kills four threads in a minute fails, and so do later calls', async () => {
  const { thread, whys } = await lasting([0, 0, 0, 0, 0]);
  const failure = {
    reason: 'failed',
    message: "engine: failed: the engine's thread was lost repeatedly (hit)",
  };
  await expect(thread.step([still(1)])).rejects.toMatchObject(failure);
  await expect(thread.plant([{ ...SEED, patch: 2 }])).rejects.toMatchObject(failure);
  expect(whys).toEqual(['hit', 'hit', 'hit']);
  await thread.close();
});

test('calls fail with the reason when no replacement starts', async () => {
  const { thread } = await lasting([], {
    start: async () => {
      throw new EngineError('unavailable', 'no luck');
    },
  });
  await expect(thread.step([still(1)])).rejects.toMatchObject({
    reason: 'failed',
    detail: "the engine's thread was lost and could not be reopened: no luck",
  });
  await thread.close();
});

test('can be closed while a replacement starts', async () => {
  let come: (thread: ThreadEngine) => void = () => {};
  const { thread } = await lasting([], {
    start: () =>
      new Promise((resolve) => {
        come = resolve;
      }),
  });
  const step = thread.step([still(1)]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const closed = thread.close();
  await expect(thread.step([still(1)])).rejects.toMatchObject({ reason: 'closed' });
  come(fakeThread());
  expect(await step).toEqual([{ patch: 1 }]);
  await closed;
});

/** A store in this thread, as an engine's thread has it. */
async function storeThread(start: () => Promise<RuleBackend>): Promise<ThreadEngine> {
  const backend = await start();
  return threadOver(await createPatchStore(CONTRACT_MODELS, backend), backend.info);
}

test('a patch that arrives on a thread that has fallen back meanwhile has its own cells', async () => {
  const restart = () => storeThread(startTfjsCpu);
  const from = await recoveringThread(await storeThread(startOnnx), { start: restart });
  const to = await recoveringThread(await storeThread(startTfjsCpu), { start: restart });
  // Where chance decides it is drawn from the bits of a state, in which two engines differ.
  const models = CONTRACT_MODELS.filter(({ card }) => card.update.updateProbability === 1);
  const planted = models.map((model, i) => seedOf(model, i));
  const steps = planted.map(({ patch }) => still(patch));
  await from.plant(planted);
  for (let k = 0; k < 5; k++) await from.step(steps);
  const ids = planted.map(({ patch }) => patch);
  const before = await from.exportStates(ids);
  await to.put(await from.take(ids));
  const after = await to.exportStates(ids);
  after.forEach((state, i) => {
    const off = state.map((value, k) => Math.abs(value - before[i][k]));
    // Some of these rules let numbers grow without a limit.
    const size = 1 + Math.max(...before[i].map(Math.abs));
    expect(Math.max(...off) / size).toBeLessThan(1e-4);
  });
  expect(await to.step(steps)).toHaveLength(ids.length);
  for (const thread of [from, to]) await thread.close();
});

const READOUT: Readout = {
  ...{ patch: 1, stage: 1, change: 3 },
  ...{ rgba: Uint8Array.of(1, 2, 3, 4), presence: Uint8Array.of(5) },
};

const READY = `
const { parentPort, workerData } = require('node:worker_threads');
parentPort.postMessage({ answer: 0, result: { info: { name: 'fake', device: 'CPU (none)' } } });`;

test.each([
  ['runs out of memory', 'const all = []; for (;;) all.push(new Array(1e5).fill(all.length));'],
  ['throws what nobody catches', "setTimeout(() => { throw new Error('hit'); });"],
  ['ends itself', 'process.exit(7);'],
])('a thread that %s is replaced', async (_, death) => {
  const threadOf = (work: string): Promise<ThreadEngine> =>
    attachEngine(
      new Worker(
        `${READY} parentPort.on('message', ({ call, method, args }) => {
        if (method === 'step') { ${work} }
        else parentPort.postMessage({ answer: call, result: undefined });
      });`,
        {
          ...{ eval: true, workerData: [READOUT] },
          resourceLimits: { maxOldGenerationSizeMb: 16 },
        },
      ),
    );
  const whys: string[] = [];
  const thread = await recoveringThread(await threadOf(death), {
    start: () => threadOf('parentPort.postMessage({ answer: call, result: workerData });'),
    onLoss: (_, why) => whys.push(why),
  });
  await thread.plant([SEED]);
  expect(await thread.step([still(1)])).toEqual([READOUT]);
  expect(whys).toEqual([expect.stringMatching(/memory|hit|code 7/)]);
  await thread.close();
});

test.each([
  ['ends', 'process.exit(3)', "the engine's thread ended with code 3"],
  ['throws', "throw new Error('no luck')", 'no luck'],
])('a worker that %s before it is ready makes the engine unavailable', async (_, code, why) => {
  await expect(attachEngine(new Worker(code, { eval: true }))).rejects.toMatchObject({
    reason: 'unavailable',
    message: `engine: unavailable: ${why}`,
  });
});

/** @param broken backends that do not start */
function house(broken: readonly BackendName[]) {
  const asked: BackendName[] = [];
  const told: [EngineInfo, string][] = [];
  const time = { now: 0 };
  let isLost = false;
  const threadOn = (name: BackendName): ThreadEngine => ({
    ...fakeThread(Infinity, name),
    async step() {
      if (!isLost) return [];
      isLost = false;
      throw new EngineError('gpu-lost', 'reset');
    },
  });
  const options = {
    start: async (name: BackendName) => {
      asked.push(name);
      if (broken.includes(name)) throw new EngineError('unavailable', `no ${name}`);
      return threadOn(name);
    },
    alternative: 'onnx' as const,
    onFallback: (...spoken: [EngineInfo, string]) => told.push(spoken),
    retryDelays: [0, 0, 0, 0],
    clock: { ...systemClock, now: () => time.now },
  };
  const thread = recoveringThread(threadOn('webgpu'), options);
  /** Loses the GPU. @returns the backend that answers instead */
  const lose = async (): Promise<string> => {
    isLost = true;
    await thread.step([]);
    return thread.info.name;
  };
  return { asked, told, time, lose };
}

test('a GPU that returns is used again, however often, if losses are far apart', async () => {
  const { lose, time, told } = house([]);
  for (let k = 0; k < 9; k++) {
    time.now += 30_001;
    expect(await lose()).toBe('webgpu');
  }
  expect(told).toEqual([]);
});

test('a GPU that does not return is replaced by the alternative, which is reported once', async () => {
  const { lose, told, asked } = house(['webgpu']);
  expect(await lose()).toBe('onnx');
  expect(await lose()).toBe('onnx');
  expect(asked).toEqual(['webgpu', 'webgpu', 'webgpu', 'onnx', 'onnx']);
  expect(told).toEqual([
    [expect.objectContaining({ name: 'onnx' }), expect.stringMatching(/no webgpu/)],
  ]);
});

test('a GPU that is lost three times in a minute is replaced', async () => {
  const { lose, told } = house([]);
  expect([await lose(), await lose(), await lose()]).toEqual(['webgpu', 'webgpu', 'onnx']);
  expect(told).toEqual([[expect.anything(), expect.stringMatching(/repeatedly/)]]);
});
