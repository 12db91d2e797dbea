/**
 * Trains the judge of the drawing test (test/support/digit-classifier.ts) on MNIST: Adam, shifts of
 * a pixel, ten rounds.
 */
import { writeFile } from 'node:fs/promises';
import { writeSafetensors } from '../../server/vnca/checkpoint.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import {
  CLASSES,
  CLASSIFIER_FILE,
  classify,
  DIGIT_SIDE,
  digitOf,
  HIDDEN,
  judge,
  readDigits,
  type Weights,
} from '../support/digit-classifier.ts';

const ROUNDS = 10;
const BATCH = 64;
const RATE = 0.0015;
/** Adam's. */
const [DECAY, DECAY2, TINY] = [0.9, 0.999, 1e-8];

class Adam {
  private readonly mean: Float32Array;
  private readonly square: Float32Array;
  readonly slope: Float32Array;
  private steps = 0;

  constructor(private readonly weights: Float32Array) {
    this.mean = new Float32Array(weights.length);
    this.square = new Float32Array(weights.length);
    this.slope = new Float32Array(weights.length);
  }

  step(rate: number): void {
    this.steps++;
    const scale = (rate * Math.sqrt(1 - DECAY2 ** this.steps)) / (1 - DECAY ** this.steps);
    const { weights, mean, square, slope } = this;
    for (let i = 0; i < weights.length; i++) {
      mean[i] = DECAY * mean[i] + (1 - DECAY) * slope[i];
      square[i] = DECAY2 * square[i] + (1 - DECAY2) * slope[i] ** 2;
      weights[i] -= (scale * mean[i]) / (Math.sqrt(square[i]) + TINY);
    }
    slope.fill(0);
  }
}

/**
 * A digit moved by up to a pixel each way; every second one with hard edges, as what grows may
 * have.
 */
function varied(digit: Float32Array, random: Random): Float32Array {
  const [dx, dy] = [random.integer(3) - 1, random.integer(3) - 1];
  const hard = random.uniform() < 0.5;
  const moved = new Float32Array(digit.length);
  for (let y = 1; y < DIGIT_SIDE - 1; y++) {
    for (let x = 1; x < DIGIT_SIDE - 1; x++) {
      const value = digit[(y - dy) * DIGIT_SIDE + x - dx];
      moved[y * DIGIT_SIDE + x] = hard ? Number(value > 0.5) : value;
    }
  }
  return moved;
}

export async function trainClassifier(log: (line: string) => void): Promise<void> {
  const random = createRandom(1);
  const normal = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => scale * random.normal());
  const weights: Weights = {
    inner: normal(DIGIT_SIDE ** 2 * HIDDEN, Math.sqrt(2 / 150)),
    innerBias: new Float32Array(HIDDEN),
    outer: normal(HIDDEN * CLASSES, Math.sqrt(2 / HIDDEN)),
    outerBias: new Float32Array(CLASSES),
  };
  const [inner, innerBias, outer, outerBias] = [
    weights.inner,
    weights.innerBias,
    weights.outer,
    weights.outerBias,
  ].map((part) => new Adam(part));
  const { images, labels } = readDigits('train');
  const tests = readDigits('t10k');
  const order = Uint32Array.from(labels, (_, i) => i);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const rate = RATE * (1 - round / ROUNDS);
    order.forEach((n, at) => {
      const digit = varied(digitOf(images, n), random);
      const { hidden, scores } = judge(weights, digit);
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const total = powers.reduce((sum, power) => sum + power, 0);
      const error = powers.map((power, c) => (power / total - Number(c === labels[n])) / BATCH);
      const below = new Float32Array(HIDDEN);
      for (let h = 0; h < HIDDEN; h++) {
        if (hidden[h] === 0) continue;
        for (let c = 0; c < CLASSES; c++) {
          outer.slope[h * CLASSES + c] += hidden[h] * error[c];
          below[h] += weights.outer[h * CLASSES + c] * error[c];
        }
        innerBias.slope[h] += below[h];
      }
      for (let c = 0; c < CLASSES; c++) outerBias.slope[c] += error[c];
      for (let i = 0; i < digit.length; i++) {
        const value = digit[i];
        if (value === 0) continue;
        const row = i * HIDDEN;
        for (let h = 0; h < HIDDEN; h++) inner.slope[row + h] += value * below[h];
      }
      if ((at + 1) % BATCH !== 0) return;
      for (const part of [inner, innerBias, outer, outerBias]) part.step(rate);
    });
    let right = 0;
    tests.labels.forEach((label, n) => {
      if (classify(weights, digitOf(tests.images, n)) === label) right++;
    });
    const accuracy = right / tests.labels.length;
    log(`round ${round + 1} of ${ROUNDS}: ${(100 * accuracy).toFixed(2)} % of the test digits`);
  }
  const stored = new Map([
    ['inner.kernel', { shape: [DIGIT_SIDE ** 2, HIDDEN], data: weights.inner }],
    ['inner.bias', { shape: [HIDDEN], data: weights.innerBias }],
    ['outer.kernel', { shape: [HIDDEN, CLASSES], data: weights.outer }],
    ['outer.bias', { shape: [CLASSES], data: weights.outerBias }],
  ]);
  await writeFile(CLASSIFIER_FILE, writeSafetensors(stored));
}
