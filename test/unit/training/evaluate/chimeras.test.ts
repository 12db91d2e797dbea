/** Chimeras of rules whose behaviour is known. */
import { createEngine } from '../../../../server/engine/create-engine.ts';
import { drawLabels, measureChimeras } from '../../../../server/training/evaluate/chimeras.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { isFull } from '../../../support/needs.ts';
import { smallModel } from './small.ts';

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
