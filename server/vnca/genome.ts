/**
 * The conditioning of patches, and bounds of latents. A patch's conditioning holds all weights that
 * the patch's latent determines. Computing these weights once per patch is equivalent to reading
 * the latent in every step, and costs no time per cell.
 */
import { type Architecture, cellLayers, genomeLayout, trunkOf } from './architecture.ts';
import type { Model } from './checkpoint.ts';

/** A range of numbers in a patch's conditioning. */
export interface OwnPart {
  readonly from: number;
  readonly size: number;
}

/**
 * Computes the layout of a patch's conditioning, which has K numbers in total (`size`). Each part
 * holds the patch's own weights for one layer. A part is absent if all patches share the layer's
 * weights. Returns undefined for rules without a standing input.
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
    /** Bias of the first layer, [hidden]: the layer's own bias, scaled, plus the genome's shift. */
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
 * Computes a patch's conditioning.
 *
 * @param latent [Z]
 * @returns [K], in the layout of `ownLayout`
 */
export type Condition = (latent: Float32Array) => Float32Array;

/**
 * Creates the function that computes the conditioning of patches. Returns undefined for rules
 * without a standing input.
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
    const modulatedBias = (layer: string, i: number): number =>
      bias(layer, i) * scale(layer, i) + modulation[layers[layer].shifts + i];
    const numberOf: Readonly<Record<keyof typeof parts, (i: number) => number>> = {
      perceptionScale: (i) => scale('perceive', i),
      perceptionBias: (i) =>
        genome ? modulatedBias('perceive', i) : bias('perceive', i) + modulation[i],
      hidden: (i) => {
        const [o, input] = [Math.floor(i / hidden), i % hidden];
        return hiddenKernel![input * hidden + o] * scale('hidden', o);
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

/** A layer that works on single cells, with the weights that one patch uses for the layer. */
export interface CellLayer {
  readonly name: string;
  /** Weights of the layer, [in, out]. */
  readonly kernel: Float32Array;
  /** Bias of the layer, [out]; undefined if it is zero. */
  readonly bias: Float32Array | undefined;
}

/**
 * Collects the weights of the layers that one patch computes. For some layers, these are the
 * patch's own weights; for the others, they are the weights that all patches share.
 *
 * @param row the patch's conditioning [K]; undefined for rules without a standing input
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
 * Computes how one latent changes the layers. Without a genome net, returns shifts of the first
 * layer, [hidden]. With a genome net, returns scales and shifts of several layers (`genomeLayout`).
 *
 * @param Numbers array type that determines the precision of each layer's result
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
    // Use the outer loop for inputs and the inner loop for outputs, so that weights are read in the
    // order in which they are stored.
    for (let i = 0, at = 0; i < x.length; i++) {
      for (let o = 0; o < sums.length; o++, at++) sums[o] += x[i] * data[at];
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
 * Maximum absolute value of a number in a latent that a throw of the dice draws, rounded up; see
 * `createRandom`.
 */
const LARGEST_NORMAL = 7;

/** Factor by which bounds are widened, because latents in tokens are rounded. */
const ROUNDING = 1.001;

/**
 * Computes bounds that contain all latents of a gallery, and all but about one in a million of the
 * latents that are drawn by the dice. The bound of a drawn latent's length is five standard
 * deviations above the mean: the length of a normal vector is about √Z, with a standard deviation
 * of √½.
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

/** Computes the factor, 0…1, by which a latent must be multiplied to be within bounds. */
function factorFor(latent: Float32Array, { norm, value }: LatentBounds): number {
  const largest = Math.max(...latent.map(Math.abs));
  return Math.min(1, norm / Math.hypot(...latent), value / largest);
}

/** Shortens a latent, without changing its direction, until it is within bounds. */
export function bounded(latent: Float32Array, bounds: LatentBounds): Float32Array {
  const factor = factorFor(latent, bounds);
  return factor < 1 ? latent.map((number) => number * factor) : latent;
}

/**
 * Tolerance of `isWithin`. Because of rounding, results of `bounded` can be slightly beyond a
 * bound.
 */
const TOLERANCE = 1e-6;

/** Whether a latent is within bounds. True for every result of `bounded`. */
export const isWithin = (latent: Float32Array, bounds: LatentBounds): boolean =>
  !(factorFor(latent, bounds) < 1 - TOLERANCE);
