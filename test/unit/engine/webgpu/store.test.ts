import type { PatchStore } from '../../../../server/engine/backend.ts';
import { EngineError } from '../../../../server/engine/engine.ts';
import { type Gpu, openGpu } from '../../../../server/engine/webgpu/device.ts';
import { createGpuStore } from '../../../../server/engine/webgpu/store.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { describeNeeding } from '../../../support/needs.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { describeLosses, LOSS_MODELS } from '../losses.ts';
import { seedOf, still } from '../support.ts';
import { engineOf, isGpuHere, PATIENCE } from './support.ts';

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

/** A store, and the devices it was given. */
async function opened(
  open: () => Promise<Gpu> = openGpu,
): Promise<{ store: PatchStore; gpus: Gpu[] }> {
  const gpus: Gpu[] = [];
  const store = await createGpuStore({
    models: MODELS,
    retryDelays: [0],
    open: async () => {
      const gpu = await open();
      gpus.push(gpu);
      return gpu;
    },
  });
  return { store, gpus };
}

if (isGpuHere) {
  describeLosses(
    'a store on a GPU',
    async () => {
      const gpus: Gpu[] = [];
      const heard: string[] = [];
      const store = await createGpuStore({
        models: LOSS_MODELS,
        saveEvery: 64,
        onLoss: (why) => heard.push(why),
        open: async () => {
          gpus.push(await openGpu());
          return gpus.at(-1)!;
        },
      });
      return { engine: engineOf(store), heard, lose: () => gpus.at(-1)!.device.destroy() };
    },
    PATIENCE,
  );
}

describeNeeding('WebGPU', isGpuHere)('a store on a GPU', () => {
  let store: PatchStore;
  let gpus: Gpu[];
  beforeAll(async () => {
    ({ store, gpus } = await opened());
    // Compiles the kernels.
    store.plant([seed(1), seed(2, chance)]);
    await store.step([still(1), still(2)]);
    store.dispose([1, 2]);
  }, PATIENCE);
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
    const { device } = gpus.at(-1)!;
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

  test('when no device replaces a lost one, every call fails with the reason', async () => {
    let opens = 0;
    const { store: mine, gpus: given } = await opened(async () => {
      if (opens++ > 0) throw new EngineError('unavailable', 'no GPU answers');
      return openGpu();
    });
    mine.plant([seed(1)]);
    given[0].device.destroy();
    const failure = {
      reason: 'failed',
      detail: 'the GPU was lost and could not be reopened: no GPU answers',
    };
    await expect(mine.step([still(1)])).rejects.toMatchObject(failure);
    await expect(mine.step([still(1)])).rejects.toMatchObject(failure);
    expect(() => mine.plant([seed(2)])).toThrow(EngineError);
    await mine.close();
  });
});
