import type { BackendName } from '../../../server/engine/backend.ts';
import { selectBackend } from '../../../server/engine/choose-backend.ts';
import { createEngine, type EngineOptions } from '../../../server/engine/create-engine.ts';
import type { Engine } from '../../../server/engine/engine.ts';
import { missingNativePart } from '../../../server/engine/tfjs/native-part.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../shared/random.ts';
import { mortalEngine } from '../../support/engine.ts';
import { isFull } from '../../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { describeEngineContract } from './contract.ts';
import { describeLosses, LOSS_MODELS } from './losses.ts';
import { hasCompiler, testNative } from './native/support.ts';
import { bitsOf, CONTRACT_MODELS, seedOf, still } from './support.ts';
import { isGpuHere, refusal } from './webgpu/support.ts';

let open: Engine | undefined;

// Also after a test that has failed: an open engine would keep the process alive.
afterEach(async () => {
  await open?.close();
  open = undefined;
});

async function opened(options: EngineOptions): Promise<Engine> {
  open = await createEngine(options);
  return open;
}

const here: BackendName[] = ['onnx'];
// The native part of TensorFlow is an optional install.
if (missingNativePart() === undefined) {
  await selectBackend('tensorflow').then(
    () => here.push('tensorflow'),
    () => {},
  );
}

if (hasCompiler) here.push('native');
else testNative('native keeps the engine contract', () => {});
// Any adapter will do, even one that computes on the CPU.
if (isGpuHere) here.push('webgpu');
else {
  test(`no webgpu here: ${refusal!.message}`, () => {
    expect(refusal).toMatchObject({ name: 'EngineError', reason: 'unavailable' });
    expect(refusal!.message).toMatch(/install|run npm ci/);
  });
}

for (const backend of here) {
  describeEngineContract(backend, () => createEngine({ checkpoints: CONTRACT_MODELS, backend }));
  // In short, only the backend that most hosts use. webgpu/store.test.ts loses a GPU.
  if (isFull || backend === (hasCompiler ? 'native' : 'onnx'))
    describeLosses(backend, () => mortalEngine({ checkpoints: LOSS_MODELS, backend }));
}

test('auto finds a backend that works, and says which', async () => {
  const engine = await opened({ checkpoints: [] });
  expect(['webgpu', 'tensorflow', 'native', 'onnx']).toContain(engine.info.name);
  if (engine.info.name === 'webgpu') expect(engine.info.device).toMatch(/^GPU /);
  expect(engine.info.device).toMatch(/^(CPU|GPU) \(.+\)$/);
});

test('two checkpoints of the same name are rejected', async () => {
  const [model] = CONTRACT_MODELS;
  const engine = createEngine({ checkpoints: [model, model], backend: 'onnx' });
  await expect(engine).rejects.toMatchObject({
    reason: 'unavailable',
    message: 'engine: unavailable: two checkpoints are named "tiny"',
  });
});

/** Of batches. A driver that emulates a GPU is spared most of them. */
const SIZES = isFull ? [2, 3, 5, 7, 16, 31, 40] : [2, 5, 12];

test.each(here.filter((name) => name !== 'tensorflow'))(
  'ISO-2: on %s, patches of the shipped net step alike in batches of any size, bit for bit',
  async (backend) => {
    const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
    const { side, channels } = checkpoint.card;
    const engine = await opened({ checkpoints: [checkpoint], backend });
    const random = createRandom(17);
    const [count, sizes] =
      backend === 'webgpu' && !isFull ? [7, [3, 7]] : [isFull ? 40 : 12, SIZES];
    const ids = Array.from({ length: count }, (_, patch) => patch);
    await engine.plant(ids.map((patch) => seedOf(checkpoint, patch)));
    for (const stage of [2, 4, 8, side]) {
      const states = ids.map((patch) => ({
        patch,
        state: random.latent(stage * stage * channels),
      }));
      const step = async (batches: number[][]): Promise<string[]> => {
        await engine.importStates(states);
        for (const batch of batches) {
          await engine.step(batch.map(still));
        }
        return (await engine.exportStates(ids)).map(bitsOf);
      };
      const alone = await step(ids.map((patch) => [patch]));
      for (const size of stage < side ? sizes : [3, count]) {
        const batches: number[][] = [];
        for (let i = 0; i < ids.length; i += size) batches.push(ids.slice(i, i + size).reverse());
        expect(await step(batches)).toEqual(alone);
      }
    }
  },
);
