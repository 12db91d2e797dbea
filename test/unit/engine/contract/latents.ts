/** The contract's tests of latents that rules read in each step, their own or another. */
import type { Engine } from '../../../../server/engine/engine.ts';
import { createRandom } from '../../../../shared/random.ts';
import {
  bitsOf,
  CHANNELS,
  CONTRACT_MODELS,
  latentOf,
  type Subject,
  seed,
  seedOf,
  still,
} from '../support.ts';

export function testLatents(subject: Subject): void {
  const { stateOf } = subject;
  let engine: Engine;
  beforeAll(() => {
    ({ engine } = subject);
  });

  test('a standing input is the latent of the patch, not its state', async () => {
    await engine.plant([seed(1, 'standing'), seed(2, 'standing')]);
    const state = createRandom(9).latent(16 * CHANNELS);
    await engine.importStates([1, 2].map((patch) => ({ patch, state })));
    await engine.step([still(1), still(2)]);
    expect(await stateOf(1)).not.toEqual(await stateOf(2));
  });

  test.each(['standing', 'genome', 'calm'])(
    'a step with another latent reads it from then on, bit for bit, and so do later ones: %s',
    async (name) => {
      const model = CONTRACT_MODELS.find(({ card }) => card.name === name)!;
      const latents = [1, 2].map((patch) => seedOf(model, patch).latent);
      const planted = [0, 1, 0, 1, 0].map((latent, patch) => ({
        ...{ patch, checkpoint: name, latent: latents[latent] },
      }));
      await engine.plant(planted);
      const state = createRandom(9).latent(16 * model.card.channels);
      await engine.importStates(planted.map(({ patch }) => ({ patch, state })));
      const [own, other, lent, home, witness] = [0, 1, 2, 3, 4].map(still);
      const expected = async (): Promise<string[]> =>
        (await engine.exportStates([0, 1, 2, 3, 4])).map(bitsOf);
      await engine.step([own, other, { ...lent, express: latents[1] }, home, witness]);
      await engine.step([own, other, lent, home, witness]);
      const [first, second, ...others] = await expected();
      expect(first).not.toBe(second);
      expect(others).toEqual([second, second, first]);
      // A state taken out and put in again stays with the latent that is read.
      const [taken] = await engine.exportStates([2]);
      await engine.importStates([{ patch: 2, state: taken }]);
      await engine.step([other, lent]);
      expect((await engine.exportStates([1, 2])).map(bitsOf)[1]).toBe(bitsOf(await stateOf(1)));
      // And home again: both now go on from one state with one latent.
      const [from] = await engine.exportStates([2]);
      await engine.importStates([{ patch: 0, state: from }]);
      await engine.step([own, { ...lent, express: latents[0] }]);
      expect(bitsOf(await stateOf(2))).toBe(bitsOf(await stateOf(0)));
    },
  );

  test('rules that do not read the latent step as without another one', async () => {
    await engine.plant([seed(1), seed(2, 'tiny', latentOf(1))]);
    await engine.step([{ ...still(1), express: latentOf(3) }, still(2)]);
    expect(await stateOf(1)).toEqual(await stateOf(2));
  });
}
