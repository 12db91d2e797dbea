/** The contract's tests of calls that are refused. */
import type {
  Engine,
  EngineReason,
  NewPatch,
  PatchStep,
} from '../../../../server/engine/engine.ts';
import { seedState } from '../../../../server/vnca/architecture.ts';
import { CHANNELS, expectError, latentOf, type Subject, seed, still } from '../support.ts';

export function testRefusedCalls(subject: Subject): void {
  const { stateOf } = subject;
  let engine: Engine;
  beforeAll(() => {
    ({ engine } = subject);
  });

  describe('a call that fails changes nothing', () => {
    const nan = Float32Array.from({ length: CHANNELS }, () => Number.NaN);

    test.each<[EngineReason, string, NewPatch]>([
      ['unknown-checkpoint', 'an unknown checkpoint', seed(2, 'nobody')],
      ['duplicate-patch', 'a patch that lives', seed(0)],
      ['duplicate-patch', 'a patch twice in one call', seed(1)],
      ['bad-latent', 'a short latent', seed(2, 'tiny', new Float32Array(CHANNELS - 1))],
      ['bad-latent', 'a long latent', seed(2, 'tiny', new Float32Array(CHANNELS + 1))],
      ['bad-latent', 'a latent with NaN', seed(2, 'tiny', nan)],
    ])('plant: %s for %s', async (reason, _, bad) => {
      await engine.plant([seed(0)]);
      await expectError(engine.plant([seed(1), bad]), reason);
      await expectError(engine.exportStates([1]), 'unknown-patch');
      expect(await stateOf(0)).toEqual(seedState(latentOf(0), 2, CHANNELS));
    });

    test.each<[EngineReason, string, PatchStep]>([
      ['unknown-patch', 'an unknown patch', still(9)],
      ['duplicate-patch', 'a patch twice in one call', still(1)],
      ['bad-mask', 'a mask of another stage', { ...still(2), keep: new Uint8Array(16) }],
      [
        'bad-mask',
        'a mask from before division',
        { patch: 2, divide: true, keep: new Uint8Array(4) },
      ],
      ['bad-mask', 'closed cells of another stage', { ...still(2), closed: new Uint8Array(16) }],
      ['bad-state', 'a division of the grown', { patch: 3, divide: true }],
      ['bad-latent', 'a short latent', { ...still(2), express: new Float32Array(1) }],
      ['bad-latent', 'a latent with NaN', { ...still(2), express: nan }],
    ])('step: %s for %s', async (reason, _, bad) => {
      await engine.plant([seed(1), seed(2), seed(3, 'uniform')]);
      const before = await engine.exportStates([1, 2, 3]);
      await expectError(engine.step([still(1), bad]), reason);
      expect(await engine.exportStates([1, 2, 3])).toEqual(before);
    });

    test.each<[EngineReason, string, { patch: number; state: Float32Array }]>([
      ['unknown-patch', 'an unknown patch', { patch: 9, state: new Float32Array(4 * CHANNELS) }],
      [
        'bad-state',
        'a state that is not square',
        { patch: 2, state: new Float32Array(3 * CHANNELS) },
      ],
      [
        'bad-state',
        'a side that is not a stage',
        { patch: 2, state: new Float32Array(9 * CHANNELS) },
      ],
      [
        'bad-state',
        'a state that is too large',
        { patch: 2, state: new Float32Array(32 * 32 * CHANNELS) },
      ],
      ['bad-state', 'an empty state', { patch: 2, state: new Float32Array(0) }],
      ['bad-state', 'an incomplete cell', { patch: 2, state: new Float32Array(4 * CHANNELS + 1) }],
      [
        'bad-state',
        'infinite numbers',
        { patch: 2, state: new Float32Array(4 * CHANNELS).fill(Infinity) },
      ],
    ])('importStates: %s for %s', async (reason, _, bad) => {
      await engine.plant([seed(1), seed(2)]);
      const good = { patch: 1, state: new Float32Array(4 * CHANNELS) };
      await expectError(engine.importStates([good, bad]), reason);
      expect(await engine.exportStates([1, 2])).toEqual([
        seedState(latentOf(1), 2, CHANNELS),
        seedState(latentOf(2), 2, CHANNELS),
      ]);
    });
  });
}
