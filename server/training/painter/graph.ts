/** Builds the painter as expressions, with its loss and its initial weights. */

import { INPUTS, NEIGHBOUR, RAMP, REACH } from '../../../shared/painter/net.ts';
import { catmullRom } from '../../../shared/painter/paint.ts';
import type { Random } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute, Program } from '../../autodiff/compute.ts';
import { gradients } from '../../autodiff/gradients.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { initialise, parameterInputs, type Shapes } from '../../autodiff/parameters.ts';
import { dense } from '../model/networks.ts';
import type { PainterConfig } from './config.ts';
import { ENLARGED } from './originals.ts';

/**
 * Side of the square of pixels that the loss compares for a cell. It is one pixel larger than the
 * cell on each side, so that neighbouring cells agree where they meet.
 */
export const JUDGED = ENLARGED + 2;
/** Differences below this value, 0…1, count as squares rather than absolute values. */
const SMOOTH = 0.02;

type Sizes = Pick<PainterConfig, 'hidden' | 'ramps'>;

/** Returns names and shapes of the weights. */
export function painterShapes({ hidden: [first, second], ramps }: Sizes): Shapes {
  return new Map([
    ['hidden1.kernel', [INPUTS, first]],
    ['hidden1.bias', [first]],
    ['hidden2.kernel', [first, second]],
    ['hidden2.bias', [second]],
    ['ramps.kernel', [second, RAMP * ramps]],
    ['ramps.bias', [RAMP * ramps]],
  ]);
}

/**
 * Draws initial weights: ramps in all directions through the middle of a cell, almost without
 * colour.
 */
export function firstWeights(sizes: Sizes, random: Random): Map<string, Float32Tensor> {
  const tensors = initialise(painterShapes(sizes), random);
  const kernel = tensors.get('ramps.kernel')!.data;
  for (let i = 0; i < kernel.length; i++) kernel[i] *= i % RAMP < 4 ? 0.3 : 0.05;
  const bias = tensors.get('ramps.bias')!.data.fill(0);
  for (let j = 0; j < sizes.ramps; j++) {
    const angle = (2 * Math.PI * j) / sizes.ramps + 0.3;
    bias[RAMP * j] = 1.2 * Math.cos(angle);
    bias[RAMP * j + 1] = 1.2 * Math.sin(angle);
  }
  return tensors;
}

/** Positions of the judged pixels of a cell, relative to its middle, in cells. */
const judgedPlaces = Array.from({ length: JUDGED }, (_, k) => (k - 0.5) / ENLARGED - 0.5);

/** Returns x, y, x² + y² and 1 for each judged pixel, [1, P, P, 4]. */
function placesOfPixels(): Float32Array {
  const numbers = judgedPlaces.flatMap((y) =>
    judgedPlaces.flatMap((x) => [x, y, x * x + y * y, 1]),
  );
  return Float32Array.from(numbers);
}

/** Returns the Catmull-Rom weight of each neighbour at each judged pixel, [1, P, P, 25]. */
function blendOfPixels(): Float32Array {
  const weights = judgedPlaces.map(catmullRom);
  const numbers = weights.flatMap((ofRow) =>
    weights.flatMap((ofColumn) =>
      Array.from(ofRow).flatMap((a) => Array.from(ofColumn, (b) => a * b)),
    ),
  );
  return Float32Array.from(numbers);
}

/**
 * Returns Sobel's two filters for each of four channels, scaled to differences per pixel, [3, 3, 4,
 * 8].
 */
function sobel(): Float32Array {
  const weights = new Float32Array(3 * 3 * 4 * 8);
  const across = [-1, 0, 1];
  const along = [1, 2, 1];
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 3; x++) {
      for (let c = 0; c < 4; c++) {
        const at = ((y * 3 + x) * 4 + c) * 8 + 2 * c;
        weights[at] = (along[y] * across[x]) / 4;
        weights[at + 1] = (across[y] * along[x]) / 4;
      }
    }
  }
  return weights;
}

/** Inputs of one update, for N cells. */
export interface PainterBatch {
  /** Shape [N, INPUTS]. */
  readonly inputs: Float32Array;
  /** Shape [N, P, P, 4], values 0…1. */
  readonly target: Float32Array;
  /** Weight of the difference in edge energy. */
  readonly energy: number;
}

/** Compiles the loss and its gradients for N cells. */
export async function compileLoss(compute: Compute, config: PainterConfig, cells: number) {
  const shapes = painterShapes(config);
  const parameters = parameterInputs(shapes);
  const map = [cells, JUDGED, JUDGED, 4] as const;
  const target = g.inputMap('target', map);
  const shared = (name: string, size: number): Expression =>
    g.expand(g.inputMap(name, [1, JUDGED, JUDGED, size]), [cells, JUDGED, JUDGED, size]);
  const painted = paintedPixels(config, parameters, {
    inputs: g.input('inputs', [cells, INPUTS]),
    blend: shared('blend', REACH * REACH),
    places: shared('places', 4),
  });
  const apart = countedDifference(painted, target);
  const filters = g.input('sobel', [3, 3, 4, 8]);
  const [ofPainted, ofTarget] = [g.clip(painted, 0, 1), target].map((x) => g.conv(x, filters));
  const parts = [
    meanOf(sizesOf(apart)),
    g.multiply(meanOf(sizesOf(g.conv(apart, filters))), config.edges),
    g.multiply(energyDifference(ofPainted, ofTarget), g.input('energy', [])),
  ];
  const loss = parts.reduce((sum, part) => g.add(sum, part));
  const names = [...shapes.keys()];
  const slopes = gradients([{ result: loss }], names.map(parameters));
  const program: Program = await compute.compile({
    loss: g.reshape(loss, []),
    ...Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
  });
  const constants = {
    places: compute.upload([1, JUDGED, JUDGED, 4], placesOfPixels()),
    blend: compute.upload([1, JUDGED, JUDGED, REACH * REACH], blendOfPixels()),
    sobel: compute.upload([3, 3, 4, 8], sobel()),
  };
  return {
    /** @returns the mean loss per pixel, and `total:*`, which the caller frees */
    async run(weights: Parameters<Program['run']>[0], batch: PainterBatch) {
      const uploaded = {
        inputs: compute.upload([cells, INPUTS], batch.inputs),
        target: compute.upload(map, batch.target),
        energy: compute.upload([], Float32Array.of(batch.energy)),
      };
      const { loss: value, ...totals } = await program.run({
        ...weights,
        ...constants,
        ...uploaded,
      });
      const [mean] = await compute.read(value);
      compute.free(value, ...Object.values(uploaded));
      return { loss: mean, totals };
    },
    async dispose(): Promise<void> {
      compute.free(...Object.values(constants));
      await program.dispose();
    },
  };
}

/** Paints like `shared/painter/paint.ts`, but without clamping. */
function paintedPixels(
  { ramps }: Sizes,
  parameters: (name: string) => Expression,
  { inputs, blend, places }: Record<'inputs' | 'blend' | 'places', Expression>,
): Expression {
  const first = g.relu(dense(inputs, parameters, 'hidden1'));
  const second = g.relu(dense(first, parameters, 'hidden2'));
  const numbers = g.reshape(dense(second, parameters, 'ramps'), [inputs.shape[0], ramps, RAMP]);
  const around = g.reshape(inputs, [inputs.shape[0], REACH * REACH, NEIGHBOUR]);
  const base = g.pointwise(blend, g.slice(around, 0, 4));
  const along = g.pointwise(places, g.slice(numbers, 0, 4), true);
  return g.add(base, g.pointwise(g.clip(along, -0.5, 0.5), g.slice(numbers, 4, RAMP)));
}

/**
 * Returns the differences between painted and target pixels, ignoring differences that clamping to
 * 0…1 removes.
 */
function countedDifference(painted: Expression, target: Expression): Expression {
  const one = g.constant(1);
  const below = g.multiply(g.greater(g.constant(0.002), target), g.greater(g.constant(0), painted));
  const above = g.multiply(g.greater(target, 0.998), g.greater(painted, 1));
  const counts = g.subtract(one, g.maximum(below, above));
  return g.multiply(g.subtract(painted, target), counts);
}

/**
 * Compares how much edge each cell has, wherever in the cell the edge lies: the difference of the
 * mean and of the root mean square of gradients. If cells do not determine where an edge lies, the
 * other losses are smallest without any edge.
 */
function energyDifference(painted: Expression, target: Expression): Expression {
  const ofCell = (x: Expression): Expression =>
    g.divide(g.sum(x, [1, 2, 3]), g.constant(g.sizeOf(x.shape.slice(1))));
  const apart = (of: (x: Expression) => Expression): Expression =>
    meanOf(sizesOf(g.subtract(of(painted), of(target)), 0.002));
  return g.add(
    apart((x) => ofCell(sizesOf(x))),
    apart((x) => g.sqrt(g.add(ofCell(g.square(x)), 1e-5))),
  );
}

/** Returns √(x² + s²) − s, an absolute value that is smooth at 0. */
const sizesOf = (x: Expression, smooth = SMOOTH): Expression =>
  g.subtract(g.sqrt(g.add(g.square(x), smooth ** 2)), smooth);

const meanOf = (x: Expression): Expression =>
  g.divide(g.reshape(g.sum(x), []), g.constant(g.sizeOf(x.shape)));
