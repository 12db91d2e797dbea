/**
 * Computes the conditioning of patches, and bounds for latents. A patch's conditioning consists of
 * all weights that depend on the patch's latent. They are computed only once for each patch. This
 * has the same effect as if each cell read the latent in every step, but costs no time in the
 * cells.
 */
import { type Architecture, cellLayers, genomeLayout, trunkOf } from './architecture.ts';
import type { Model } from './checkpoint.ts';

/** A range of numbers in a patch's conditioning. */
export interface OwnPart {
  readonly from: number;
  readonly size: number;
}

/**
 * Computes how a patch's conditioning is arranged. It has K numbers in total (`size`). Each part
 * holds weights of one layer, computed for this patch. If the weights of a layer are the same for
 * all patches, the layer has no part. Returns undefined if the rule has no standing input.
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
     * Bias of the first layer, [hidden]: the bias that all patches share, multiplied by the
     * genome's scale, plus the genome's shift.
     */
    perceptionBias: part(hidden),
    /** Weights [hidden out, hidden in] and bias [hidden] of the hidden layer. */
    ...(genome &&
      trunkOf(update).modulated.includes('hidden') && {
        hidden: part(hidden * hidden),
        hiddenBias: part(hidden),
      }),
    /** Weights [C, hidden] and bias [C] of the last layer. */
    ...(genome && genome.expressed > 0 && { out: part(channels * hidden) }),
    ...(genome && { outBias: part(channels) }),
  };
  return { ...parts, size: at };
}

/**
 * Computes the conditioning of a patch from its latent.
 *
 * @param latent [Z]
 * @returns [K], arranged as `ownLayout` says
 */
export type Condition = (latent: Float32Array) => Float32Array;

/**
 * Creates the function that computes the conditioning of patches. Returns undefined if the rule has
 * no standing input.
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
    const bias = (name: string, i: number): number => numbers(`${name}.bias`)?.[i] ?? 0;
    const scale = (layer: string, i: number): number => {
      const { scales } = layers[layer];
      return scales === undefined ? 1 : 1 + modulation[scales + i];
    };
    // Looked up once per row, because the hidden layer has the square of `hidden` weights.
    const hiddenScales =
      parts.hidden && Array.from({ length: hidden }, (_, o) => scale('hidden', o));
    const modulatedBias = (layer: string, i: number): number =>
      bias(layer, i) * scale(layer, i) + modulation[layers[layer].shifts + i];
    const numberOf: Readonly<Record<keyof typeof parts, (i: number) => number>> = {
      perceptionScale: (i) => scale('perceive', i),
      perceptionBias: (i) =>
        genome ? modulatedBias('perceive', i) : bias('perceive', i) + modulation[i],
      hidden: (i) => {
        const [o, input] = [Math.floor(i / hidden), i % hidden];
        return hiddenKernel![input * hidden + o] * hiddenScales![o];
      },
      hiddenBias: (o) => modulatedBias('hidden', o),
      out: (i) => {
        const [c, input] = [Math.floor(i / hidden), i % hidden];
        const extra = c < expressed ? modulation[weights + input * expressed + c] : 0;
        return outKernel[input * channels + c] + extra;
      },
      outBias: (c) => bias('out', c) + modulation[shifts + c],
    };
    const row = new Float32Array(size);
    for (const [name, part] of Object.entries(parts) as [keyof typeof parts, OwnPart][]) {
      for (let i = 0; i < part.size; i++) row[part.from + i] = numberOf[name](i);
    }
    return row;
  };
}

/** A layer that works on each cell separately, with the weights that it has in one patch. */
export interface CellLayer {
  readonly name: string;
  /** Weights of the layer, [in, out]. */
  readonly kernel: Float32Array;
  /** Bias of the layer, [out]; undefined if it is zero. */
  readonly bias: Float32Array | undefined;
}

/**
 * Collects, for one patch, the weights of all layers. In some layers, the patch has its own
 * weights; in the others, all patches share the weights.
 *
 * @param row the patch's conditioning, [K]; undefined if the rule has no standing input
 */
export function layersOfPatch({ card, tensors }: Model, row: Float32Array | undefined) {
  const { update } = card;
  const layout = row && ownLayout(card);
  const own = (part: OwnPart | undefined): Float32Array | undefined =>
    part && row?.subarray(part.from, part.from + part.size);
  const shared = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const [, ...names] = cellLayers(update);
  return {
    /** Factors for the result of perception, [hidden]; undefined if all are 1. */
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
  return weights.map((_, i) => weights[(i % outputs) * inputs + Math.floor(i / outputs)]);
}

/**
 * Computes from a latent how the layers change. If the rule has no genome net, the result is shifts
 * of the first layer, [hidden]. If it has one, the result is scales, shifts and weights of several
 * layers, arranged as `genomeLayout` says.
 *
 * @param Numbers type of the arrays in which the results of each layer are stored; determines their
 * precision
 */
export function readGenome(
  { card, tensors }: Model,
  latent: Float32Array,
  Numbers: Float32ArrayConstructor | Float64ArrayConstructor,
): Float32Array | Float64Array {
  const { genome } = card.update;
  const dense = (layer: string, x: ArrayLike<number>): Float32Array | Float64Array => {
    const { shape, data } = tensors.get(`update.${layer}.kernel`)!;
    const bias = tensors.get(`update.${layer}.bias`)?.data;
    const sums = new Float64Array(shape[1]);
    if (bias) sums.set(bias);
    // The outer loop is over inputs and the inner loop over outputs. Weights are then read in the
    // order in which they are stored.
    for (let i = 0, at = 0; i < x.length; i++) {
      const input = x[i];
      for (let o = 0; o < sums.length; o++, at++) sums[o] += input * data[at];
    }
    return new Numbers(sums);
  };
  const first = dense('genome', latent);
  if (!genome) return first;
  const inner = first.map((x) => (x > 0 ? x : Math.expm1(x)));
  return dense('modulation', inner).map((x) => x * genome.gain);
}

/** Bounds within which a checkpoint's latents lie. */
export interface LatentBounds {
  /** Maximum Euclidean length of a latent. */
  readonly norm: number;
  /** Maximum absolute value of a number in a latent. */
  readonly value: number;
}

/**
 * Maximum absolute value of a number in a latent that is drawn at random (the dice in the visitor's
 * page), rounded up; see `createRandom`.
 */
const LARGEST_NORMAL = 7;

/** Factor by which bounds are widened, because latents in tokens are rounded. */
const ROUNDING = 1.001;

/**
 * Computes bounds for latents. They include all latents of the gallery, and all latents that are
 * drawn at random by the dice in the visitor's page, except about one in a million. The length of a
 * random latent is about √Z on average, with a standard deviation of √½; the bound on the length is
 * five standard deviations above the average.
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

/**
 * Computes the factor by which a latent must be multiplied to be within bounds; 1 if it already is,
 * otherwise less.
 */
function factorFor(latent: Float32Array, { norm, value }: LatentBounds): number {
  const largest = Math.max(...latent.map(Math.abs));
  return Math.min(1, norm / Math.hypot(...latent), value / largest);
}

/**
 * If a latent is outside the bounds, shortens it, without changing its direction, so that it is
 * within them.
 */
export function bounded(latent: Float32Array, bounds: LatentBounds): Float32Array {
  const factor = factorFor(latent, bounds);
  return factor < 1 ? latent.map((number) => number * factor) : latent;
}

/**
 * Tolerance of `isWithin`. It is needed because a result of `bounded` may exceed a bound slightly,
 * by a rounding error.
 */
const TOLERANCE = 1e-6;

/** Whether a latent is within bounds. True for every result of `bounded`. */
export const isWithin = (latent: Float32Array, bounds: LatentBounds): boolean =>
  !(factorFor(latent, bounds) < 1 - TOLERANCE);
