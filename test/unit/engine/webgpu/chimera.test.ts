/** Chimeras on a GPU: genomes counted per tile, and weights that follow the stage. */
import type { PatchStep } from '../../../../server/engine/engine.ts';
import { createGpuStore } from '../../../../server/engine/webgpu/store.ts';
import { type Genomes, genomeWeights, mixSteps } from '../../../../server/vnca/chimera.ts';
import { createRandom } from '../../../../shared/random.ts';
import { describeNeeding } from '../../../support/needs.ts';
import { genomeUpdate, tinyModel } from '../../vnca/tiny-model.ts';
import { isGpuHere } from './support.ts';

const SIDE = 32;
const model = tinyModel({
  ...{ name: 'wide', side: SIDE, latentSize: 11 },
  update: { ...genomeUpdate(7), leak: 0.2, stateLimit: 2, updateProbability: 0.7 },
});
const { name: checkpoint, channels, latentSize } = model.card;
const latents = [1, 2, 3, 4].map((seed) => createRandom(seed).latent(latentSize));
const labelled = (label: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, i) => label(i % SIDE, Math.floor(i / SIDE)));

describeNeeding('WebGPU', isGpuHere)('chimeras on a GPU', () => {
  let store: Awaited<ReturnType<typeof createGpuStore>>;
  beforeAll(async () => {
    store = await createGpuStore([model]);
  });
  afterAll(() => store.close());
  afterEach(() => store.dispose([0, 1, 2, 3, 4]));

  test.each<[string, Genomes]>([
    [
      'a corner of another',
      { latents: latents.slice(0, 2), labels: labelled((x, y) => +(x + y > 40)) },
    ],
    ['four', { latents, labels: labelled((x, y) => +(x > 12) + 2 * +(y > 17)) }],
    ['only the last', { latents: latents.slice(0, 3), labels: labelled(() => 2) }],
  ])('%s: a step is the mean of the steps by each genome', async (_, genomes) => {
    await store.plant([
      { patch: 4, checkpoint, latent: latents[3], genomes },
      ...latents.map((latent, patch) => ({ patch, checkpoint, latent })),
    ]);
    for (const stage of [8, SIDE, 16]) {
      const state = createRandom(stage).latent(stage * stage * channels);
      await store.importStates([0, 1, 2, 3, 4].map((patch) => ({ patch, state })));
      const keep = Uint8Array.from({ length: stage * stage }, (_, i) => +(i % 5 !== 0));
      const closed = keep.map((_, i) => +(i % 7 === 0));
      const stepOf = (patch: number): PatchStep => ({ patch, divide: false, keep, closed });
      await store.step([0, 4, 1, 2, 3].map(stepOf));
      const [mixed, ...steps] = await store.exportStates([4, 0, 1, 2, 3]);
      const weights = genomeWeights(genomes.labels!, genomes.latents.length, stage);
      const wanted = new Float32Array(mixed.length);
      const counting = steps.slice(0, genomes.latents.length);
      mixSteps(counting, weights, { cells: channels, channels: 1 }, wanted);
      let [largest, exact] = [0, 0];
      for (let i = 0; i < wanted.length; i++) {
        const cell = Math.floor(i / channels);
        const own = counting.findIndex((_, g) => weights[g * stage * stage + cell] === 1);
        if (own >= 0 && ++exact) expect(mixed[i]).toBe(steps[own][i]);
        largest = Math.max(largest, Math.abs(mixed[i] - wanted[i]));
      }
      expect(exact).toBeGreaterThan(wanted.length / 4);
      expect(largest).toBeLessThan(1e-6);
    }
  });

  test('a genome does nothing to cells that it does not count for, even if it diverges', async () => {
    const labels = labelled((x, y) => +(x === 20 && y === 9));
    const huge = new Float32Array(latentSize).fill(3e38);
    const genomes = { latents: [latents[0], huge], labels };
    await store.plant([
      { patch: 0, checkpoint, latent: latents[0] },
      { patch: 1, checkpoint, latent: latents[0], genomes },
    ]);
    const state = createRandom(1).latent(SIDE * SIDE * channels);
    const closed = genomeWeights(labels, 2, SIDE)
      .slice(SIDE * SIDE)
      .map(Math.ceil);
    const step = async (closed?: Uint8Array) => {
      await store.importStates([0, 1].map((patch) => ({ patch, state })));
      return store.step(
        [0, 1].map((patch) => ({ patch, divide: false, ...(closed && { closed }) })),
      );
    };
    const [alone, chimera] = await step(Uint8Array.from(closed));
    expect(chimera).toEqual({ ...alone, patch: 1 });
    expect((await step())[1].broken).toBe(true);
  });
});
