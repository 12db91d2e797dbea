/**
 * Measures how much single cells encode. A linear probe predicts the class of an organism from the
 * state of one of its cells (Aillet & Sondén 2023, section 4.2, who report 80.37 % for digits).
 */
import type { Random } from '../../../shared/random.ts';
import { shuffled } from '../data/dataset.ts';

/** Cells of N grown organisms. */
export interface Cells {
  /** Shape [N, cells, C]. */
  readonly states: Float32Array;
  readonly channels: number;
  /** Class of each organism, 0…, [N]. */
  readonly labels: ArrayLike<number>;
}

/**
 * Maximum number of cells sampled per organism. Neighbouring cells are similar, so more samples
 * would add little.
 */
const CELLS_EACH = 128;
const TEST_SHARE = 0.2;
const EPOCHS = 20;
const BATCH = 256;
const LEARNING_RATE = 0.02;

interface Example {
  readonly organism: number;
  /** Offset of the cell's state in `states`. */
  readonly offset: number;
}

/**
 * Trains and tests the probe twice, once with single cells split into training and test, and once
 * with whole organisms split.
 *
 * @returns the probe's accuracy, or null if there are fewer than five organisms or fewer than two
 * classes
 */
export function probeCells(cells: Cells, random: Random) {
  const { states, channels, labels } = cells;
  const organisms = labels.length;
  const classes = Math.max(...Array.from(labels)) + 1;
  if (organisms < 5 || new Set(Array.from(labels)).size < 2) return null;
  const cellsEach = states.length / organisms / channels;
  const examples: Example[] = [];
  for (let organism = 0; organism < organisms; organism++) {
    for (let i = 0; i < Math.min(CELLS_EACH, cellsEach); i++) {
      const cell = cellsEach <= CELLS_EACH ? i : random.integer(cellsEach);
      examples.push({ organism, offset: (organism * cellsEach + cell) * channels });
    }
  }
  const heldOut = shuffled([...Array(organisms).keys()], random);
  const tested = new Set(heldOut.slice(0, Math.ceil(TEST_SHARE * organisms)));
  const mixed = shuffled(examples, random);
  const cut = Math.ceil(TEST_SHARE * mixed.length);
  const test = (training: Example[], rest: Example[]): number =>
    accuracy(trained(cells, training, classes, random), cells, rest, classes);
  const counts = new Array<number>(classes).fill(0);
  for (const label of Array.from(labels)) counts[label]++;
  return {
    /** Share of correct answers if cells are split into training and test, as published. */
    byCell: test(mixed.slice(cut), mixed.slice(0, cut)),
    /**
     * Share of correct answers if whole organisms are split: accuracy for organisms that the probe
     * has not seen.
     */
    byOrganism: test(
      mixed.filter(({ organism }) => !tested.has(organism)),
      mixed.filter(({ organism }) => tested.has(organism)),
    ),
    /** Share of the most frequent class: the accuracy of guessing. */
    guess: Math.max(...counts) / organisms,
    classes,
    organisms,
  };
}

/**
 * A linear layer on standardised states. `weights` is [C + 1, classes]; its last row is the bias.
 */
type Layer = Record<'weights' | 'mean' | 'scale', Float64Array>;

/**
 * Trains a softmax regression by stochastic gradient descent with momentum. The learning rate falls
 * to zero.
 */
function trained(cells: Cells, examples: Example[], classes: number, random: Random): Layer {
  const { channels, labels } = cells;
  const layer = { ...standardise(cells, examples), weights: zeros((channels + 1) * classes) };
  const { weights } = layer;
  const momentum = zeros(weights.length);
  const batches = Math.ceil(examples.length / BATCH);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = shuffled(examples, random);
    for (let batch = 0; batch < batches; batch++) {
      const some = order.slice(batch * BATCH, (batch + 1) * BATCH);
      const gradient = zeros(weights.length);
      for (const example of some) {
        const input = inputOf(layer, cells, example);
        const errors = softmax(scores(layer, input, classes));
        errors[labels[example.organism]] -= 1;
        for (let c = 0; c <= channels; c++) {
          for (let k = 0; k < classes; k++) gradient[c * classes + k] += input[c] * errors[k];
        }
      }
      const rate = LEARNING_RATE * (1 - (epoch * batches + batch) / (EPOCHS * batches));
      for (let i = 0; i < weights.length; i++) {
        momentum[i] = 0.9 * momentum[i] + gradient[i] / some.length;
        weights[i] -= rate * momentum[i];
      }
    }
  }
  return layer;
}

function accuracy(layer: Layer, cells: Cells, examples: Example[], classes: number): number {
  let right = 0;
  for (const example of examples) {
    const found = scores(layer, inputOf(layer, cells, example), classes);
    if (found.indexOf(Math.max(...found)) === cells.labels[example.organism]) right++;
  }
  return right / examples.length;
}

function standardise({ states, channels }: Cells, examples: Example[]): Omit<Layer, 'weights'> {
  const mean = zeros(channels);
  const scale = zeros(channels);
  for (const { offset } of examples) {
    for (let c = 0; c < channels; c++) mean[c] += states[offset + c] / examples.length;
  }
  for (const { offset } of examples) {
    for (let c = 0; c < channels; c++) {
      scale[c] += (states[offset + c] - mean[c]) ** 2 / examples.length;
    }
  }
  return { mean, scale: scale.map((variance) => 1 / Math.sqrt(variance + 1e-8)) };
}

function inputOf({ mean, scale }: Layer, { states, channels }: Cells, { offset }: Example) {
  const input = new Float64Array(channels + 1).fill(1);
  for (let c = 0; c < channels; c++) input[c] = (states[offset + c] - mean[c]) * scale[c];
  return input;
}

function scores({ weights }: Layer, input: Float64Array, classes: number): Float64Array {
  const result = zeros(classes);
  for (let c = 0; c < input.length; c++) {
    for (let k = 0; k < classes; k++) result[k] += input[c] * weights[c * classes + k];
  }
  return result;
}

function softmax(values: Float64Array): Float64Array {
  const top = Math.max(...values);
  const powers = values.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

const zeros = (size: number): Float64Array => new Float64Array(size);
