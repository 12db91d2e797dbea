/** The painter and its training loss as tensor expressions, and the painter's initial weights. */
import {
  FIRST_SIDE,
  GENOME_LAYERS,
  INPUTS,
  LEARNED,
  MAP_SIDE,
  NEIGHBOUR,
  RAMP,
  REACH,
} from '../../../shared/painter/net.ts';
import { catmullRom } from '../../../shared/painter/paint.ts';
import type { Random } from '../../../shared/random.ts';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute, Program } from '../../autodiff/compute.ts';
import { gradients } from '../../autodiff/gradients.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import {
  initialise,
  parameterInputs,
  type Shapes,
  type Tensors,
} from '../../autodiff/parameters.ts';
import { dense } from '../model/networks.ts';
import type { PainterConfig } from './config.ts';

/** Number of pixels along each side of a cell in a painted picture. */
export const ENLARGED = 8;
/**
 * Side, in pixels, of the square that the training loss compares for each cell. Shapes in this file
 * call this side P. The square extends one pixel beyond each edge of the cell.
 */
export const JUDGED = ENLARGED + 2;
/**
 * The constant s in √(x² + s²) − s, which replaces |x| in the painter's training loss. Pixel values
 * are 0…1.
 */
const SMOOTH = 0.02;

/** Number of positions in a genome map. */
export const PLACES = MAP_SIDE ** 2;
/** Maximum number of creatures in a training scene. */
export const CREATURES = 2;

type Sizes = Pick<PainterConfig, 'hidden' | 'ramps' | 'genome'>;

/** Returns the shapes of the trained weights, by name. */
export function painterShapes({ hidden: [first, second], ramps, genome }: Sizes): Shapes {
  const own = genome ? LEARNED : '';
  const [latent, wide, ...channels]: readonly number[] = genome ?? [0, 0, 0];
  const ofGenome = [
    [latent, wide],
    [wide, channels[0] * FIRST_SIDE ** 2],
  ].concat(channels.slice(1).map((to, i) => [3, 3, channels[i], to]));
  return new Map([
    ...(genome ? GENOME_LAYERS : []).flatMap((name, i): [string, number[]][] => [
      [`${name}.kernel`, ofGenome[i]],
      [`${name}.bias`, ofGenome[i].slice(-1)],
    ]),
    [`${own}hidden1.kernel`, [INPUTS + channels[channels.length - 1], first]],
    [`${own}hidden1.bias`, [first]],
    [`${own}hidden2.kernel`, [first, second]],
    [`${own}hidden2.bias`, [second]],
    [`${own}ramps.kernel`, [second, RAMP * ramps]],
    [`${own}ramps.bias`, [RAMP * ramps]],
  ]);
}

/**
 * Creates a painter's initial weights. If genomes are learned, the painter begins with the weights
 * of the existing painter, and paints like that painter at first. A new painter begins with several
 * ramps (soft edges) per cell. They go through the middle of the cell in evenly spaced directions,
 * and are almost invisible.
 *
 * @param painter weights of the checkpoint's existing painter; present only if genomes are learned
 */
export function firstWeights(
  sizes: Sizes,
  random: Random,
  painter?: Tensors,
): Map<string, Float32Tensor> {
  const tensors = initialise(painterShapes(sizes), random);
  if (painter) {
    tensors.get(`${GENOME_LAYERS.at(-1)}.kernel`)!.data.fill(0);
    for (const [name, { data }] of tensors) {
      const known = painter.get(name) ?? painter.get(name.replace(LEARNED, ''));
      if (known && known.data.length <= data.length) data.set(known.data);
    }
    return tensors;
  }
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

/**
 * Coordinates, along one axis, of the pixels that the training loss compares for a cell. The unit
 * is one cell, and 0 is the cell's middle.
 */
const judgedPlaces = Array.from({ length: JUDGED }, (_, k) => (k - 0.5) / ENLARGED - 0.5);

/** Returns x, y, x² + y² and 1 for each of a cell's P×P compared pixels. */
function placesOfPixels(): Float32Array {
  const numbers = judgedPlaces.flatMap((y) =>
    judgedPlaces.flatMap((x) => [x, y, x * x + y * y, 1]),
  );
  return Float32Array.from(numbers);
}

/**
 * Returns weights for Catmull-Rom interpolation between cells: for each of a cell's P×P compared
 * pixels, the weights of the surrounding 5×5 cells.
 */
function blendOfPixels(): Float32Array {
  const weights = judgedPlaces.map(catmullRom);
  const numbers = weights.flatMap((ofRow) =>
    weights.flatMap((ofColumn) =>
      Array.from(ofRow).flatMap((a) => Array.from(ofColumn, (b) => a * b)),
    ),
  );
  return Float32Array.from(numbers);
}

/** Returns Sobel's horizontal and vertical filters for four channels, [3, 3, 4, 8]. */
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

/**
 * Returns weights for the mean over a cell's own pixels, [1, P, P, 1]. The compared pixels outside
 * the cell have the weight 0.
 */
const meanOfInner = (): Float32Array =>
  Float32Array.from({ length: JUDGED ** 2 }, (_, i) =>
    [i % JUDGED, Math.floor(i / JUDGED)].every((at) => at > 0 && at < JUDGED - 1)
      ? 1 / ENLARGED ** 2
      : 0,
  );

function shares(weights: Float32Array): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight) || 1;
  return weights.map((weight) => weight / total);
}

/** The training data of one update, N cells. */
export interface PainterBatch {
  /** [N, INPUTS] Inputs of the painter. */
  readonly inputs: Float32Array;
  /** [N, P, P, 4] Target pixels, premultiplied RGBA, 0…1. */
  readonly target: Float32Array;
  readonly energy: number;
  /**
   * [N / 2] Weight of each pair of cells in the pair loss. Pair k consists of the cells 2k and
   * 2k + 1. The weight is 0 if these two cells are not neighbours in one creature.
   */
  readonly pairs: Float32Array;
  /** [scenes · CREATURES, Z] Latents of each scene's creatures; zeros if unknown. */
  readonly latents: Float32Array;
  /**
   * [N, CREATURES · PLACES] For each cell, 1 at the position that the cell reads in the scene's
   * genome maps, and 0 at all other positions. All zeros if the genome of the cell's creature is
   * unknown.
   */
  readonly places: Float32Array;
}

/** Compiles a program for an update's loss and the gradients of this loss. */
export async function compileLoss(
  compute: Compute,
  config: PainterConfig,
  { scenes, cells: each }: PainterConfig['batch'],
) {
  const cells = scenes * each;
  const shapes = painterShapes(config);
  const latentShape = [scenes * CREATURES, config.genome?.[0] ?? 0] as const;
  const placesShape = [scenes, each, 1, CREATURES * PLACES] as const;
  const parameters = parameterInputs(shapes);
  const map = [cells, JUDGED, JUDGED, 4] as const;
  const target = g.inputMap('target', map);
  const shared = (name: string, size: number): Expression =>
    g.expand(g.inputMap(name, [1, JUDGED, JUDGED, size]), [cells, JUDGED, JUDGED, size]);
  const painted = paintedPixels(config, parameters, {
    inputs: g.input('inputs', [cells, INPUTS]),
    ...(config.genome && {
      maps: g.reshape(
        g.pointwise(
          g.inputMap('mapPlaces', placesShape),
          g.reshape(genomeMaps(parameters, g.input('latents', latentShape)), [
            ...[scenes, CREATURES * PLACES, config.genome[5]],
          ]),
        ),
        [cells, config.genome[5]],
      ),
    }),
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
  const pairs = [cells / 2, 4] as const;
  if (config.steps > 0) {
    const means = g.sum(g.multiply(apart, shared('inner', 1)), [1, 2]);
    const both = g.reshape(means, [cells / 2, 8]);
    const steps = g.square(g.subtract(g.slice(both, 0, 4), g.slice(both, 4, 8)));
    const weighted = g.multiply(steps, g.expand(g.input('pairs', [cells / 2, 1]), pairs));
    parts.push(g.multiply(g.reshape(g.sum(weighted), []), config.steps));
  }
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
    ...(config.steps > 0 && { inner: compute.upload([1, JUDGED, JUDGED, 1], meanOfInner()) }),
  };
  return {
    /**
     * Computes the loss of one update.
     *
     * @param weights the painter's weights, named `parameter:*`
     * @returns the loss and its gradients `total:*`, which the caller must free
     */
    async run(weights: Parameters<Program['run']>[0], batch: PainterBatch) {
      const uploaded = {
        inputs: compute.upload([cells, INPUTS], batch.inputs),
        target: compute.upload(map, batch.target),
        energy: compute.upload([], Float32Array.of(batch.energy)),
        ...(config.steps > 0 && { pairs: compute.upload([cells / 2, 1], shares(batch.pairs)) }),
        ...(config.genome && {
          latents: compute.upload(latentShape, batch.latents),
          mapPlaces: compute.upload(placesShape, batch.places),
        }),
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

/**
 * Builds tensor expressions that paint like `shared/painter/paint.ts`, but without clamping
 * colours.
 */
function paintedPixels(
  { ramps }: Sizes,
  parameters: (name: string) => Expression,
  of: Record<'inputs' | 'blend' | 'places', Expression> & { readonly maps?: Expression },
): Expression {
  const { inputs, blend, places, maps } = of;
  const width = inputs.shape[1] + (maps?.shape[1] ?? 0);
  const all = maps ? g.add(g.pad(inputs, 0, width), g.pad(maps, INPUTS, width)) : inputs;
  const own = maps ? LEARNED : '';
  const first = g.relu(dense(all, parameters, `${own}hidden1`));
  const second = g.relu(dense(first, parameters, `${own}hidden2`));
  const flat = dense(second, parameters, `${own}ramps`);
  const numbers = g.reshape(flat, [inputs.shape[0], ramps, RAMP]);
  const around = g.reshape(inputs, [inputs.shape[0], REACH * REACH, NEIGHBOUR]);
  const base = g.pointwise(blend, g.slice(around, 0, 4));
  const along = g.pointwise(places, g.slice(numbers, 0, 4), true);
  return g.add(base, g.pointwise(g.clip(along, -0.5, 0.5), g.slice(numbers, 4, RAMP)));
}

/**
 * Builds the tensor expression that computes genome maps from latents.
 *
 * @returns one map per genome, [N, S, S, C]
 */
export function genomeMaps(
  parameters: (name: string) => Expression,
  latents: Expression,
): Expression {
  const [first, second, ...doublings] = GENOME_LAYERS;
  const small = dense(g.relu(dense(latents, parameters, first)), parameters, second);
  const channels = small.shape[1] / FIRST_SIDE ** 2;
  const shape = [latents.shape[0], FIRST_SIDE, FIRST_SIDE, channels];
  return doublings.reduce(
    (map, name) => {
      const mixed = g.conv(g.upsample(g.relu(map)), parameters(`${name}.kernel`), { pad: 1 });
      const bias = parameters(`${name}.bias`);
      return g.add(mixed, g.expand(g.reshapeToMap(bias, [1, 1, 1, bias.shape[0]]), mixed.shape));
    },
    g.reshapeToMap(small, shape),
  );
}

/**
 * Builds the differences between painted and target pixels. Differences that vanish if painted
 * values are clamped to 0…1 count as zero: values below 0 where the target is 0, and values above 1
 * where the target is 1.
 */
function countedDifference(painted: Expression, target: Expression): Expression {
  const one = g.constant(1);
  const below = g.multiply(g.greater(g.constant(0.002), target), g.greater(g.constant(0), painted));
  const above = g.multiply(g.greater(target, 0.998), g.greater(painted, 1));
  const counts = g.subtract(one, g.maximum(below, above));
  return g.multiply(g.subtract(painted, target), counts);
}

/**
 * Builds the edge energy loss, which compares how strong a cell's edges are when painted and in the
 * target: the mean absolute value and the root mean square of the colour gradients. Without this
 * loss, the painter would leave out edges of uncertain position.
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

/** Builds √(x² + s²) − s, a smooth approximation of |x|. @param smooth s */
const sizesOf = (x: Expression, smooth = SMOOTH): Expression =>
  g.subtract(g.sqrt(g.add(g.square(x), smooth ** 2)), smooth);

const meanOf = (x: Expression): Expression =>
  g.divide(g.reshape(g.sum(x), []), g.constant(g.sizeOf(x.shape)));
