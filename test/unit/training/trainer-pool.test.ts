/** The pool of a run: when states enter it, leave it and come back. */
import { createCompute } from '../../../server/autodiff/create.ts';
import { DataPasses } from '../../../server/training/data/dataset.ts';
import { firstState } from '../../../server/training/run/run-state.ts';
import {
  type Trainer,
  trainingImages,
  type UpdateReport,
} from '../../../server/training/run/trainer.ts';
import { numbersOf, TINY_POOL, tinyConfig, tinyData, UNIFORM, updates } from './tiny-run.ts';
import { tinyTrainers } from './tiny-trainer.ts';

// Each thread takes longer to start than its updates take.
const compute = await createCompute('onnx', { threads: 1 });
afterAll(() => compute.dispose());
const start = tinyTrainers(compute);

describe('the pool of a run', () => {
  /** Updates, and the number of states in the pool after each. */
  async function counted(trainer: Trainer, count: number) {
    const reports: UpdateReport[] = [];
    const held: number[] = [];
    for (let i = 0; i < count; i++) {
      reports.push(await trainer.update());
      held.push((await trainer.state()).pool.length);
    }
    return { reports, held, drawn: reports.map(({ pooled }) => pooled !== undefined) };
  }

  it('is used once it holds enough, grows old, and stays bounded', async () => {
    const config = tinyConfig({ pool: { ...TINY_POOL, admit: 1, wounded: 0 }, updates: 30 });
    const { reports, held, drawn } = await counted(await start(config), 12);
    // One more an update, and what was drawn comes back.
    expect(held).toEqual([1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6]);
    expect(drawn).toEqual([false, false, false, ...new Array(9).fill(true)]);
    // Grown in 6 steps; 3 more at each draw.
    expect(Math.max(...reports.map(({ age = 0 }) => age))).toBeGreaterThan(9);
  });

  it('is replaced by new organisms while it holds too few, and receives all of them', async () => {
    const pool = { ...TINY_POOL, size: 60, batch: 4, admit: 4, wounded: 0, steps: [4, 4] };
    const config = tinyConfig({ ...UNIFORM, pool: { ...pool, standIns: true } });
    const trainer = await start(config);
    const { held, drawn } = await counted(trainer, 3);
    // A batch of eight: whole and new, then half of it from the pool, whose four come back beside
    // four that are new.
    expect(drawn).toEqual([false, true, true]);
    expect(held).toEqual([8, 12, 16]);
    const { pool: entries } = await trainer.state();
    const passes = new DataPasses(trainingImages(config, tinyData()), config.seed);
    // Each update has a whole batch of the passes, and what the pool has drawn takes the place of
    // its second half.
    const shown = [...passes.at(0, 8), ...passes.at(8, 4), ...passes.at(16, 4)];
    expect(entries.map(({ image }) => image).sort()).toEqual(shown.sort());
  });

  it.each([
    ['micro-batch', 4],
    ['update', 1],
  ])('is continued for a number of steps drawn for each %s', async (stepsDrawn, numbers) => {
    const config = tinyConfig({
      ...UNIFORM,
      growthSteps: [1, 64],
      pool: { ...TINY_POOL, size: 60, batch: 4, admit: 4, wounded: 0, steps: [1, 64] },
      stepsDrawn,
    });
    // None that grows now will be so old.
    const old = Array.from({ length: 6 }, (_, image) => ({
      ...{ image: image % 5, age: 1000 },
      states: new Float32Array(8 * 8 * 6),
    }));
    const trainer = await start(config, { ...firstState(config), pool: old });
    await trainer.update();
    const { pool } = await trainer.state();
    const steps = pool.map(({ age }) => age % 1000).filter((age) => age > 0);
    // Two micro-batches of new ones, and two of the pool's.
    expect(steps).toHaveLength(8);
    expect(new Set(steps).size).toBe(numbers);
  });

  it('shows new images by metamorphosis, in the order of the passes', async () => {
    const calm = { batch: 2, steps: [1, 1], metamorphosis: true };
    const config = tinyConfig({ pool: { ...TINY_POOL, size: 12, admit: 4, calm } });
    const trainer = await start(config);
    await updates(trainer, 3);
    const passes = new DataPasses(trainingImages(config, tinyData()), config.seed);
    // Of each update's share of six, the last two are for those that change; the first two updates
    // have no pool to change.
    const wanted = [...passes.at(2 * 6 + 4, 2)];
    const { pool } = await trainer.state();
    const changed = pool.filter(({ age }) => age === 6 + 1).map(({ image }) => image);
    expect(changed).toEqual(expect.arrayContaining(wanted));
  });

  it('stores crowded states separately with their ground, also after a resume', async () => {
    const config = tinyConfig({
      pool: { ...TINY_POOL, crowded: { batch: 2, size: 4, renewed: 0.2, fresh: 0.5 } },
      updates: 30,
    });
    const trainer = await start(config);
    await updates(trainer, 8);
    const state = await trainer.state();
    expect(state.pool.every(({ open }) => open === undefined)).toBe(true);
    expect(state.crowd).toHaveLength(4);
    for (const { open } of state.crowd) {
      expect(open).toHaveLength(64);
      expect(open!.some((x) => x === 0)).toBe(true);
    }
    const other = await start(config, state);
    for (const one of [trainer, other]) await updates(one, 3);
    expect(numbersOf(await other.state())).toEqual(numbersOf(await trainer.state()));
    const lived = Math.max(...(await trainer.state()).crowd.map(({ age }) => age));
    expect(lived).toBeGreaterThan(6 + 3);
  });

  it('is emptied when the curriculum moves to larger patches', async () => {
    const config = tinyConfig({ pool: TINY_POOL, curriculum: [{ side: 4, until: 0.5 }] });
    const trainer = await start(config);
    await updates(trainer, 3);
    const small = await trainer.state();
    expect(small.pool.length).toBeGreaterThan(2);
    expect(new Set(small.pool.map(({ states }) => states.length))).toEqual(new Set([4 * 4 * 6]));
    const { pooled } = await trainer.update();
    expect(pooled).toBeUndefined();
    const { pool } = await trainer.state();
    expect(pool.map(({ states }) => states.length)).toEqual([8 * 8 * 6, 8 * 8 * 6]);
  });
});
