/**
 * Prebuilt kernels: on all processors they compute the bits that the kernel compiled here computes.
 * The one for ARM64 runs in QEMU.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createPatchStore } from '../../../../server/engine/core/patch-store.ts';
import { buildKernel, findPrebuilt } from '../../../../server/engine/native/compile.ts';
import {
  backendOf,
  type Kernel,
  loadKernel,
  openSteps,
} from '../../../../server/engine/native/native.ts';
import { getOrAdd } from '../../../../server/platform/collections.ts';
import { growthSchedule } from '../../../../server/vnca/architecture.ts';
import { loadCheckpoint, type Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { suiteFolder } from '../../../support/closing.ts';
import { isFull, testNeeding } from '../../../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../../../support/organisms.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';
import { bitsOf, CONTRACT_MODELS, seedOf } from '../support.ts';
import { ARM_NEEDS, hasArm, openRemote } from './remote-kernel.ts';
import { hasCompiler } from './support.ts';

const run = promisify(execFile);
const isX64 = process.platform === 'linux' && process.arch === 'x64' && hasCompiler;
const hasAvx512 = isX64 && readFileSync('/proc/cpuinfo', 'utf8').includes(' avx512vl ');
const kernels = suiteFolder();
const files = new Map<string, Promise<string>>();
const built = (target: string): Promise<string> =>
  getOrAdd(files, target, () => buildKernel(target, kernels));
/** Shows ink, as digits do. */
const ink = tinyModel({
  name: 'ink',
  readout: { kind: 'bernoulli', channel: 2 },
  presence: { threshold: 0.1 },
});
/** Of patches: alone, in a batch, and a chimera. */
const PATCHES = [1, 2, 3, 4];

/** The states of growing patches after each step, and what is shown of them, as hashes. */
async function grow(kernel: Kernel, model: Model): Promise<unknown[]> {
  const { side, latentSize, update } = model.card;
  const store = await createPatchStore([model], backendOf(kernel));
  const latents = PATCHES.map((patch) => createRandom(patch).latent(latentSize));
  const labels = Uint8Array.from({ length: side ** 2 }, (_, i) => Math.floor(i / 5) % 4);
  const genomes = update.standingInput ? { latents, labels } : undefined;
  const [chimera, ...others] = PATCHES.map((patch) => seedOf(model, patch));
  await store.plant([{ ...chimera, genomes }, ...others]);
  const found: unknown[] = [];
  for (const { divide, stage } of growthSchedule(model.card)) {
    const keep = Uint8Array.from({ length: stage ** 2 }, (_, i) => Number(i % 11 !== 3));
    const closed = Uint8Array.from({ length: stage ** 2 }, (_, i) => Number(i % stage > 12));
    const shown = await store.step(
      PATCHES.map((patch) => ({ patch, divide, ...(patch > 2 && { keep, closed }) })),
    );
    const states = await store.exportStates(PATCHES);
    // Which kind of NaN comes of an error depends on the processor.
    found.push(
      shown,
      states.map((state) => state.every(Number.isFinite) && bitsOf(state)),
    );
  }
  return found;
}

/** Steps for training, and their gradients, as hashes. */
function train(kernel: Kernel, { card }: Model): unknown[] {
  const steps = openSteps(kernel, card);
  const random = createRandom(7);
  const [side, count, genomes, of] = [8, 3, 2, 2];
  const { channels, update } = card;
  const cells = count * side * side;
  const numbers = (length: number) => random.latent(length).map((x) => 0.2 * x);
  const every = (length: number, most: number) =>
    random.latent(length).map((x) => Number(x > most));
  const shape = {
    ...{
      side,
      count,
      genomes,
      steps: of,
      leak: update.leak,
      kernel: numbers(9 * channels * update.hidden),
    },
    ...{ layers: numbers(count * genomes * steps.rowSize), states: numbers(cells * channels) },
    ...{ masks: every(of * cells, -0.5), open: every(cells, -1), closed: every(cells, 1) },
    weights: every(cells * genomes, 0).map((x) => 0.25 + x / 2),
  };
  const { after, last, reverse } = steps.take(shape, true);
  const totals = { kernel: shape.kernel.slice().fill(0), layers: shape.layers.slice().fill(0) };
  const change = { after: numbers(after.length), last: numbers(after.length) };
  const before = reverse(change, totals);
  expect(before.every(Number.isFinite) && before.some((x) => x !== 0)).toBe(true);
  return [after, last, before, totals.kernel, totals.layers].map(bitsOf);
}

const inNode = (file: string): Kernel => {
  const addOn = { exports: {} as Kernel };
  process.dlopen(addOn, file);
  return addOn.exports;
};

/** The kernel that is chosen on this machine. */
const best = hasAvx512 ? 'avx512' : 'avx2';

// Compiling takes long, so the other kernels are left to `npm run test:full`. golden.test.ts steps
// the kernel for ARM64 in short, too.
describe.each([
  [best, 'GCC on x64', isX64, inNode],
  ...(isFull && hasAvx512 ? ([['avx2', 'GCC on x64', isX64, inNode]] as const) : []),
  ...(isFull ? ([['arm64', ARM_NEEDS, hasCompiler && hasArm, openRemote]] as const) : []),
] as const)('the kernel for %s', (target, need, isPresent, load) => {
  const testHere = testNeeding(need, isPresent);

  testHere('computes the bits that the one compiled here computes', async () => {
    const file = await built(target);
    const [ours, { kernel }] = [load(file), await loadKernel()];
    expect(ours.fused()).toBe(1);
    const organisms = await loadCheckpoint(CHECKPOINT_FOLDER);
    for (const model of [...CONTRACT_MODELS, ink, organisms]) {
      expect(await grow(ours, model)).toEqual(await grow(kernel, model));
      expect(train(ours, model)).toEqual(train(kernel, model));
    }
  });

  testHere('refers to no version of a library, so that old systems load it', async () => {
    const words = ['--dynamic', '--version-info', await built(target)];
    const { stdout } = await run('readelf', words);
    expect(stdout).toContain('No version information found');
    expect(stdout).not.toContain('(NEEDED)');
  });
});

testNeeding('GCC on x64', isX64)('the best one is chosen, and one that fails is not', async () => {
  const [prebuilt, broken, cache] = [suiteFolder(), suiteFolder(), suiteFolder()];
  expect(findPrebuilt(join(prebuilt, 'none'))).toBeUndefined();
  for (const name of ['avx2.node', 'avx512.node']) {
    copyFileSync(await built(best), join(prebuilt, name));
    writeFileSync(join(broken, name), 'no code');
  }
  const file = join(prebuilt, `${best}.node`);
  expect(await loadKernel({ prebuilt, cache })).toMatchObject({ file });
  expect(dirname((await loadKernel({ prebuilt: broken, cache, processor: '-O0' })).file)).toBe(
    cache,
  );
});
