/** The contract's tests of steps: what a step does to a patch, and what it shows of it. */
import type { Engine } from '../../../../server/engine/engine.ts';
import { divide } from '../../../../server/vnca/architecture.ts';
import { createReadout, toByte } from '../../../../server/vnca/readout.ts';
import { createRandom } from '../../../../shared/random.ts';
import { bitsOf, CHANNELS, latentOf, plain, type Subject, seed, still } from '../support.ts';

export function testSteps(subject: Subject): void {
  const { stateOf, stepOne } = subject;
  let engine: Engine;
  beforeAll(() => {
    ({ engine } = subject);
  });

  test('cells divide before the step', async () => {
    await engine.plant([seed(1), seed(2)]);
    const state = createRandom(9).latent(4 * CHANNELS);
    await engine.importStates([
      { patch: 1, state },
      { patch: 2, state: divide(state, CHANNELS) },
    ]);
    const [divided, direct] = await engine.step([{ patch: 1, divide: true }, still(2)]);
    expect(divided.stage).toBe(4);
    expect(await stateOf(1)).toEqual(await stateOf(2));
    expect(divided.rgba).toEqual(direct.rgba);
  });

  test('the mask falls on divided cells, before the step', async () => {
    await engine.plant([seed(1), seed(2), seed(3)]);
    const state = createRandom(9).latent(4 * CHANNELS);
    const keep = Uint8Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const masked = divide(state, CHANNELS).map((x, i) => x * keep[Math.floor(i / CHANNELS)]);
    await engine.importStates([
      { patch: 1, state },
      { patch: 2, state: masked },
      { patch: 3, state },
    ]);
    await engine.step([{ patch: 1, divide: true, keep }, still(2), { patch: 3, divide: true }]);
    expect(await stateOf(1)).toEqual(await stateOf(2));
    expect(await stateOf(1)).not.toEqual(await stateOf(3));
  });

  test('closed cells are zero before and after the step, and show nothing', async () => {
    const names = ['tiny', 'chance', 'genome', 'uniform'];
    await engine.plant(
      names.flatMap((name, i) => [2 * i, 2 * i + 1].map((patch) => seed(patch, name, latentOf(i)))),
    );
    const closed = Uint8Array.from({ length: 256 }, (_, i) => (i % 3 === 0 || i < 32 ? 1 : 0));
    const keep = closed.map((bit) => 1 - bit);
    const cleared = (state: Float32Array): Float32Array =>
      state.map((x, i) => (closed[Math.floor(i / CHANNELS)] ? 0 : x));
    for (const [i] of names.entries()) {
      const [patch, twin] = [2 * i, 2 * i + 1];
      const state = createRandom(9).latent(256 * CHANNELS);
      await engine.importStates([patch, twin].map((one) => ({ patch: one, state })));
      for (let k = 0; k < 3; k++) {
        const [shown] = await engine.step([
          { ...still(patch), closed },
          { ...still(twin), keep },
        ]);
        // The twin was open after its step, and is cleared by hand.
        const expected = cleared(await stateOf(twin));
        await engine.importStates([{ patch: twin, state: expected }]);
        expect(bitsOf(await stateOf(patch))).toBe(bitsOf(expected));
        expect(closed.filter((bit, cell) => bit && shown.rgba[4 * cell + 3]).length).toBe(0);
        expect(shown.presence.some((alive) => alive > 0)).toBe(true);
      }
      const [open] = await engine.step([still(patch)]);
      expect(open.stage).toBe(16);
    }
  });

  test('a step changes states, and the read-out shows them after it', async () => {
    await engine.plant([seed(1)]);
    const before = await stateOf(1);
    const { patch, stage, rgba, presence } = await stepOne({ patch: 1, divide: true });
    const after = await stateOf(1);
    expect(after.slice(0, before.length)).not.toEqual(before);
    expect({ patch, stage }).toEqual({ patch: 1, stage: 4 });
    const wanted = { rgba: new Uint8Array(64), presence: new Uint8Array(16) };
    createReadout(plain.card)(after, 0, wanted.rgba, wanted.presence);
    expect({ rgba, presence }).toEqual(wanted);
    expect(rgba[7]).toBe(toByte(after[CHANNELS + 3]));
  });

  test('change is the largest between two steps, and 255 when there is nothing to compare', async () => {
    await engine.plant([seed(1)]);
    const first = await stepOne(still(1));
    const second = await stepOne(still(1));
    const differences = second.rgba.map((x, i) => Math.abs(x - first.rgba[i]));
    expect([first.change, second.change]).toEqual([255, Math.max(...differences)]);
    expect(second.change).toBeGreaterThan(0);
    expect(second.change).toBeLessThan(255);
    expect((await stepOne({ patch: 1, divide: true })).change).toBe(255);
    expect((await stepOne(still(1))).change).toBeLessThan(255);
    await engine.importStates([{ patch: 1, state: await stateOf(1) }]);
    expect((await stepOne(still(1))).change).toBe(255);
  });

  test('read-outs come in the order asked, whatever the stage or checkpoint', async () => {
    const names = ['tiny', 'uniform', 'standing', 'chance'];
    await engine.plant(Array.from({ length: 8 }, (_, i) => seed(i, names[i % 4])));
    await engine.step([{ patch: 4, divide: true }]);
    const order = [5, 0, 7, 4, 2, 6, 1, 3];
    const readouts = await engine.step(order.map(still));
    expect(readouts.map(({ patch }) => patch)).toEqual(order);
    expect(readouts.map(({ stage }) => stage)).toEqual([16, 2, 2, 4, 2, 2, 16, 2]);
    expect(readouts.map(({ rgba }) => rgba.length)).toEqual(
      readouts.map(({ stage }) => 4 * stage * stage),
    );
  });

  test("a patch's result does not depend on the batch, bit for bit", async () => {
    const names = ['tiny', 'standing', 'chance', 'uniform'];
    const ids = Array.from({ length: 68 }, (_, i) => i);
    const random = createRandom(11);
    const states = new Map(ids.map((id) => [id, random.latent(16 * 16 * CHANNELS)]));
    await engine.plant(ids.map((id) => seed(id, names[id % 4])));
    const run = async (batches: number[][]): Promise<string[]> => {
      await engine.importStates(ids.map((patch) => ({ patch, state: states.get(patch)! })));
      for (let k = 0; k < 2; k++) {
        for (const batch of batches) await engine.step(batch.map(still));
      }
      return (await engine.exportStates(ids)).map(bitsOf);
    };
    const cut = (list: number[], size: number): number[][] =>
      Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
        list.slice(i * size, (i + 1) * size),
      );
    const shuffled = ids.toSorted((a, b) => ((a * 29) % 68) - ((b * 29) % 68));
    const alone = await run(cut(ids, 1));
    expect(await run(cut(ids, 3))).toEqual(alone);
    expect(await run(cut(shuffled, 17))).toEqual(alone);
    expect(await run([ids.toReversed()])).toEqual(alone);
  });

  test('patches do not see each other', async () => {
    await engine.plant([seed(1), seed(2)]);
    await engine.step([still(1), still(2)]);
    const company = await stateOf(1);
    await engine.plant([seed(3, 'tiny', latentOf(1)), seed(4, 'tiny', latentOf(77))]);
    await engine.step([still(4), still(3)]);
    expect(await stateOf(3)).toEqual(company);
  });

  test('a step is a function of the state: states put back step alike again', async () => {
    await engine.plant([seed(1, 'chance'), seed(2, 'chance', latentOf(1))]);
    await engine.step([still(1)]);
    const state = await stateOf(1);
    await engine.step([still(1)]);
    const next = await stateOf(1);
    await engine.step([still(1)]);
    await engine.importStates([{ patch: 2, state }]);
    await engine.step([still(2)]);
    expect(await stateOf(2)).toEqual(next);
  });
}
