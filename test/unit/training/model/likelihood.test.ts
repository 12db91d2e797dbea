/** Compares likelihoods with independent arithmetic and with closed forms. */
import { gradients } from '../../../../server/autodiff/gradients.ts';
import * as g from '../../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import {
  type Likelihood,
  logLikelihood,
  positionFields,
  positionNats,
} from '../../../../server/training/model/likelihood.ts';
import { imageChannels } from '../../../../server/vnca/readout.ts';
import { createRandom } from '../../../../shared/random.ts';
import { expectNear } from '../../../support/compare.ts';
import { evaluate } from '../../autodiff/contract.ts';
import { type Numbers, normals, sigmoid, softplus } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());

interface Case {
  readonly likelihood: Likelihood;
  readonly channels: number;
  readonly states: Numbers;
  readonly images: Numbers;
}

/** Makes a case of N square images. States are given or random. */
function made(
  likelihood: Likelihood,
  channels: number,
  [n, side]: readonly [number, number],
  states = normals([n, side, side, channels], 1),
): Case {
  const c = imageChannels(likelihood);
  const random = createRandom(2);
  const level = likelihood.kind === 'bernoulli' ? 1 : 255;
  const data = Float32Array.from(
    { length: n * side * side * c },
    () => random.integer(level + 1) / level,
  );
  return { likelihood, channels, states, images: { shape: [n, side, side, c], data } };
}

async function run({ likelihood, states, images }: Case) {
  const at = g.inputMap('states', states.shape);
  const nats = logLikelihood(likelihood, at, g.inputMap('images', images.shape));
  expect(nats.shape).toEqual([states.shape[0], 1, 1, 1]);
  const [slope] = gradients([{ result: nats }], [at]);
  const results = await evaluate(compute, { nats, slope }, { states, images });
  return { nats: results.nats, slope: results.slope };
}

const BERNOULLI: Likelihood = { kind: 'bernoulli', channel: 1 };
const GAUSSIAN: Likelihood = { kind: 'gaussian', sigma: 0.3, channels: [0, 1, 2, 3] };
const dmol = (mixtures: number): Likelihood => ({ kind: 'dmol', mixtures });

/** Returns log p of one pixel under one colour's logistic, as in the code of PixelCNN++. */
function logBin(x: number, mean: number, rawLogScale: number): number {
  const logScale = Math.max(rawLogScale, -7);
  const at = (by: number): number => (x - mean + by) * Math.exp(-logScale);
  if (x < -0.999) return at(1 / 255) - softplus(at(1 / 255));
  if (x > 0.999) return -softplus(at(-1 / 255));
  const mass = sigmoid(at(1 / 255)) - sigmoid(at(-1 / 255));
  if (mass > 1e-5) return Math.log(Math.max(mass, 1e-12));
  return at(0) - logScale - 2 * softplus(at(0)) - Math.log(127.5);
}

/** Returns log p of one RGB pixel, 0…1, given its state. */
function dmolPixel(state: ArrayLike<number>, pixel: ArrayLike<number>, n: number): number {
  const [r, gr, b] = Array.from(pixel, (x) => 2 * x - 1);
  const part = (colour: number, what: number, i: number): number =>
    state[n + 3 * n * colour + n * what + i];
  const terms: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    const k = [0, 1, 2].map((colour) => Math.tanh(part(colour, 2, i)));
    weights.push(Math.exp(state[i]));
    terms.push(
      logBin(r, part(0, 0, i), part(0, 1, i)) +
        logBin(gr, part(1, 0, i) + k[0] * r, part(1, 1, i)) +
        logBin(b, part(2, 0, i) + k[1] * r + k[2] * gr, part(2, 1, i)),
    );
  }
  const whole = weights.reduce((a, w) => a + w, 0);
  const top = Math.max(...terms);
  return top + Math.log(terms.reduce((a, t, i) => a + (weights[i] / whole) * Math.exp(t - top), 0));
}

function pixelByPixel({ likelihood, channels, states, images }: Case): number[] {
  const c = imageChannels(likelihood);
  const n = states.shape[0];
  const side = states.shape[2];
  const cells = states.shape[1] * side;
  return Array.from({ length: n }, (_, i) => {
    let nats = 0;
    for (let cell = i * cells; cell < (i + 1) * cells; cell++) {
      const state = states.data.subarray(cell * channels, (cell + 1) * channels);
      const pixel = images.data.subarray(cell * c, (cell + 1) * c);
      switch (likelihood.kind) {
        case 'bernoulli': {
          const p = sigmoid(state[likelihood.channel]);
          nats += Math.log(pixel[0] === 1 ? p : 1 - p);
          break;
        }
        case 'gaussian':
          for (const k of likelihood.channels) {
            nats -= (pixel[k] - state[k]) ** 2 / (2 * likelihood.sigma ** 2);
          }
          break;
        case 'dmol':
          nats += dmolPixel(state, pixel, likelihood.mixtures);
      }
    }
    return nats;
  });
}

const CASES: [string, Case][] = [
  ['bernoulli', made(BERNOULLI, 3, [2, 4])],
  ['gaussian', made(GAUSSIAN, 6, [2, 4])],
  ['dmol of 1', made(dmol(1), 11, [2, 4])],
  ['dmol of 4', made(dmol(4), 42, [2, 4])],
];

describe.each(CASES)('%s', (_, given) => {
  it('matches its formula pixel by pixel', async () => {
    const { nats } = await run(given);
    expectNear(nats, pixelByPixel(given), 1e-4);
  });

  it('stays finite with its gradients for extreme states', async () => {
    for (const scale of [0, 30, 1000]) {
      const states = normals(given.states.shape, 3, scale);
      const { nats, slope } = await run({ ...given, states });
      expect(nats.every(Number.isFinite)).toBe(true);
      expect(slope.every(Number.isFinite)).toBe(true);
    }
  });
});

// Position loss: the waves, the cost of an error, and a rule that learns positions.

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
