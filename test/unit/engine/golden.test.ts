/**
 * Checkpoints against golden vectors: of a small one, which another framework wrote when it trained
 * it; and of chimeras of the shipped organisms, which test/tools/chimera-golden.py has computed.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BackendName, RuleBackend } from '../../../server/engine/backend.ts';
import { createPatchStore } from '../../../server/engine/core/patch-store.ts';
import { createEngine } from '../../../server/engine/create-engine.ts';
import type { Engine } from '../../../server/engine/engine.ts';
import { buildKernel } from '../../../server/engine/native/compile.ts';
import { backendOf, loadKernel, startNative } from '../../../server/engine/native/native.ts';
import { growthSchedule } from '../../../server/vnca/architecture.ts';
import {
  type Checkpoint,
  loadCheckpoint,
  parseSafetensors,
} from '../../../server/vnca/checkpoint.ts';
import { type Float32Tensor, float32Of } from '../../../shared/safetensors.ts';
import { suiteFolder } from '../../support/closing.ts';
import { isFull, testNeeding } from '../../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { ARM_NEEDS, hasArm, openRemote } from './native/remote-kernel.ts';
import { hasCompiler } from './native/support.ts';
import { still } from './support.ts';
import { engineOf, isGpuHere } from './webgpu/support.ts';

const TOLERANCE = 1e-3;
const FOLDER = new URL('../../fixtures/checkpoints/small', import.meta.url);

let checkpoint: Checkpoint;
let organisms: Checkpoint;
let golden: Map<string, Float32Tensor>;

beforeAll(async () => {
  checkpoint = await loadCheckpoint(fileURLToPath(FOLDER));
  organisms = await loadCheckpoint(CHECKPOINT_FOLDER);
  const files = ['small-golden', 'chimera-golden'].map(async (name) => {
    const file = new URL(`../../fixtures/${name}.safetensors`, import.meta.url);
    return [...float32Of(parseSafetensors(await readFile(file), name))];
  });
  golden = new Map((await Promise.all(files)).flat());
});

const bytes = (name: string): Uint8Array => Uint8Array.from(golden.get(name)!.data);

/** Row i of a golden tensor's first axis. */
function row(name: string, i: number): Float32Array {
  const { shape, data } = golden.get(name)!;
  const size = data.length / shape[0];
  return data.slice(i * size, (i + 1) * size);
}

async function expectGolden(engine: Engine, name: string, wanted = row(name, 0)): Promise<void> {
  const [state] = await engine.exportStates([0]);
  expect(state).toHaveLength(wanted.length);
  const error = state.reduce((most, x, k) => Math.max(most, Math.abs(x - wanted[k])), 0);
  expect(error).toBeLessThan(TOLERANCE);
}

async function step(engine: Engine, times: number): Promise<void> {
  for (let k = 0; k < times; k++) await engine.step([still(0)]);
}

const plant = (engine: Engine): Promise<void> =>
  engine.plant([{ patch: 0, checkpoint: 'small', latent: row('z', 0) }]);

const on = (backend: BackendName) => () =>
  createEngine({ checkpoints: [checkpoint, organisms], backend });
const onStore = (start: () => Promise<RuleBackend>) => async () =>
  engineOf(await createPatchStore([checkpoint, organisms], await start()));

/** The kernel without instructions that only some processors have. */
async function startPlain(): Promise<RuleBackend> {
  const cache = suiteFolder();
  return startNative((await loadKernel({ cache, spare: cache, processor: '-march=x86-64' })).file);
}

async function startArm(): Promise<RuleBackend> {
  return backendOf(openRemote(await buildKernel('arm64', suiteFolder())));
}

const engines: [string, () => Promise<Engine>, boolean?][] = [
  ['onnx', on('onnx')],
  // The reference takes long, so its long run is left to `npm run test:full`.
  ['the rule of TensorFlow.js', onStore(startTfjsCpu), isFull],
];
if (isGpuHere) engines.push(['webgpu', on('webgpu')]);
if (hasCompiler) engines.push(['native', on('native')]);
if (isFull && hasCompiler && process.arch === 'x64')
  engines.push(['a plain kernel', onStore(startPlain)]);
// In an emulator, which is slow; kernels.test.ts compares its bits in a shorter run.
if (hasArm) engines.push(['the kernel for ARM64', onStore(startArm), isFull]);
else testNeeding(ARM_NEEDS, false)('on the kernel for ARM64', () => {});

describe.each(engines)('on %s', (_, create, long = true) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.close());
  afterEach(() => engine.dispose([0]));

  test('one step gives the golden state', async () => {
    await plant(engine);
    await engine.importStates([{ patch: 0, state: row('step_in', 0) }]);
    await step(engine, 1);
    await expectGolden(engine, 'step_out');
  });

  if (!long) return;

  test('latents grow, hold their shape and heal as in the golden vectors', async () => {
    await plant(engine);
    for (const { divide } of growthSchedule(checkpoint.card)) {
      await engine.step([{ patch: 0, divide }]);
    }
    await expectGolden(engine, 'grown');
    await step(engine, 16);
    await expectGolden(engine, 'grown_plus16');
    // In the file too, 1 = the cell is kept.
    await engine.step([{ ...still(0), keep: Uint8Array.from(row('wound_mask', 0)) }]);
    await step(engine, 15);
    await expectGolden(engine, 'wounded_plus16');
  });

  test.each([
    ['two', 2],
    ['four', 4],
  ])(
    'a chimera of %s grows as in the golden vectors, of four beside closed cells',
    async (name, count) => {
      const latents = Array.from({ length: count }, (_, i) => row(`latents_${name}`, i));
      const genomes = { latents, labels: bytes(`labels_${name}`) };
      await engine.plant([{ patch: 0, checkpoint: 'organisms', latent: latents[0], genomes }]);
      const all = bytes('closed');
      const { side } = organisms.card;
      for (const [k, { divide, stage }] of growthSchedule(organisms.card).entries()) {
        const block = side / stage;
        const closed = Uint8Array.from({ length: stage * stage }, (_, i) => {
          return all[Math.floor(i / stage) * block * side + (i % stage) * block];
        });
        const isBeside = name === 'four' && stage >= 16;
        await engine.step([{ patch: 0, divide, ...(isBeside && { closed }) }]);
        const growing = golden.get(`growing_${name}`);
        if (growing && k === 31) await expectGolden(engine, name, growing.data);
      }
      await expectGolden(engine, name, golden.get(`grown_${name}`)!.data);
    },
  );
});
