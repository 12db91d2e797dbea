/** Refines drawings that the shipped checkpoint was not trained on, with each engine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createCompute } from '../../../server/autodiff/create.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import {
  compileObjective,
  createRefiner,
  nativeObjective,
  type RefinedModel,
} from '../../../server/autodiff/refine-latent.ts';
import { prepareNative } from '../../../server/engine/native/native.ts';
import { LatentRefiner } from '../../../server/previews/latent-refiner.ts';
import { speciesOf } from '../../../server/rooms/loaded-checkpoint.ts';
import { loadDataset } from '../../../server/training/data/load-dataset.ts';
import { growthSchedule } from '../../../server/vnca/architecture.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { createEncoder } from '../../../server/vnca/encoder.ts';
import { bounded, isWithin } from '../../../server/vnca/genome.ts';
import { finished } from '../../../shared/painter/genome-map.ts';
import { afterSuite, suiteFolder } from '../../support/closing.ts';
import { expectNear } from '../../support/compare.ts';
import { startEngine } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fullTest, isFull } from '../../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { hasCompiler, testNative } from '../engine/native/support.ts';
import { normals } from '../training/model/small.ts';
import { tinyModel, UPDATES } from '../vnca/tiny-model.ts';

const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
const { card } = checkpoint;
const drawings = await loadDataset({ kind: 'folder', folder: 'server/training/examples/drawings' });
const named = (name: string): Float32Array => {
  const at = drawings.entries.findIndex((entry) => entry.name === name);
  const size = 4 * card.side ** 2;
  return Float32Array.from(drawings.pixels.subarray(at * size, (at + 1) * size), (v) => v / 255);
};
/** The checkpoint with a shorter growth, for tests that do not depend on the picture. */
const grownIn = (stepsPerStage: number) => ({
  ...checkpoint,
  card: { ...card, growth: { kind: 'doubling', seedSide: 2, stepsPerStage } as const },
});
const quick = grownIn(1);
/** Growth that is long enough to interrupt a thread in the middle of a step. */
const brisk = grownIn(4);
const encoder = createEncoder(checkpoint)!;
const BOUNDS = speciesOf(checkpoint).latentBounds;

const encoded = (image: Float32Array) => finished(encoder.encode(image));

/** Creates a clock that advances at each call. @param each in ms */
const clock = (each: number) => {
  let time = 0;
  return () => {
    time += each;
    return time;
  };
};

const { engine } = await startEngine('onnx');
afterSuite(() => engine.close());

/** Returns the mean squared differences from the picture, grown and 64 steps later. */
async function errorsOf(latent: Float32Array, image: Float32Array): Promise<number[]> {
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
}

/** Returns options of a refiner with a fake clock, and its messages. @param patience in ms */
function refinerOptions(patience: number) {
  const said: string[] = [];
  const fake = new FakeClock();
  const onFailure = (why: string) => void said.push(why);
  return { said, fake, options: { clock: fake, bounds: BOUNDS, patience, onFailure } };
}

const onnx = createOnnxCompute({ threads: 1 });
const native = hasCompiler ? await createCompute('native', { threads: 1 }) : undefined;
const onNative = (model: RefinedModel, restSteps?: number) =>
  nativeObjective(native!.openSteps!(model.card), model, restSteps);
const onOnnx = (model: RefinedModel, restSteps?: number) =>
  compileObjective(onnx, model, restSteps);
const ENGINES = [onOnnx, ...(native ? [onNative] : [])];

const GROWTHS = [
  { kind: 'doubling', seedSide: 2, stepsPerStage: 2 },
  { kind: 'uniform', steps: 3 },
];

testNative.each(UPDATES)(
  '%s: native code finds the error and slope of expressions',
  async (_, update) => {
    let steepest = 0;
    for (const growth of GROWTHS) {
      const z = 'genome' in update ? 8 : 6;
      const model = tinyModel({ side: 8, latentSize: z, update, growth });
      // Colours within the limits of clipping.
      const data = Float32Array.from({ length: z }, (_, i) => 0.3 + 0.06 * i);
      const image = normals([4 * 8 * 8], 4).data;
      for (const restSteps of [0, 2]) {
        const wanted = await (await onOnnx(model, restSteps)).evaluate(data, image);
        const found = await onNative(model, restSteps).evaluate(data, image);
        expectNear([found.error], [wanted.error], 1e-5);
        // The slope is zero if the picture is clipped everywhere.
        const longest = Math.max(1e-4, ...wanted.slope.map(Math.abs));
        steepest = Math.max(steepest, longest);
        const inShares = (slope: Float32Array) => slope.map((value) => value / longest);
        expectNear(inShares(found.slope), inShares(wanted.slope), 1e-3);
      }
    }
    expect(steepest).toBeGreaterThan(1e-4);
  },
);

const DRAWN = isFull ? ['Whale', 'Ghost', 'Sun'] : ['Ghost'];

// `npm test` asks the engine that most hosts use.
test.each(isFull ? ENGINES : ENGINES.slice(-1))(
  '%p: a refined drawing grows in a room into something nearer to it, and stays',
  async (open) => {
    // The budget allows 30 steps, about as many as on an idle server.
    let stepsLeft = Number.POSITIVE_INFINITY;
    const isStopped = () => stepsLeft-- <= 0;
    const refine = createRefiner(await open(checkpoint), { now: clock(50), isStopped });
    const refineResting = createRefiner(await open(checkpoint, 12), { now: clock(50) });
    let [atRest, atRestToo] = [0, 0];
    for (const name of DRAWN) {
      const image = named(name);
      const latent = encoded(image);
      const refined = await refine({ image, latent, budget: 1_500 });
      const [before] = await errorsOf(latent, image);
      const errors = await errorsOf(refined, image);
      for (const after of errors) expect(after).toBeLessThan(0.75 * before);
      atRest += errors[1];
      const latentToo = await refineResting({ image, latent, budget: 1_500 });
      atRestToo += (await errorsOf(latentToo, image))[1];
    }
    // An objective that includes the picture at rest improves it.
    expect(atRestToo).toBeLessThan(0.95 * atRest);
    // Without time, the latent stays the same.
    const image = named('Bee');
    expect(await refine({ image, latent: encoded(image), budget: 1 })).toEqual(encoded(image));
    // After a stop, the latent stays the same.
    stepsLeft = 1;
    expect(await refine({ image, latent: encoded(image), budget: 1_000 })).toEqual(encoded(image));
  },
);

test('refined within bounds, a drawing is nearer to what grows than one that is shortened afterwards', async () => {
  const objective = await ENGINES.at(-1)!(checkpoint);
  const bounds = { norm: 7, value: 7 };
  const free = createRefiner(objective, { now: clock(50) });
  const bound = createRefiner(objective, { now: clock(50), bounds });
  const image = named('Bee');
  const long = { image, latent: encoded(image), budget: 1_500 };
  const refined = await bound(long);
  expect(isWithin(refined, bounds)).toBe(true);
  const unbound = await free(long);
  expect(isWithin(unbound, bounds)).toBe(false);
  const [within] = await errorsOf(refined, image);
  const [shortened] = await errorsOf(bounded(unbound, bounds), image);
  expect(within).toBeLessThan(0.95 * shortened);
});

const latent = new Float32Array(card.latentSize).fill(0.1);
const refinement = { image: named('Bee'), latent, budget: 1 };

test('a refiner that is prepared has its thread before the first drawing, and closes while it starts', async () => {
  const { said, fake, options } = refinerOptions(1_000);
  const refiner = new LatentRefiner(quick, options);
  const threadOf = () => Reflect.get(refiner, 'thread');
  expect(threadOf()).toBeUndefined();
  await refiner.prepare();
  const thread = threadOf();
  const state = thread.rpc.ready.then(() => 'ready');
  expect(await Promise.race([state, turn('starting')])).toBe('ready');
  expect(await refiner.refine(refinement)).not.toBe(latent);
  expect(threadOf()).toBe(thread);
  await refiner.close();

  const hasty = new LatentRefiner(quick, options);
  const prepared = hasty.prepare();
  await hasty.close();
  await prepared;
  await hasty.prepare();
  expect(said).toEqual([]);
  expect(fake.waiting).toBe(0);
});

test('a refiner that cannot start leaves drawings as they were encoded, and says so once in a while', async () => {
  const { said, fake, options } = refinerOptions(1_000);
  const tensors = new Map([...checkpoint.tensors].filter(([name]) => !name.includes('perceive')));
  const broken = new LatentRefiner({ ...quick, tensors }, options);
  await broken.prepare();
  await broken.prepare();
  expect(said).toHaveLength(1);
  await fake.advance(60_000);
  await broken.prepare();
  expect(said).toHaveLength(2);
  expect(await broken.refine({ ...refinement, budget: 60_000 })).toBe(latent);
  await broken.close();
});

// start.test.ts starts a server without a compiler; `onOnnx` above has the slopes of ONNX Runtime.
(isFull ? testNative : fullTest)(
  'without native code, the thread refines with ONNX Runtime',
  async () => {
    const { said, options } = refinerOptions(60_000);
    const image = named('Bee');
    const here = createRefiner(await onNative(quick), { now: () => 0, bounds: BOUNDS });
    const wanted = await here({ image, latent, budget: 60_000 });
    const results: Float32Array[] = [];
    const nowhere = join(suiteFolder(), 'nowhere');
    writeFileSync(nowhere, '');
    for (const folders of [{ cache: nowhere, spare: nowhere }, undefined]) {
      await prepareNative(folders);
      const refiner = new LatentRefiner(quick, options);
      results.push(await refiner.refine({ image, latent, budget: 600_000 }));
      await refiner.close();
    }
    expect(said).toEqual([]);
    const [byOnnx, byNative] = results;
    // The two engines round differently.
    expect(byOnnx).not.toEqual(byNative);
    for (const result of results) expectNear(result, wanted, 0.05);
  },
);

/** Waits until another thread has computed for 100 ms. */
async function inStep(): Promise<void> {
  const begin = process.cpuUsage();
  while (process.cpuUsage(begin).user < 100_000) await new Promise((done) => setTimeout(done, 5));
}

test('a thread that is late twice is let go in its own time, and later drawings have another', async () => {
  const { said, fake, options } = refinerOptions(3_000);
  const refiner = new LatentRefiner(brisk, options);
  await refiner.refine(refinement);
  expect(said).toEqual([]);
  for (let i = 0; i < 2; i++) {
    const late = refiner.refine({ ...refinement, budget: 600_000 });
    await inStep();
    await fake.advance(3_000);
    expect(await late).toBe(latent);
    expect(said[i]).toMatch('too long');
  }
  expect(said).toHaveLength(2);
  // The library ends this process if the thread is stopped during a step.
  await fake.advance(60_000);
  await refiner.refine(refinement);
  await refiner.close();
  expect(said).toHaveLength(2);
  expect(fake.waiting).toBe(0);
});
