import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { createEngine } from '../../../../server/engine/create-engine.ts';
import { readCommand } from '../../../../server/settings/command-line.ts';
import type { Dataset } from '../../../../server/training/data/dataset.ts';
import { drawLabels, measureChimeras } from '../../../../server/training/evaluate/chimeras.ts';
import { likenesses } from '../../../../server/training/evaluate/compare-pictures.ts';
import { choose, loadImages } from '../../../../server/training/evaluate/evaluate.ts';
import {
  EvaluationBatch,
  type Grown,
} from '../../../../server/training/evaluate/evaluation-batch.ts';
import { COMMAND } from '../../../../server/training/evaluate/options.ts';
import {
  allButADisc,
  everything,
  measureRecovery,
  ofShare,
  type Wound,
  wounded,
} from '../../../../server/training/evaluate/recovery.ts';
import { measureCycles } from '../../../../server/training/evaluate/stability.ts';
import { precisionAndRecall } from '../../../../server/training/evaluate/throws.ts';
import { mapLatents } from '../../../../server/training/evaluate/write-pictures.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { isFull } from '../../../support/needs.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { printingModel, smallModel } from './small.ts';

/** Rules with known behaviour: one that does nothing, one that forgets, one that diverges. */
const compute = createOnnxCompute({ threads: 1 });
const rgba = { readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] } };

/** Makes a rule whose change is a constant in every channel. */
function drifting(change: number, fields: Record<string, unknown> = {}): Model {
  const model = smallModel({ ...rgba, update: { kind: 'residual', hidden: 7 }, ...fields });
  model.tensors.get('update.out.kernel')!.data.fill(0);
  model.tensors.get('update.out.bias')!.data.fill(change);
  return model;
}

const stayOf = (batch: EvaluationBatch, grown: Grown, steps: number[]) =>
  likenesses(batch, grown, grown, steps);

async function grownOf(batch: EvaluationBatch, value?: number): Promise<Grown> {
  const latents = createRandom(1).latent(3 * batch.card.latentSize);
  if (value !== undefined) latents.fill(value);
  return { latents, states: await batch.grow(latents), count: 3 };
}

describe('a rule that does nothing', () => {
  const batch = new EvaluationBatch(compute, drifting(0), 1);

  it('heals nothing', async () => {
    const grown = await grownOf(batch, 1);
    const options = { wound: ofShare(0.25), random: createRandom(2) };
    const heal = await measureRecovery(batch, grown, options);
    for (const found of Object.values(heal)) {
      expect(found).toEqual({ share: 0, strict: 0, mse: 0.25, median: 0.25, organisms: 3 });
    }
  });

  test.each([
    ['0.1', ofShare(0.1)],
    ['0.9', ofShare(0.9)],
    ['a disc left', allButADisc],
  ])('every wound (%s) kills a living cell and spares another, in both ways', (_, wound) => {
    const count = 24;
    const { patchSize: size, card } = batch;
    // Four living cells in a corner: most wounds would kill all of them or none.
    const patch = new Float32Array(size);
    const corner = [0, 1, card.side, card.side + 1];
    for (const cell of corner) {
      patch.fill(1, cell * card.channels, (cell + 1) * card.channels);
    }
    const states = new Float32Array(count * size);
    for (let n = 0; n < count; n++) states.set(patch, n * size);
    const grown = { latents: new Float32Array(count * card.latentSize), states, count };
    const left = (closing?: number): number[] => {
      const options = { wound, random: createRandom(2), ...(closing && { closing }) };
      const after = wounded(batch, grown, options).states;
      return Array.from(
        { length: count },
        (_, n) => corner.filter((cell) => after[n * size + cell * card.channels] > 0).length,
      );
    };
    const fromRim = left(1);
    expect(Math.min(...fromRim)).toBeGreaterThan(0);
    expect(Math.max(...fromRim)).toBeLessThan(4);
    expect(left()).toEqual(fromRim);
  });
});

test('a rule that repeats is not computed again: a million steps end like a thousand', async () => {
  // Half of the state fades in each step, so the states reach a fixed point.
  const update = { kind: 'residual', hidden: 7, leak: 0.5 };
  const batch = new EvaluationBatch(compute, drifting(0.25, { update }), 1);
  const stay = await stayOf(batch, await grownOf(batch), [5, 1000, 1_000_000]);
  expect(stay['1000000']).toEqual(stay['1000']);
  expect(stay['1000'].mse).toBeGreaterThan(stay['5'].mse);
});

test('a rule that drifts has the error of its drift', async () => {
  // Growth takes 2 steps per stage from side 2 to 8 and ends at zero. Then each step adds a
  // fiftieth.
  const batch = new EvaluationBatch(compute, drifting(0.02), 1);
  const stay = await stayOf(batch, await grownOf(batch, -0.12), [4, 10]);
  expect(stay['4'].mse).toBeCloseTo(0.08 ** 2, 3);
  expect(stay['4'].share).toBe(1);
  expect(stay['10'].mse).toBeCloseTo(0.2 ** 2, 2);
  expect(stay['10'].share).toBe(0);
  // A slow drift counts as not coming to rest.
  const slow = new EvaluationBatch(compute, drifting(0.001), 1);
  expect(await measureCycles(slow, await grownOf(slow, 0))).toBe(1);
});

describe('a rule that prints its picture again', () => {
  const batch = new EvaluationBatch(compute, printingModel(), 1);
  const random = createRandom(3);

  it('heals at once when all cells may live again at once, even from nothing', async () => {
    const heal = await measureRecovery(batch, await grownOf(batch), { wound: everything, random });
    expect(heal['0']).toMatchObject({ share: 0, mse: 1 });
    expect(heal['4']).toMatchObject({ share: 1, strict: 1 });
  });

  it('closes as fast as the rim moves', async () => {
    const grown = await grownOf(batch);
    const closed = (closing: number) =>
      measureRecovery(batch, grown, { wound: leftColumn, random, closing });
    const [slow, fast] = [await closed(1), await closed(7)];
    // Seven of eight columns are lost. A column n cells from the rim opens after n steps, and shows
    // something one step later.
    expect(slow['0'].mse).toBeCloseTo(7 / 8, 6);
    expect(slow['4'].mse).toBeCloseTo(4 / 8, 6);
    expect(slow['8'].strict).toBe(1);
    expect(fast['4'].strict).toBe(1);
  });

  it('stays dead without a living cell, where wounds close from their rim', async () => {
    const options = { wound: everything, random, closing: 1 };
    const heal = await measureRecovery(batch, await grownOf(batch), options);
    for (const { share, mse } of Object.values(heal))
      expect({ share, mse }).toEqual({ share: 0, mse: 1 });
  });
});

/** Keeps only the left column. */
const leftColumn: Wound = (_, side) =>
  Uint8Array.from({ length: side * side }, (_, cell) => (cell % side === 0 ? 1 : 0));

describe('the map', () => {
  const latents = (): Float32Array => {
    const random = createRandom(3);
    return Float32Array.from({ length: 30 * 5 }, (_, i) => random.normal() + (i < 75 ? 0 : 20));
  };

  it('puts similar latents together, within 0…1, and equal for equal seeds', () => {
    const places = mapLatents(latents(), 30, createRandom(1))!;
    expect(places).toEqual(mapLatents(latents(), 30, createRandom(1)));
    const centre = (of: typeof places) => ({
      x: of.reduce((sum, { x }) => sum + x, 0) / of.length,
      y: of.reduce((sum, { y }) => sum + y, 0) / of.length,
    });
    const [a, b] = [centre(places.slice(0, 15)), centre(places.slice(15))];
    const apart = Math.hypot(a.x - b.x, a.y - b.y);
    const wide = Math.max(...places.slice(0, 15).map(({ x, y }) => Math.hypot(x - a.x, y - a.y)));
    expect(apart).toBeGreaterThan(wide);
    for (const { x, y } of places) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(x, y)).toBeLessThanOrEqual(1);
    }
  });
});

describe('precision and recall', () => {
  const some = createRandom(1).latent(40 * 5);

  it('of a set against itself are whole', () => {
    expect(precisionAndRecall(some, some, 5)).toEqual({ precision: 1, recall: 1 });
  });

  it('tell good pictures that are all alike from varied ones', () => {
    const alike = Float32Array.from({ length: 40 * 5 }, (_, i) => some[i % 5] + 1e-3 * some[i]);
    const { precision, recall } = precisionAndRecall(some, alike, 5);
    expect(precision).toBe(1);
    expect(recall).toBeLessThan(0.1);
  });
});

/** Chimeras of rules whose behaviour is known. */

describe('chimeras', () => {
  /** Makes a rule that reads its latent in every step but ignores it. */
  function heedless(update: object, tensors: Readonly<Record<string, number>>): Model {
    const genome = { hidden: 5, expressed: 1, scalesPerception: false, gain: 0.2 };
    const model = smallModel({
      readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] },
      update: { kind: 'residual', hidden: 7, standingInput: true, genome, ...update },
    });
    for (const [name, { data }] of model.tensors) {
      if (name.startsWith('update.')) data.fill(tensors[name.slice('update.'.length)] ?? 0);
    }
    return model;
  }

  /** Makes a rule that adds a hundredth to all cells in each step. Cells begin below zero. */
  function drifting(): Model {
    const model = heedless({}, { 'out.bias': 0.01 });
    model.tensors.get('gallery.latents')!.data.fill(-0.5);
    return model;
  }

  /** Makes a rule that turns each cell's value x into 1 − x. */
  function blinking(): Model {
    const model = heedless({ leak: 1, activation: 'relu' }, { 'perceive.bias': 1 });
    const { data: perceive } = model.tensors.get('update.perceive.kernel')!;
    const { data: out } = model.tensors.get('update.out.kernel')!;
    // The first of 6 channels of the middle cell of 3×3, to 7 hidden units.
    perceive.fill(-1, 4 * 6 * 7, 4 * 6 * 7 + 7);
    out.fill(1, 0, 6);
    return model;
  }

  const RULES: [string, Model, unknown[], number][] = [
    ['prints white', heedless({ leak: 1 }, { 'out.bias': 1 }), [1, 1, 1, 1, 0], 0],
    // Cells in an opening wound may blink in time with the others or not.
    ['blinks', blinking(), [0, 1, expect.any(Number), 1, 1], 6],
    ['drifts', drifting(), [1, 0, 0, 0, 0], 6],
    ['does nothing', heedless({}, {}), [1, 1, 0, 1, 0], 6],
  ];

  // The first passes each judgement, and the second fails some.
  test.each(RULES.slice(0, isFull ? undefined : 2))(
    'a chimera of a rule that %s',
    async (_, model, [rests, same, heals, grows, flashes], failed) => {
      const engine = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
      const found = await measureChimeras({ engine, count: 6 }, model, createRandom(1));
      await engine.close();
      expect(found).toMatchObject({ chimeras: 6, same, heals, grows, flashes });
      expect(found.rests).toEqual({ 32: rests, 64: rests, 128: rests, 256: rests });
      expect(found.failed).toHaveLength(failed);
      // The third chimera has three creatures and names each.
      if (failed > 0) expect(found.failed[2].split(' + ')).toHaveLength(3);
    },
  );

  describe('labels of grafts', () => {
    const SIDE = 32;
    /** A body in the left half. */
    const alive = Uint8Array.from({ length: SIDE ** 2 }, (_, cell) => +(cell % SIDE < SIDE / 2));
    const cellsOf = (labels: Uint8Array, label: number) =>
      [...labels.keys()].filter((cell) => labels[cell] === label);

    it('cover discs of radius 3 to 8 around a living cell', () => {
      const random = createRandom(2);
      const areas = Array.from({ length: 200 }, () => {
        const cells = cellsOf(drawLabels(random, alive, ['disc']), 1);
        expect(cells.some((cell) => alive[cell] === 1)).toBe(true);
        return cells.length;
      });
      const most = Math.max(...areas);
      expect(most).toBeGreaterThan(Math.PI * 7 ** 2);
      expect(most).toBeLessThan(Math.PI * 8.5 ** 2);
      expect(Math.min(...areas)).toBeGreaterThan((Math.PI * 3 ** 2) / 4);
    });

    it('cover one side of a cut at any angle, under a disc of a third genome', () => {
      const random = createRandom(3);
      const corners = new Set<number>();
      for (let i = 0; i < 60; i++) {
        const labels = drawLabels(random, alive, ['half']);
        for (const corner of [0, SIDE - 1, SIDE * (SIDE - 1), SIDE ** 2 - 1]) {
          if (labels[corner] === 1) corners.add(corner);
        }
        const cells = cellsOf(labels, 1).length;
        expect(cells).toBeLessThan(SIDE ** 2);
      }
      expect(corners.size).toBe(4);
      const three = drawLabels(createRandom(5), alive, ['half', 'disc']);
      expect(new Set(three)).toEqual(new Set([0, 1, 2]));
      expect(three).toEqual(drawLabels(createRandom(5), alive, ['half', 'disc']));
    });
  });
});

const readOptions = (args: readonly string[]) => readCommand(COMMAND, args);

describe('images', () => {
  const none = new Uint32Array(0);
  const NO_SPLITS = { train: none, validation: none, test: none };
  const data = (splits: Partial<Dataset['splits']>, count = 6): Dataset => ({
    name: 'made up',
    side: 2,
    channels: 1,
    count,
    pixels: Uint8Array.from({ length: 4 * count }, (_, i) => 10 * Math.floor(i / 4)),
    entries: [],
    splits: { ...NO_SPLITS, ...splits },
    ...{ source: '', licence: '', description: '' },
  });

  it('are evenly chosen from those not trained on', () => {
    const splits = { train: Uint32Array.of(0), test: Uint32Array.of(1, 2, 4, 5) };
    const judged = choose(data(splits), { limit: 2 });
    expect(judged).toMatchObject({ split: 'test', count: 2, of: 4 });
    expect(judged.pixels[0]).toBeCloseTo(10 / 255, 6);
    expect(judged.pixels[4]).toBeCloseTo(40 / 255, 6);
    expect(choose(data({ validation: Uint32Array.of(3) }), { limit: 0 }).split).toBe('validation');
    expect(choose(data({ train: Uint32Array.of(0, 3) }), { limit: 9 })).toMatchObject({
      split: 'train',
      count: 2,
    });
  });

  it('are of the split that is asked for', () => {
    const set = data({ validation: Uint32Array.of(3), test: Uint32Array.of(1, 2) });
    const judged = choose(set, { limit: 0, split: 'validation' });
    expect(judged).toMatchObject({ split: 'validation', count: 1, of: 1 });
    expect(judged.pixels[0]).toBeCloseTo(30 / 255, 6);
    expect(() => choose(set, { limit: 0, split: 'train' })).toThrow(
      /made up.* no images in the split "train"/,
    );
    expect(readOptions(['a', '--split', 'validation'])).toMatchObject({ split: 'validation' });
  });

  test.each([
    [undefined, 'no-data', 'the card names no training configuration'],
    ['{', 'no-data', 'is not valid JSON'],
    ['nowhere.json', 'no-data', 'nowhere.json cannot be read'],
    ['{"kind": "mnist", "side": 28}', 'unfit-data', '28×28×1, but the checkpoint draws 16×16×4'],
  ])('of %j are refused', async (wanted, reason, message) => {
    await expect(loadImages(tinyCard(), wanted, { limit: 1 })).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
  });
});
