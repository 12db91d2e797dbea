/** The rule of pages, in plain JavaScript, against the rule on tensors. */
import * as tf from '@tensorflow/tfjs-core';
import {
  createRule,
  disposeRule,
  readGenome,
  stepStates,
} from '../../../server/engine/tfjs/step-rule.ts';
import {
  createScalarRule,
  drawUpdateMask,
  randomOfState,
} from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { tinyModel, UPDATES } from './tiny-model.ts';

const SIDE = 5;
const STEPS = 4;
const SOMETIMES: (typeof UPDATES)[number] = [
  'residual that updates some cells at a time',
  { kind: 'residual', hidden: 7, updateProbability: 0.5 },
];

beforeAll(async () => {
  await startTfjsCpu();
});

test.each([...UPDATES, SOMETIMES])('%s: steps like the rule on tensors', (_, update) => {
  const model = tinyModel({ update });
  const { channels, latentSize } = model.card;
  const random = createRandom(7);
  const latent = random.latent(latentSize);
  const rule = createRule(model);
  const step = createScalarRule(model, latent);
  let states = random.latent(SIDE * SIDE * channels);
  for (let i = 0; i < STEPS; i++) {
    const mask = new Float32Array(SIDE * SIDE);
    drawUpdateMask(mask, model.card.update.updateProbability, randomOfState(states));
    const wanted = tf.tidy(() => {
      const input = tf.tensor4d(states, [1, SIDE, SIDE, channels]);
      return stepStates(rule, input, {
        mask: tf.tensor4d(mask, [1, SIDE, SIDE, 1]),
        ...(model.card.update.standingInput && {
          genome: readGenome(rule, tf.tensor2d(latent, [1, latentSize])),
        }),
      }).dataSync() as Float32Array;
    });
    const found = step(states);
    expect(found).toHaveLength(wanted.length);
    // Without a limit, states grow large.
    const error = wanted.reduce((most, x, at) => {
      return Math.max(most, Math.abs(x - found[at]) / Math.max(1, Math.abs(x)));
    }, 0);
    expect(error).toBeLessThan(1e-5);
    states = found;
  }
  disposeRule(rule);
});
