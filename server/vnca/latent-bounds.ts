/**
 * How far from the prior's centre a checkpoint's latents may lie. Beyond what it was trained on,
 * organisms may flash or dissolve.
 */

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
