/** Rollouts on one thread and on several. */
import { createCompute } from '../../../server/training/autodiff/create.ts';
import { firstState } from '../../../server/training/run-state.ts';
import { Trainer } from '../../../server/training/trainer.ts';
import { numbersOf, tinyConfig, tinyData } from './tiny-run.ts';
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
