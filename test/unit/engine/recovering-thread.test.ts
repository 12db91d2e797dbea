/**
 * Threads that die repeatedly or in various ways, and what replaces them. `losses.ts` tests that
 * nothing is lost.
 */
import { Worker } from 'node:worker_threads';
import type { BackendName, RuleBackend } from '../../../server/engine/backend.ts';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import {
  EngineError,
  type EngineInfo,
  type PatchStep,
  type Readout,
} from '../../../server/engine/engine.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import {
  attachEngine,
  packReadouts,
  type ThreadEngine,
} from '../../../server/engine/thread/protocol.ts';
import { recoveringThread } from '../../../server/engine/thread/recovering-thread.ts';
import { Recovery } from '../../../server/engine/thread/recovery.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { CONTRACT_MODELS, seedOf, threadOver } from './support.ts';

const SEED = { patch: 1, checkpoint: 'fake', latent: new Float32Array(2) };
const still: PatchStep = { patch: 1, divide: false };

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
  await expect(thread.step([still])).rejects.toMatchObject(failure);
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
  await expect(thread.step([still])).rejects.toMatchObject({
    reason: 'failed',
    detail: "the engine's thread was lost and could not be reopened: no luck",
  });
  await thread.close();
});

test('of the copies of a patch, only the latest takes memory', async () => {
  const copies: Float32Array[] = [];
  const exporting = {
    ...fakeThread(),
    exportStates: async () => [copies[copies.push(new Float32Array(4)) - 1]],
  };
  const { thread } = await lasting([], { start: async () => exporting, saveEvery: 2 });
  for (let k = 0; k < 12; k++) await thread.step([still]);
  expect(copies.length).toBeGreaterThan(3);
  expect(copies.filter(({ length }) => length > 0)).toEqual(copies.slice(-1));
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
  const step = thread.step([still]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const closed = thread.close();
  await expect(thread.step([still])).rejects.toMatchObject({ reason: 'closed' });
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
  const steps = planted.map(({ patch }) => ({ patch, divide: false }));
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
          ...{ eval: true, workerData: packReadouts([READOUT]) },
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
  expect(await thread.step([still])).toEqual([READOUT]);
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
  const options = {
    start: async (name: BackendName) => {
      asked.push(name);
      if (broken.includes(name)) throw new EngineError('unavailable', `no ${name}`);
      return fakeThread(Infinity, name);
    },
    alternative: 'onnx' as const,
    onFallback: (...spoken: [EngineInfo, string]) => told.push(spoken),
    retryDelays: [0, 0, 0, 0],
    clock: { ...systemClock, now: () => time.now },
  };
  const recovery = new Recovery(fakeThread(Infinity, 'webgpu'), options, async () => {});
  /** Loses the GPU. @returns the backend that answers instead */
  const lose = (): Promise<string> => {
    let isLost = false;
    return recovery.submit(async ({ info }) => {
      if (isLost) return info.name;
      isLost = true;
      throw new EngineError('gpu-lost', 'reset');
    });
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
