/** The part of the contract in server/engine/engine.ts that is about chimeras. */
import type { Engine, NewPatch, PatchStep } from '../../../server/engine/engine.ts';
import { type Genomes, genomeWeights, mixSteps } from '../../../server/vnca/chimera.ts';
import { createRandom } from '../../../shared/random.ts';
import { bitsOf, CONTRACT_MODELS, still } from './support.ts';

/** Of the models below. */
const SIDE = 16;
const CELLS = SIDE * SIDE;

/** Left and right; quarters, of which one has a spot of another; all by one genome. */
export const LABELS = {
  halves: Uint8Array.from({ length: CELLS }, (_, i) => (i % SIDE < SIDE / 2 ? 0 : 1)),
  quarters: Uint8Array.from({ length: CELLS }, (_, i) =>
    i === 3 * SIDE + 3 ? 2 : 2 * Math.floor(i / (CELLS / 2)) + Math.floor((i % SIDE) / (SIDE / 2)),
  ),
  second: new Uint8Array(CELLS).fill(1),
};

/** Models whose rule reads the latent in every step; the cells of the first update by chance. */
const READING = CONTRACT_MODELS.filter(({ card }) => card.update.standingInput);

/** @param engine one that has loaded CONTRACT_MODELS and holds no patches */
export function describeChimeras(name: string, engine: () => Engine): void {
  // A GPU may fuse the multiplication and the addition.
  const tolerance = name === 'webgpu' ? 1e-5 : 0;
  const states = (patches: readonly number[]) => engine().exportStates(patches);

  describe.each(READING)('chimeras of $card.name', ({ card }) => {
    const latents = [1, 2, 3, 4].map((one) => createRandom(one).latent(card.latentSize));
    const [first, second] = latents;
    const checkpoint = card.name;
    const two: Genomes = { latents: [first, second], labels: LABELS.halves };
    const four: Genomes = { latents, labels: LABELS.quarters };
    const seedOf = (patch: number, genomes?: Genomes, latent = first): NewPatch => ({
      ...{ patch, checkpoint, latent, genomes },
    });
    const stateOf = (stage: number) => createRandom(9).latent(stage * stage * card.channels);
    const given = (patches: readonly number[], stage: number) =>
      engine().importStates(patches.map((patch) => ({ patch, state: stateOf(stage) })));

    test.each([
      ['two, grown', two, { stage: 16, divide: false }],
      ['four, grown', four, { stage: 16, divide: false }],
      ['four, growing', four, { stage: 8, divide: true }],
      ['two, while it has four cells', two, { stage: 2, divide: false }],
    ])('a step is the mean of the steps by each genome: %s', async (_, genomes, when) => {
      const { stage, divide } = when;
      const after = divide ? 2 * stage : stage;
      const masks = {
        keep: Uint8Array.from({ length: after * after }, (_, i) => (i % 7 === 0 ? 0 : 1)),
        closed: Uint8Array.from({ length: after * after }, (_, i) => (i % 5 === 1 ? 1 : 0)),
      };
      const { labels, latents: all } = genomes;
      const alone = all.map((_, i) => 1 + i);
      await engine().plant([
        seedOf(0, genomes),
        ...alone.map((i) => seedOf(i, undefined, all[i - 1])),
      ]);
      for (const masked of [{}, masks]) {
        await given([0, ...alone], stage);
        await engine().step([0, ...alone].map((patch) => ({ patch, divide, ...masked })));
        const [mixed, ...steps] = await states([0, ...alone]);
        const wanted = mixed.slice();
        const weights = genomeWeights(labels!, all.length, after);
        mixSteps(steps, weights, { cells: card.channels, channels: 1 }, wanted);
        const far = mixed.filter((x, i) => !(Math.abs(x - wanted[i]) <= tolerance));
        expect(far).toHaveLength(0);
        // Each genome counts.
        for (const step of steps) expect(bitsOf(step)).not.toBe(bitsOf(mixed));
      }
    });

    test('where all labels are equal, it is that genome alone, bit for bit', async () => {
      const uniform = { latents: [first, second], labels: LABELS.second };
      await engine().plant([seedOf(1, uniform), seedOf(2, { latents: [second] }), seedOf(3, two)]);
      const step = { divide: false, express: uniform };
      for (const divide of [false, true, true, true, false]) {
        await engine().step([1, 2, 3].map((patch) => ({ patch, divide })));
      }
      const [own, alone, other] = (await states([1, 2, 3])).map(bitsOf);
      expect(own).toBe(alone);
      expect(other).not.toBe(alone);
      // A chimera becomes that genome too.
      await given([2, 3], 16);
      await engine().step([still(2), { patch: 3, ...step }]);
      await engine().step([2, 3].map(still));
      const [wanted, become] = (await states([2, 3])).map(bitsOf);
      expect(become).toBe(wanted);
    });

    test('its result does not depend on the batch, bit for bit', async () => {
      const ids = [0, 1, 2, 3, 4, 5, 6, 7];
      await engine().plant(
        ids.map((i) => seedOf(i, [two, four, undefined][i % 3], latents[i % 4])),
      );
      const run = async (batches: readonly number[][]) => {
        await given(ids, 16);
        for (const batch of [...batches, ...batches]) await engine().step(batch.map(still));
        return (await states(ids)).map(bitsOf);
      };
      const alone = await run(ids.map((id) => [id]));
      expect(await run([ids.toReversed()])).toEqual(alone);
      expect(
        await run([
          [2, 0, 4],
          [1, 3, 7, 6, 5],
        ]),
      ).toEqual(alone);
      expect(new Set([0, 1, 2, 5].map((i) => alone[i])).size).toBe(4);
    });

    test('it reads the genomes and labels of its last change, whatever it read before', async () => {
      const turned = LABELS.halves.map((label) => 1 - label);
      const own = [first, second].map((latent) => latent.slice());
      const labels = turned.slice();
      await engine().plant([
        seedOf(1, { latents: [first, second], labels: turned }),
        ...[seedOf(2, two), seedOf(3, four), seedOf(4)],
      ]);
      await given([1, 2, 3, 4], 16);
      const steps: PatchStep[] = [
        still(1),
        { ...still(2), express: { latents: own, labels } },
        // Genomes known and unknown, in another order, and one that no cell reads.
        ...[3, 4].map((patch) => ({
          ...still(patch),
          express: {
            latents: [second, latents[3], first],
            labels: turned.map((label) => (label === 0 ? 2 : 0)),
          },
        })),
      ];
      await engine().step(steps);
      // Inputs stay the caller's.
      for (const numbers of [...own, labels]) numbers.fill(0);
      await engine().step([1, 2, 3, 4].map(still));
      const [wanted, swapped, fewer, grafted] = (await states([1, 2, 3, 4])).map(bitsOf);
      expect([swapped, fewer, grafted]).toEqual([wanted, wanted, wanted]);
    });
  });
}
