/** Checkpoints that are added to an engine while patches grow. */
import { createEngine } from '../../../server/engine/create-engine.ts';
import { JoinedEngine } from '../../../server/engine/joined-engine.ts';
import { CONTRACT_MODELS, seedOf, still } from './support.ts';

const [first, second] = CONTRACT_MODELS;
const open = (...checkpoints: typeof CONTRACT_MODELS) =>
  createEngine({ checkpoints, backend: 'onnx', threads: 1 });

test('patches of an added checkpoint grow among the others as in one engine', async () => {
  const [joined, whole] = [new JoinedEngine(await open(first)), await open(first, second)];
  const seeds = [first, second, first, second].map(seedOf);
  const steps = seeds.map(({ patch }) => ({ ...still(patch), divide: true }));
  await expect(joined.plant(seeds)).rejects.toThrow('unknown-checkpoint');
  joined.add(second.card.name, await open(second));
  for (const engine of [joined, whole]) await engine.plant(seeds);
  await expect(joined.plant([seeds[1]])).rejects.toThrow('duplicate-patch');
  // All are planted, or none.
  const [early, late] = [seedOf(first, 10), { ...seedOf(second, 11), latent: new Float32Array(1) }];
  await expect(joined.plant([early, late])).rejects.toThrow('bad-latent');
  for (const { patch } of [early, late]) {
    await expect(joined.step([still(patch)])).rejects.toThrow('unknown-patch');
  }
  for (let k = 0; k < 2; k++) {
    expect(await joined.step(steps)).toEqual(await whole.step(steps));
  }
  const ids = [3, 0, 1];
  const states = await joined.exportStates(ids);
  expect(states).toEqual(await whole.exportStates(ids));
  await joined.importStates(states.map((state, i) => ({ patch: ids[i], state: state.fill(0) })));
  expect((await joined.exportStates([1]))[0].every((value) => value === 0)).toBe(true);
  await joined.dispose([1, 2]);
  for (const gone of [1, 2]) {
    await expect(joined.step([still(gone)])).rejects.toThrow('unknown-patch');
  }
  await joined.plant([seeds[1]]);
  await Promise.all([joined.close(), whole.close()]);
  await expect(joined.step([still(3)])).rejects.toThrow('closed');
});
