/** Rollouts on one thread and on several. */
import { createCompute } from '../../../server/training/autodiff/create.ts';
import { firstState } from '../../../server/training/run-state.ts';
import { Trainer } from '../../../server/training/trainer.ts';
import { numbersOf, TINY_POOL, tinyConfig, tinyData, updates } from './tiny-run.ts';
import { threads } from './workers/alive.ts';

test.each([1, 2])(
  'a rollout that fails on %d workers changes nothing and leaves no thread',
  async (workers) => {
    const before = threads();
    const own = await createCompute('onnx', { threads: workers });
    const data = tinyData();
    const splits = { ...data.splits, train: Uint32Array.of(0, 1, 2, 3, 9) };
    const config = tinyConfig({ batch: { fresh: 5, micro: 1 } });
    const trainer = await Trainer.create(own, config, { ...data, splits }, firstState(config));
    const state = numbersOf(await trainer.state());
    for (let i = 0; i < 2; i++) {
      await expect(trainer.update()).rejects.toMatchObject({
        name: 'RangeError',
        message: 'a set of 6 images has no image 9',
      });
    }
    expect(numbersOf(await trainer.state())).toEqual(state);
    expect(await trainer.means(Uint32Array.of(0, 1, 2))).toHaveLength(3 * 6);
    await trainer.dispose();
    await own.dispose();
    expect(threads()).toBe(before);
  },
);

test('wasm too is the same on one worker and on two', async () => {
  const config = tinyConfig({ pool: TINY_POOL });
  const states: unknown[] = [];
  for (const workers of [1, 2]) {
    const wasm = await createCompute('wasm', { threads: workers });
    expect(wasm.workers).toBe(workers);
    const trainer = await Trainer.create(wasm, config, tinyData(), firstState(config));
    const reports = await updates(trainer, 3);
    states.push([reports, numbersOf(await trainer.state())]);
    await trainer.dispose();
    await wasm.dispose();
  }
  expect(states[1]).toEqual(states[0]);
});
