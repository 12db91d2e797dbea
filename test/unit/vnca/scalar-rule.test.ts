/** Chimeras on pages: the mixture of what each genome alone makes of the same state. */
import { divide, growthSchedule, seedState } from '../../../server/vnca/architecture.ts';
import { genomeWeights, mixSteps } from '../../../server/vnca/chimera.ts';
import { createScalarRule } from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { genomeUpdate, tinyModel } from './tiny-model.ts';

const SIDE = 16;
const UPDATES = [
  ['every cell', {}],
  ['some cells at a time', { updateProbability: 0.5 }],
] as const;

/** A disc, a half and the rest. */
const labels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
  return Math.hypot(x - 4, y - 4) < 3 ? 2 : Number(x > 9);
});

describe.each(UPDATES)('a rule that updates %s', (_, fields) => {
  const model = tinyModel({ side: SIDE, update: { ...genomeUpdate(7), ...fields } });
  const { channels, latentSize } = model.card;
  const latents = [1, 2, 3].map((seed) => createRandom(seed).latent(latentSize));
  const alone = latents.map((latent) => createScalarRule(model, { latents: [latent] }));
  const together = createScalarRule(model, { latents, labels });

  test('steps a chimera in each stage to the mean of the steps by each genome', () => {
    let states = seedState(latents[0], 2, channels);
    for (const { divide: isDividing, stage } of growthSchedule(model.card)) {
      if (isDividing) states = divide(states, channels);
      const after = new Float32Array(states.length);
      const layout = { cells: channels, channels: 1 };
      const steps = alone.map((step) => step(states));
      mixSteps(steps, genomeWeights(labels, 3, stage), layout, after);
      expect(together(states)).toEqual(after);
      states = after;
    }
    expect(states).toHaveLength(channels * SIDE * SIDE);
    // Cells far from the others' genomes step as if they were alone.
    const corner = (SIDE * SIDE - 1) * channels;
    expect(together(states).subarray(corner)).toEqual(alone[1](states).subarray(corner));
    expect(together(states)).not.toEqual(alone[1](states));
  });
});
