/** The contract's tests of patches: planted, exported and imported, broken, disposed. */
import type { Engine, Readout } from '../../../../server/engine/engine.ts';
import { seedState } from '../../../../server/vnca/architecture.ts';
import { createRandom } from '../../../../shared/random.ts';
import { CHANNELS, expectError, latentOf, type Subject, seed, still } from '../support.ts';

export function testPatches(subject: Subject): void {
  const { stateOf, stepOne } = subject;
  let engine: Engine;
  beforeAll(() => {
    ({ engine } = subject);
  });

  test('a planted patch has its latent in every cell of the first stage', async () => {
    await engine.plant([seed(1), seed(2, 'uniform')]);
    expect(await engine.exportStates([2, 1])).toEqual([
      seedState(latentOf(2), 16, CHANNELS),
      seedState(latentOf(1), 2, CHANNELS),
    ]);
  });

  test('states can be exported and imported, also at another stage', async () => {
    await engine.plant([seed(1), seed(2)]);
    const state = createRandom(9).latent(8 * 8 * CHANNELS);
    await engine.importStates([{ patch: 1, state }]);
    expect(await stateOf(1)).toEqual(state);
    expect((await stepOne(still(1))).stage).toBe(8);
    expect(await stateOf(2)).toEqual(seedState(latentOf(2), 2, CHANNELS));
  });

  test('inputs stay the caller’s, and results are copies', async () => {
    const pool = createRandom(3).latent(3 * CHANNELS);
    const latent = pool.subarray(CHANNELS, 2 * CHANNELS);
    const state = createRandom(4).latent(4 * CHANNELS);
    const keep = new Uint8Array(4).fill(1);
    await engine.plant([seed(1, 'tiny', latent)]);
    expect(await stateOf(1)).toEqual(seedState(latent, 2, CHANNELS));
    await engine.importStates([{ patch: 1, state }]);
    state.fill(0);
    const exported = await stateOf(1);
    expect(exported).toEqual(createRandom(4).latent(4 * CHANNELS));
    exported.fill(0);
    expect(await stateOf(1)).toEqual(createRandom(4).latent(4 * CHANNELS));
    const readout = await stepOne({ patch: 1, divide: false, keep });
    readout.rgba.fill(0);
    expect([pool.length, state.length, keep.length]).toEqual([3 * CHANNELS, 4 * CHANNELS, 4]);
    const again = await stepOne({ patch: 1, divide: false, keep });
    expect(again.change).toBeLessThan(255);
  });

  test('calls take effect in the order they are made', async () => {
    const planted = engine.plant([seed(1)]);
    const first = engine.step([still(1)]);
    const gone = engine.dispose([1]);
    const late = engine.step([still(1)]);
    await Promise.all([planted, gone]);
    expect((await first)[0].patch).toBe(1);
    await expectError(late, 'unknown-patch');
  });

  test('a patch whose state is no longer finite is broken, and the others go on', async () => {
    await engine.plant([seed(1), seed(2, 'runaway'), seed(3, 'tiny', latentOf(1))]);
    const company: Readout[][] = [];
    for (let k = 0; k < 12; k++) company.push(await engine.step([still(1), still(2)]));
    for (const [well] of company) expect(well.broken).toBeUndefined();
    const [, gone] = company[11];
    expect(gone).toEqual({
      ...{ patch: 2, stage: 2, change: 255, broken: true },
      ...{ rgba: new Uint8Array(16), presence: new Uint8Array(4) },
    });
    for (let k = 0; k < 12; k++) await engine.step([still(3)]);
    expect(await stateOf(1)).toEqual(await stateOf(3));
    await engine.importStates([{ patch: 2, state: new Float32Array(4 * CHANNELS) }]);
    expect((await stepOne(still(2))).broken).toBeUndefined();
  });

  test('disposed patches are forgotten, unknown ones ignored', async () => {
    expect(await engine.step([])).toEqual([]);
    await engine.plant([seed(1), seed(2)]);
    await engine.dispose([1, 150]);
    await expectError(engine.exportStates([1]), 'unknown-patch');
    expect(await stateOf(2)).toEqual(seedState(latentOf(2), 2, CHANNELS));
    await engine.plant([seed(1, 'tiny', latentOf(5))]);
    expect(await stateOf(1)).toEqual(seedState(latentOf(5), 2, CHANNELS));
  });
}
