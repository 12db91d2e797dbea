import type { PatchStore } from '../../../../server/engine/backend.ts';
import type { ThreadEngine } from '../../../../server/engine/thread/protocol.ts';
import { recoveringThread } from '../../../../server/engine/thread/recovering-thread.ts';
import { openGpu } from '../../../../server/engine/webgpu/device.ts';
import { createGpuStore } from '../../../../server/engine/webgpu/store.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { describeNeeding } from '../../../support/needs.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { describeLosses, LOSS_MODELS } from '../losses.ts';
import { seedOf, still, threadOver } from '../support.ts';
import { isGpuHere } from './support.ts';

const update = { kind: 'simple', hidden: 8, stateLimit: 4 };
const plain = tinyModel({ name: 'plain', update });
/** The same weights, but half of the cells stay as they are. */
const chance: Model = {
  tensors: plain.tensors,
  card: { ...plain.card, name: 'chance', update: { ...plain.card.update, updateProbability: 0.5 } },
};
const MODELS = [plain, chance];
const CHANNELS = plain.card.channels;

const seed = (patch: number, model = plain) => seedOf(model, patch);
const stateOf = (n: number, side: number): Float32Array =>
  createRandom(n).latent(side * side * CHANNELS);

/** A store on a GPU, and its device. */
async function opened(models = MODELS): Promise<{ store: PatchStore; device: GPUDevice }> {
  const gpu = await openGpu();
  return { store: await createGpuStore(models, async () => gpu), device: gpu.device };
}

if (isGpuHere) {
  describeLosses('a GPU that is lost', async () => {
    const heard: string[] = [];
    let lose!: () => void;
    const restart = async (): Promise<ThreadEngine> => {
      const { store, device } = await opened(LOSS_MODELS);
      lose = () => device.destroy();
      return threadOver(store, { name: 'webgpu', device: 'GPU' });
    };
    const engine = recoveringThread(await restart(), {
      start: restart,
      onLoss: (what, why) => heard.push(`${what}: ${why}`),
    });
    return { engine, heard, lose: () => lose() };
  });
}

describeNeeding('WebGPU', isGpuHere)('a store on a GPU', () => {
  let store: PatchStore;
  let device: GPUDevice;
  beforeAll(async () => {
    ({ store, device } = await opened());
    // Compiles the kernels.
    store.plant([seed(1), seed(2, chance)]);
    await store.step([still(1), still(2)]);
    store.dispose([1, 2]);
  });
  afterAll(() => store.close());
  afterEach(() => {
    store.dispose([1, 2, 3, 4, 5]);
  });

  test('by chance, cells take the whole step or stay as they are', async () => {
    store.plant([seed(1), seed(2, chance)]);
    const state = stateOf(5, 16);
    store.importStates([1, 2].map((patch) => ({ patch, state })));
    await store.step([still(1), still(2)]);
    const [all, some] = await store.exportStates([1, 2]);
    let moved = 0;
    for (let cell = 0; cell < 256; cell++) {
      const at = [cell * CHANNELS, (cell + 1) * CHANNELS] as const;
      const acts = some[at[0]] !== state[at[0]];
      if (acts) moved++;
      const wanted = (acts ? all : state).subarray(...at);
      some.subarray(...at).forEach((x, c) => {
        expect(x).toBeCloseTo(wanted[c], 5);
      });
    }
    // Four standard deviations of 256 fair coins.
    expect(Math.abs(moved - 128)).toBeLessThan(32);
  });

  test('2,000 rounds of planting and disposing leak no buffers', async () => {
    let created = 0;
    let destroyed = 0;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      created++;
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        destroyed++;
        destroy();
      };
      return buffer;
    };
    const ids = Array.from({ length: 40 }, (_, i) => 100 + i);
    const round = async (): Promise<void> => {
      await store.plant(ids.map((id) => seed(id, id % 2 ? plain : chance)));
      await store.dispose(ids);
    };
    await round();
    const before = created - destroyed;
    for (let k = 0; k < 2_000; k++) {
      store.plant([seed(1)]);
      if (k % 100 === 0) await store.step([still(1)]);
      store.dispose([1]);
      if (k % 250 === 0) await round();
    }
    expect(created - destroyed).toBe(before);
    expect(created).toBeLessThan(200);
    device.createBuffer = create;
  });

  test('when the GPU is lost, steps and reads fail', async () => {
    const { store: mine, device: lost } = await opened();
    mine.plant([seed(1)]);
    lost.destroy();
    const failure = { reason: 'gpu-lost', detail: 'the GPU was lost' };
    await expect(mine.step([still(1)])).rejects.toMatchObject(failure);
    await expect(mine.exportStates([1])).rejects.toMatchObject(failure);
    await mine.close();
  });
});
