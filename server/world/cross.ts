/** Crossing and mutation of latents. */
import type { Random } from '../../shared/random.ts';

/**
 * Interpolates directions spherically and lengths linearly. The child stays as far from the prior's
 * centre as its parents; plain averaging would pull it towards the average creature.
 * (Shoemake 1985; for latent spaces White 2016, arXiv 1609.04468.)
 *
 * @param a [Z]
 * @param b [Z]
 * @param mix share of b, 0…1
 * @returns [Z]; a at 0, b at 1
 */
export function crossLatents(a: Float32Array, b: Float32Array, mix: number): Float32Array {
  const lengthA = Math.hypot(...a);
  const lengthB = Math.hypot(...b);
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i] * b[i];
  const cosine = dot / (lengthA * lengthB);
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
  // Nearly parallel, opposite or zero-length latents have no unique arc between them.
  if (!(Math.sin(angle) > 1e-4)) return a.map((value, i) => (1 - mix) * value + mix * b[i]);
  const shareA = Math.sin((1 - mix) * angle) / Math.sin(angle) / lengthA;
  const shareB = Math.sin(mix * angle) / Math.sin(angle) / lengthB;
  const length = (1 - mix) * lengthA + mix * lengthB;
  return a.map((value, i) => length * (shareA * value + shareB * b[i]));
}

/**
 * Turns a latent towards a random direction and keeps its length.
 *
 * @param latent [Z]
 * @param strength 0…1: from no change to half-way to the random direction
 * @returns [Z]
 */
export function mutate(latent: Float32Array, strength: number, random: Random): Float32Array {
  const noise = random.latent(latent.length);
  const scale = Math.hypot(...latent) / Math.hypot(...noise);
  return crossLatents(
    latent,
    noise.map((value) => value * scale),
    strength / 2,
  );
}
