/** Drawings that the shipped checkpoint has never seen, refined. */
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { openRefiner } from '../../../server/autodiff/refine-latent.ts';
import { createLatentRefiner } from '../../../server/previews/latent-refiner.ts';
import { loadDataset } from '../../../server/training/data/load-dataset.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { createEncoder } from '../../../server/vnca/encoder.ts';
import { growthSchedule } from '../../../server/vnca/growth.ts';
import { CHECKPOINT_FOLDER, startEngine } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { afterSuite, suiteFolder } from '../../support/suite.ts';

const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
const { card } = checkpoint;
const drawings = await loadDataset(
  { kind: 'folder', folder: 'server/training/examples/drawings' },
  { cacheFolder: suiteFolder() },
);
const named = (name: string): Float32Array => {
  const at = drawings.entries.findIndex((entry) => entry.name === name);
  const size = 4 * card.side ** 2;
  return Float32Array.from(drawings.pixels.subarray(at * size, (at + 1) * size), (v) => v / 255);
};
const encoder = createEncoder(checkpoint)!;

function encoded(image: Float32Array): Float32Array {
  const steps = encoder.encode(image);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** A clock that goes on by this much at each look, ms. */
const clock = (each: number) => {
  let time = 0;
  return () => {
    time += each;
    return time;
  };
};

test('a refined drawing grows in a room into something nearer to it, and stays', async () => {
  const { engine } = await startEngine('onnx');
  afterSuite(() => engine.close());
  /** Mean squared differences to the picture, grown and 64 steps later. */
  const errorsOf = async (latent: Float32Array, image: Float32Array) => {
    await engine.plant([{ patch: 1, checkpoint: card.name, latent }]);
    const errors: number[] = [];
    const steps = [...growthSchedule(card).map(({ divide }) => divide), ...Array(64).fill(false)];
    for (const [i, divide] of steps.entries()) {
      const [{ rgba }] = await engine.step([{ patch: 1, divide }]);
      if (i !== growthSchedule(card).length - 1 && i !== steps.length - 1) continue;
      const off = image.reduce((sum, value, at) => sum + (rgba[at] / 255 - value) ** 2, 0);
      errors.push(off / image.length);
    }
    await engine.dispose([1]);
    return errors;
  };
  // 20 looks at the clock fit into the time.
  const refine = await openRefiner(createOnnxCompute({ threads: 1 }), checkpoint, clock(50));
  for (const name of ['Whale', 'Ghost', 'Sun']) {
    const image = named(name);
    const latent = encoded(image);
    const refined = await refine({ image, latent, budget: 1_000 });
    const [before] = await errorsOf(latent, image);
    for (const after of await errorsOf(refined, image)) expect(after).toBeLessThan(0.75 * before);
  }
  // Without time, it stays as it is.
  const image = named('Bee');
  expect(await refine({ image, latent: encoded(image), budget: 1 })).toEqual(encoded(image));
});

test('a drawing whose refiner fails, or is late, stays as it was encoded, and the reason is told', async () => {
  const said: string[] = [];
  const fake = new FakeClock();
  const options = { clock: fake, patience: 3_000, onFailure: (why: string) => said.push(why) };
  const latent = new Float32Array(card.latentSize).fill(0.1);
  const refinement = { image: named('Bee'), latent, budget: 60_000 };

  const tensors = new Map([...checkpoint.tensors].filter(([name]) => !name.includes('hidden')));
  const broken = createLatentRefiner({ ...checkpoint, tensors }, options);
  expect(await broken.refine(refinement)).toBe(latent);
  expect(said).toHaveLength(1);

  const sound = createLatentRefiner(checkpoint, options);
  const first = sound.refine(refinement);
  await fake.advance(3_000);
  expect(await first).toBe(latent);
  expect(said[1]).toMatch('in time');
  // By now, its thread has started.
  expect(await sound.refine(refinement)).not.toEqual(latent);
  await Promise.all([broken.close(), sound.close()]);
  expect(said).toHaveLength(2);
  expect(fake.waiting).toBe(0);
});
