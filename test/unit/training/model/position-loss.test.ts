/**
 * Cells are taught where they are: what the waves are, what an error costs, and that a rule learns
 * it.
 */
import { gradients } from '../../../../server/autodiff/gradients.ts';
import * as g from '../../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import {
  positionChannels,
  positionFields,
  positionNats,
} from '../../../../server/training/model/likelihood.ts';
import { growthSegments } from '../../../../server/training/model/segments.ts';
import { firstState } from '../../../../server/training/run/run-state.ts';
import { Trainer } from '../../../../server/training/run/trainer.ts';
import { evaluate } from '../../autodiff/contract.ts';
import { tinyConfig, tinyData, updates } from '../tiny-run.ts';
import { normals } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());

test('the first waves distinguish left from right and top from bottom at any side', () => {
  for (const side of [2, 8, 32]) {
    const fields = positionFields(side, 2);
    expect(fields).toHaveLength(side * side * positionChannels({ octaves: 2 }));
    const at = (x: number, y: number, channel: number) => fields[(y * side + x) * 8 + channel];
    for (let i = 1; i < side; i++) {
      expect(at(i, 0, 0)).toBeLessThan(at(i - 1, 0, 0));
      expect(at(0, i, 2)).toBeLessThan(at(0, i - 1, 2));
      expect(at(i, 0, 2)).toBe(at(0, 0, 2));
    }
    // Opposite edges are opposite places.
    expect(at(side - 1, 0, 0)).toBeCloseTo(-at(0, 0, 0), 6);
  }
});

test('an error costs as much as one of the picture times its weight, and affects only the position channels', async () => {
  const places = { channel: 1, octaves: 1, weight: 0.3 };
  const states = normals([2, 3, 3, 6], 1);
  const data = positionFields(3, 1);
  const shown = g.inputMap('states', states.shape);
  const fields = g.inputMap('fields', [1, 3, 3, 4]);
  const nats = positionNats(shown, fields, places, 0.5);
  const [slope] = gradients([{ result: nats }], [shown]);
  const found = await evaluate(
    compute,
    { nats, slope },
    { states, fields: { shape: [1, 3, 3, 4], data } },
  );
  for (let n = 0; n < 2; n++) {
    let sum = 0;
    for (let cell = 0; cell < 9; cell++) {
      for (let c = 0; c < 6; c++) {
        const at = (n * 9 + cell) * 6 + c;
        const isPlace = c >= 1 && c < 5;
        const error = isPlace ? states.data[at] - data[cell * 4 + c - 1] : 0;
        sum += error ** 2;
        expect(found.slope[at]).toBeCloseTo((-0.3 * error) / 0.25, 4);
      }
    }
    expect(found.nats[n]).toBeCloseTo((-0.5 * 0.3 * sum) / 0.25, 3);
  }
});

test('a rule learns positions at every stage', async () => {
  const config = tinyConfig({
    updates: 150,
    channels: 8,
    latentSize: 8,
    update: { kind: 'residual', hidden: 12 },
    places: { channel: 4, octaves: 1, weight: 1 },
    judgeStages: 1,
    optimiser: { learningRate: 0.01, clip: 1, beta2: 0.99 },
  });
  const trainer = await Trainer.create(compute, config, tinyData(), firstState(config));
  const errors = async (): Promise<number[]> => {
    const growth = growthSegments(config, config.segmentSteps);
    const means = await trainer.means(Uint32Array.of(0, 1, 2, 3));
    const results: number[] = [];
    for (let until = 2; until <= growth.length; until++) {
      const { stage } = growth[until - 1];
      const states = await trainer.run(means, growth.slice(0, until));
      const fields = positionFields(stage, 1);
      let sum = 0;
      for (let i = 0; i < 4 * stage * stage; i++) {
        for (let c = 0; c < 4; c++) {
          const wanted = fields[(i % (stage * stage)) * 4 + c];
          sum += (states[i * 8 + 4 + c] - wanted) ** 2;
        }
      }
      results.push(sum / (16 * stage * stage));
    }
    return results;
  };
  const before = await errors();
  await updates(trainer, 150);
  (await errors()).forEach((error, i) => {
    expect(error).toBeLessThan(0.4 * before[i]);
  });
  await trainer.dispose();
});
