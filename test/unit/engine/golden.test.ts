/** A checkpoint against golden vectors that another framework wrote when it trained it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../../server/engine/backend.ts';
import { createEngine } from '../../../server/engine/create-engine.ts';
import type { Engine, Readout } from '../../../server/engine/engine.ts';
import { type Checkpoint, galleryLatent, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { growthSchedule } from '../../../server/vnca/growth.ts';
import { createReadout } from '../../../server/vnca/readout.ts';
import { parseSafetensors } from '../../../server/vnca/safetensors.ts';
import { type Float32Tensor, float32Of } from '../../../shared/safetensors.ts';
import { testNeeding } from '../../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { hasCompiler } from './native/support.ts';
import { PATIENCE, present } from './webgpu/support.ts';

const TOLERANCE = 1e-3;
const FOLDER = new URL('../../fixtures/checkpoints/small', import.meta.url);
const GOLDEN = new URL('../../fixtures/small-golden.safetensors', import.meta.url);
const PATCHES = [0];

let checkpoint: Checkpoint;
let golden: Map<string, Float32Tensor>;

beforeAll(async () => {
  checkpoint = await loadCheckpoint(fileURLToPath(FOLDER));
  golden = float32Of(parseSafetensors(await readFile(GOLDEN), 'golden'));
});

/** Row i of a golden tensor's first axis. */
function row(name: string, i: number): Float32Array {
  const { shape, data } = golden.get(name)!;
  const size = data.length / shape[0];
  return data.slice(i * size, (i + 1) * size);
}

async function expectGolden(engine: Engine, name: string, patches = PATCHES): Promise<void> {
  const states = await engine.exportStates(patches);
  states.forEach((state, i) => {
    const wanted = row(name, i);
    expect(state).toHaveLength(wanted.length);
    const error = state.reduce((most, x, k) => Math.max(most, Math.abs(x - wanted[k])), 0);
    expect(error).toBeLessThan(TOLERANCE);
  });
}

async function step(engine: Engine, times: number, patches = PATCHES): Promise<void> {
  for (let k = 0; k < times; k++) {
    await engine.step(patches.map((patch) => ({ patch, divide: false })));
  }
}

async function grow(engine: Engine, patches: readonly number[]): Promise<void> {
  for (const { divide } of growthSchedule(checkpoint.card)) {
    await engine.step(patches.map((patch) => ({ patch, divide })));
  }
}

const plant = (engine: Engine, patches = PATCHES): Promise<void> =>
  engine.plant(patches.map((patch) => ({ patch, checkpoint: 'small', latent: row('z', patch) })));

// 'auto' selects one of the others, so its long runs are left to `npm run test:full`, as are half
// of those in 16 bits.
const full = process.env.VIVARIUM_TEST_FULL === '1';

const backends: [BackendName | 'auto', boolean][] = [
  ['onnx', true],
  ['wasm', true],
  ['cpu', true],
  ['auto', full],
];
if (present.includes('webgpu')) backends.push(['webgpu', true]);
if (hasCompiler) backends.push(['native', true]);

describe.each(backends)('on backend %s', (backend, long) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ checkpoints: [checkpoint], backend });
  });
  afterAll(() => engine.close());
  afterEach(() => engine.dispose(PATCHES));

  test('one step gives the golden state', async () => {
    await plant(engine);
    await engine.importStates([{ patch: 0, state: row('step_in', 0) }]);
    await engine.step([{ patch: 0, divide: false }]);
    await expectGolden(engine, 'step_out', [0]);
  });

  if (!long) return;

  test('latents grow, hold their shape and heal as in the golden vectors', async () => {
    await plant(engine);
    await grow(engine, PATCHES);
    await expectGolden(engine, 'grown');
    await step(engine, 16);
    await expectGolden(engine, 'grown_plus16');
    // In the file too, 1 = the cell is kept.
    const keepOf = (patch: number) => Uint8Array.from(row('wound_mask', patch));
    await engine.step(PATCHES.map((patch) => ({ patch, divide: false, keep: keepOf(patch) })));
    await step(engine, 15);
    await expectGolden(engine, 'wounded_plus16');
  });
});

/** Largest error of 16 bits on a grown picture, of 255 (measured: 0.08 and 3). */
const HALF_BOUND = { mean: 0.25, worst: 8 };

function expectNear(pictures: readonly Uint8Array[], wanted: readonly Uint8Array[]): void {
  const off = pictures.flatMap((rgba, i) => [...rgba].map((x, k) => Math.abs(x - wanted[i][k])));
  const mean = off.reduce((sum, x) => sum + x, 0) / off.length;
  const worst = off.reduce((a, b) => Math.max(a, b));
  if (full)
    console.log(`16 bits, ${pictures.length} pictures: mean ${mean}, worst ${worst} of 255`);
  expect(mean).toBeLessThan(HALF_BOUND.mean);
  expect(worst).toBeLessThanOrEqual(HALF_BOUND.worst);
}

const testHalf = testNeeding('WebGPU with 16-bit floats', present.includes('webgpu-f16'));

testHalf(
  'the default organisms grow in 16 bits as in 32, within the stated bound',
  async () => {
    const organisms = await loadCheckpoint(CHECKPOINT_FOLDER);
    const { name, gallery } = organisms.card;
    const every = full ? 13 : 209;
    const ids = Array.from({ length: Math.ceil(gallery.length / every) }, (_, i) => i);
    const grownOn = async (backend: BackendName): Promise<Uint8Array[]> => {
      const engine = await createEngine({ checkpoints: [organisms], backend });
      await engine.plant(
        ids.map((patch) => ({
          ...{ patch, checkpoint: name },
          latent: galleryLatent(organisms, patch * every),
        })),
      );
      let readouts: Readout[] = [];
      for (const { divide } of growthSchedule(organisms.card)) {
        readouts = await engine.step(ids.map((patch) => ({ patch, divide })));
      }
      for (let k = 0; k < 32; k++) {
        readouts = await engine.step(ids.map((patch) => ({ patch, divide: false })));
      }
      await engine.close();
      return readouts.map(({ rgba }) => rgba);
    };
    expectNear(await grownOn('webgpu-f16'), await grownOn('onnx'));
  },
  PATIENCE,
);

testHalf(
  'pictures grown in 16 bits stay within the stated bound',
  async () => {
    const engine = await createEngine({ checkpoints: [checkpoint], backend: 'webgpu-f16' });
    await plant(engine);
    await grow(engine, PATCHES);
    await step(engine, 15);
    const readouts = await engine.step(PATCHES.map((patch) => ({ patch, divide: false })));
    await engine.close();
    const read = createReadout(checkpoint.card);
    const wanted = readouts.map(({ patch, rgba }) => {
      const picture = new Uint8Array(rgba.length);
      read(row('grown_plus16', patch), 0, picture, new Uint8Array(rgba.length / 4));
      return picture;
    });
    expectNear(
      readouts.map(({ rgba }) => rgba),
      wanted,
    );
  },
  PATIENCE,
);
