/**
 * Computes the conditioning of patches, and bounds for latents. A patch's conditioning consists of
 * all weights that depend on the patch's latent. Computing these weights once per patch has the
 * same effect as letting each cell read the latent in every step, and is faster.
 */
import { type Architecture, cellLayers, genomeLayout, trunkOf } from './architecture.ts';
import type { Model } from './checkpoint.ts';

/** A range of indices in a patch's conditioning. */
export interface OwnPart {
  readonly from: number;
  readonly size: number;
}

/**
 * Computes where each layer's weights are in a patch's conditioning. The conditioning is an array
 * of K numbers (`size`): all weights that differ between patches. Returns undefined if cells read
 * the latent only at the beginning of growth. All patches then have the same weights.
 */
export function ownLayout({ channels, update }: Architecture) {
  if (!update.standingInput) return undefined;
  const { hidden, genome } = update;
  let at = 0;
  const part = (size: number): OwnPart => {
    const from = at;
    at += size;
    return { from, size };
  };
  const parts = {
    /** Scales of the first layer (perception), [hidden]. */
    ...(genome?.scalesPerception && { perceptionScale: part(hidden) }),
    /**
     * Bias of the first layer, [hidden]: shared bias · scale + shift. The shared bias is the same
     * for all patches. Scale and shift depend on the latent.
     */
    perceptionBias: part(hidden),
    /** Hidden layer: weights [hidden outputs, hidden inputs] and bias [hidden]. */
    ...(genome &&
      trunkOf(update).modulated.includes('hidden') && {
        hidden: part(hidden * hidden),
        hiddenBias: part(hidden),
      }),
    /** Last layer: weights [C, hidden] and bias [C]. */
    ...(genome && genome.expressed > 0 && { out: part(channels * hidden) }),
    ...(genome && { outBias: part(channels) }),
  };
  return { ...parts, size: at };
}

/**
 * Computes the conditioning of a patch from its latent.
 *
 * @param latent [Z]
 * @returns [K], in the layout that `ownLayout` returns
 */
export type Condition = (latent: Float32Array) => Float32Array;

/**
 * Creates the function that computes the conditioning of patches. Returns undefined if patches have
 * no conditioning.
 */
export function createCondition({ card, tensors }: Model): Condition | undefined {
  const own = ownLayout(card);
  if (!own) return undefined;
  const { size, ...parts } = own;
  const { channels, update } = card;
  const { hidden, genome } = update;
  const { expressed = 0 } = genome ?? {};
  const { layers, shifts, weights } = genomeLayout(card);
  const numbers = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const hiddenKernel = numbers('hidden.kernel');
  const outKernel = numbers('out.kernel')!;

  return (latent) => {
    const modulation = readGenome({ card, tensors }, latent, Float32Array);
    const row = new Float32Array(size);
    const fill = (part: OwnPart | undefined, value: (i: number) => number): void => {
      if (part) for (let i = 0; i < part.size; i++) row[part.from + i] = value(i);
    };
    const bias = (name: string, i: number): number => numbers(`${name}.bias`)?.[i] ?? 0;
    const scale = (layer: string, i: number): number => {
      const { scales } = layers[layer];
      return scales === undefined ? 1 : 1 + modulation[scales + i];
    };
    const modulatedBias = (layer: string, i: number): number =>
      bias(layer, i) * scale(layer, i) + modulation[layers[layer].shifts + i];
    fill(parts.perceptionScale, (i) => scale('perceive', i));
    fill(parts.perceptionBias, (i) =>
      genome ? modulatedBias('perceive', i) : bias('perceive', i) + modulation[i],
    );
    fill(parts.hiddenBias, (o) => modulatedBias('hidden', o));
    fill(parts.outBias, (c) => bias('out', c) + modulation[shifts + c]);
    // Use plain loops for speed, because these parts have thousands of numbers.
    if (parts.hidden) {
      for (let o = 0, at = parts.hidden.from; o < hidden; o++) {
        const factor = scale('hidden', o);
        for (let i = 0; i < hidden; i++) row[at++] = hiddenKernel![i * hidden + o] * factor;
      }
    }
    if (parts.out) {
      for (let c = 0, at = parts.out.from; c < channels; c++) {
        for (let i = 0; i < hidden; i++) {
          const extra = c < expressed ? modulation[weights + i * expressed + c] : 0;
          row[at++] = outKernel[i * channels + c] + extra;
        }
      }
    }
    return row;
  };
}

/**
 * A layer of the rule, with the weights that it has for one patch. The layer computes each cell of
 * the patch separately.
 */
export interface CellLayer {
  readonly name: string;
  /** Weights, [in, out]. */
  readonly kernel: Float32Array;
  /** [out]; undefined if the bias is zero. */
  readonly bias: Float32Array | undefined;
}

/**
 * Collects the weights of all layers for one patch. Weights that depend on the patch's latent come
 * from its conditioning. All other weights are the same for all patches.
 *
 * @param row the patch's conditioning, [K]; undefined if patches have no conditioning
 */
export function layersOfPatch({ card, tensors }: Model, row: Float32Array | undefined) {
  const { update } = card;
  const layout = row && ownLayout(card);
  const own = (part: OwnPart | undefined): Float32Array | undefined =>
    part && row?.subarray(part.from, part.from + part.size);
  const shared = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const [, ...names] = cellLayers(update);
  return {
    /**
     * Factors for the results of the first layer (perception), [hidden]; undefined if all are 1.
     */
    perceptionScale: own(layout?.perceptionScale),
    perceptionBias: own(layout?.perceptionBias) ?? shared('perceive.bias')!,
    /** The layers after perception, in the order in which they are computed. */
    layers: names.map((name): CellLayer => {
      const isLast = name === 'out';
      const weights = own(isLast ? layout?.out : layout?.hidden);
      const shifts = own(isLast ? layout?.outBias : layout?.hiddenBias);
      return {
        name,
        kernel: weights ? transposed(weights, update.hidden) : shared(`${name}.kernel`)!,
        bias: shifts ?? shared(`${name}.bias`),
      };
    }),
  };
}

/** Transposes [out, in] to [in, out]. */
function transposed(weights: Float32Array, inputs: number): Float32Array {
  const outputs = weights.length / inputs;
  const result = new Float32Array(weights.length);
  for (let o = 0, at = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) result[i * outputs + o] = weights[at++];
  }
  return result;
}

/**
 * Computes how a latent changes the layers. Without a genome net, the result is shifts of the first
 * layer, [hidden]. With a genome net, the result is scales, shifts and weights of several layers,
 * in the layout that `genomeLayout` returns.
 *
 * @param Numbers array type of each layer's results, which determines their precision
 */
export function readGenome(
  { card, tensors }: Model,
  latent: Float32Array,
  Numbers: Float32ArrayConstructor | Float64ArrayConstructor,
): Float32Array | Float64Array {
  const { genome } = card.update;
  const first = dense(tensors, 'genome', latent);
  if (!genome) return new Numbers(first);
  const inner = new Numbers(first).map((x) => (x > 0 ? x : Math.expm1(x)));
  const modulation = new Numbers(dense(tensors, 'modulation', inner));
  for (let i = 0; i < modulation.length; i++) modulation[i] *= genome.gain;
  return modulation;
}

/** Computes a dense layer. @param x [in] @returns [out] */
function dense(tensors: Model['tensors'], layer: string, x: ArrayLike<number>): Float64Array {
  const { shape, data } = tensors.get(`update.${layer}.kernel`)!;
  const sums = new Float64Array(shape[1]);
  sums.set(tensors.get(`update.${layer}.bias`)?.data ?? []);
  // The outer loop is over inputs and the inner loop is over outputs, so that weights are read in
  // the order in which they are stored.
  for (let i = 0, at = 0; i < x.length; i++) {
    const input = x[i];
    for (let o = 0; o < sums.length; o++, at++) sums[o] += input * data[at];
  }
  return sums;
}

/** Bounds within which a checkpoint's latents lie. */
export interface LatentBounds {
  /** Maximum Euclidean length of a latent. */
  readonly norm: number;
  /** Maximum absolute value of a number in a latent. */
  readonly value: number;
}

/** Maximum absolute value of a number in a random latent, rounded up. */
const LARGEST_NORMAL = 7;

/** Factor that widens the bounds, because tokens (seeds as text) contain rounded latents. */
const ROUNDING = 1.001;

/**
 * Computes bounds that include all latents of the gallery and almost all random latents: about one
 * random latent in a million is out of bounds. Random latents have an average length of about √Z,
 * with a standard deviation of √½; the bound is five standard deviations above the average.
 *
 * @param latents latents of the gallery, [Z] each
 */
export function boundsOf(latents: readonly Float32Array[], latentSize: number): LatentBounds {
  const values = latents.map((latent) => Math.max(...latent.map(Math.abs)));
  const norms = latents.map((latent) => Math.hypot(...latent));
  return {
    norm: ROUNDING * Math.max(Math.sqrt(latentSize) + 5 * Math.SQRT1_2, ...norms),
    value: ROUNDING * Math.max(LARGEST_NORMAL, ...values),
  };
}

/** Returns the factor, at most 1, by which a latent must be multiplied to be within bounds. */
function factorFor(latent: Float32Array, { norm, value }: LatentBounds): number {
  const largest = Math.max(...latent.map(Math.abs));
  return Math.min(1, norm / Math.hypot(...latent), value / largest);
}

/**
 * Shortens a latent that is out of bounds, without changing its direction. Returns all other
 * latents unchanged.
 */
export function bounded(latent: Float32Array, bounds: LatentBounds): Float32Array {
  const factor = factorFor(latent, bounds);
  return factor < 1 ? latent.map((number) => number * factor) : latent;
}

/**
 * Tolerance of `isWithin`, because rounding errors may leave a result of `bounded` slightly out of
 * bounds.
 */
const TOLERANCE = 1e-6;

/** Returns whether a latent is within bounds. True for every result of `bounded`. */
export const isWithin = (latent: Float32Array, bounds: LatentBounds): boolean =>
  !(factorFor(latent, bounds) < 1 - TOLERANCE);
