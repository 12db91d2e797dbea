/**
 * Latents: their bounds, and a patch's conditioning, the weights that its latent gives the rule. They
 * are computed once per patch, which is equivalent to reading the genome in every step, at no cost per
 * cell.
 */
import { type Architecture, cellLayers, genomeLayout, trunkOf } from './architecture.ts';
import type { Model } from './checkpoint.ts';

/** A range of a patch's conditioning. */
export interface OwnPart {
  readonly from: number;
  readonly size: number;
}

/**
 * Ranges of a patch's own weights in a rule's conditioning, whose size is K; a part is absent if all
 * patches share the layer's weights. Undefined without a standing input.
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
    /** Scales of perception, [hidden]. */
    ...(genome?.scalesPerception && { perceptionScale: part(hidden) }),
    /** Bias of the first layer, [hidden]: the layer's own, scaled, plus the genome's shift. */
    perceptionBias: part(hidden),
    /** Second layer, [hidden out, hidden in] and [hidden]. */
    ...(genome &&
      trunkOf(update).modulated.includes('hidden') && {
        hidden: part(hidden * hidden),
        hiddenBias: part(hidden),
      }),
    /** Last layer, [C, hidden] and [C]. */
    ...(genome && genome.expressed > 0 && { out: part(channels * hidden) }),
    ...(genome && { outBias: part(channels) }),
  };
  return { ...parts, size: at };
}

/**
 * Computes a patch's conditioning.
 *
 * @param latent [Z]
 * @returns [K], as laid out by `ownLayout`
 */
export type Condition = (latent: Float32Array) => Float32Array;

/** Prepares computing the conditioning of patches; undefined without a standing input. */
export function createCondition({ card, tensors }: Model): Condition | undefined {
  const own = ownLayout(card);
  if (!own) return undefined;
  const { channels, update } = card;
  const { hidden, genome } = update;
  const layout = genomeLayout(card);
  const numbers = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const hiddenKernel = numbers('hidden.kernel');
  const outKernel = numbers('out.kernel')!;

  return (latent) => {
    const modulation = readGenome({ card, tensors }, latent, Float32Array);
    const row = new Float32Array(own.size);
    const put = (part: OwnPart, value: (i: number) => number): void => {
      for (let i = 0; i < part.size; i++) row[part.from + i] = value(i);
    };
    const bias = (name: string, i: number): number => numbers(`${name}.bias`)?.[i] ?? 0;
    if (!genome) {
      put(own.perceptionBias, (i) => bias('perceive', i) + modulation[i]);
      return row;
    }
    const { perceive, hidden: second } = layout.layers;
    const scale = (from: number | undefined, i: number): number =>
      from === undefined ? 1 : 1 + modulation[from + i];
    if (own.perceptionScale) put(own.perceptionScale, (i) => scale(perceive.scales, i));
    put(
      own.perceptionBias,
      (i) => bias('perceive', i) * scale(perceive.scales, i) + modulation[perceive.shifts + i],
    );
    if (own.hidden && own.hiddenBias) {
      put(own.hidden, (i) => {
        const [o, input] = [Math.floor(i / hidden), i % hidden];
        return hiddenKernel![input * hidden + o] * scale(second.scales, o);
      });
      put(
        own.hiddenBias,
        (o) => bias('hidden', o) * scale(second.scales, o) + modulation[second.shifts + o],
      );
    }
    if (own.out) {
      const { expressed } = genome;
      put(own.out, (i) => {
        const [c, input] = [Math.floor(i / hidden), i % hidden];
        const extra = c < expressed ? modulation[layout.weights + input * expressed + c] : 0;
        return outKernel[input * channels + c] + extra;
      });
    }
    if (own.outBias) put(own.outBias, (c) => bias('out', c) + modulation[layout.shifts + c]);
    return row;
  };
}

/** A layer of single cells with the weights that a patch computes it with. */
export interface CellLayer {
  readonly name: string;
  /** [in, out] */
  readonly kernel: Float32Array;
  /** [out]; undefined: zero */
  readonly bias: Float32Array | undefined;
}

/**
 * The layers as one patch computes them: with its own weights where it has any.
 *
 * @param row the patch's conditioning [K]; absent for rules without a standing input
 */
export function layersOfPatch({ card, tensors }: Model, row: Float32Array | undefined) {
  const { update } = card;
  const layout = row && ownLayout(card);
  const own = (part: OwnPart | undefined): Float32Array | undefined =>
    part && row?.subarray(part.from, part.from + part.size);
  const shared = (name: string): Float32Array | undefined => tensors.get(`update.${name}`)?.data;
  const [, ...names] = cellLayers(update);
  return {
    /** Factors of what is perceived, [hidden]; undefined: 1. */
    perceptionScale: own(layout?.perceptionScale),
    perceptionBias: own(layout?.perceptionBias) ?? shared('perceive.bias')!,
    /** The layers after perception, in order. */
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

/** [out, in] → [in, out]. */
function transposed(weights: Float32Array, inputs: number): Float32Array {
  const outputs = weights.length / inputs;
  return weights.map((_, i) => weights[(i % outputs) * inputs + Math.floor(i / outputs)]);
}

/**
 * Reads one latent: [hidden] or, with a genome net, as `genomeLayout` lays it out.
 *
 * @param Numbers the precision of each layer's result
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
    // Inputs outside, as the weights lie in memory.
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

/** Bounds of the latents that a checkpoint was made for. */
export interface LatentBounds {
  /** Largest Euclidean length. */
  readonly norm: number;
  /** Largest magnitude of one number. */
  readonly value: number;
}

/** The largest magnitude that a throw of the dice can have, rounded up: see `createRandom`. */
const LARGEST_NORMAL = 7;

/** Allows for the rounding of tokens. */
const ROUNDING = 1.001;

/**
 * The bounds that contain a gallery and, but for one in a million, all throws of the dice: the
 * length of a normal vector is √Z with a standard deviation of √½.
 *
 * @param latents [Z] each
 */
export function boundsOf(latents: readonly Float32Array[], latentSize: number): LatentBounds {
  const values = latents.map((latent) => Math.max(...latent.map(Math.abs)));
  const norms = latents.map((latent) => Math.hypot(...latent));
  return {
    norm: ROUNDING * Math.max(Math.sqrt(latentSize) + 5 * Math.SQRT1_2, ...norms),
    value: ROUNDING * Math.max(LARGEST_NORMAL, ...values),
  };
}

/** The factor, at most 1, that brings a latent within bounds. */
function factorFor(latent: Float32Array, { norm, value }: LatentBounds): number {
  const largest = Math.max(...latent.map(Math.abs));
  return Math.min(1, norm / Math.hypot(...latent), value / largest);
}

/** A latent in the same direction, within bounds. */
export function bounded(latent: Float32Array, bounds: LatentBounds): Float32Array {
  const factor = factorFor(latent, bounds);
  return factor < 1 ? latent.map((number) => number * factor) : latent;
}

/** What `bounded` brings to a bound may lie beyond it by the rounding of its numbers. */
const TOLERANCE = 1e-6;

/** Whether a latent is within bounds; all that `bounded` returns is. */
export const isWithin = (latent: Float32Array, bounds: LatentBounds): boolean =>
  !(factorFor(latent, bounds) < 1 - TOLERANCE);
