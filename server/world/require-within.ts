/** Checks latents where commands arrive; a replay takes what was planted. */
import { Refusal } from '../../shared/protocol/reasons.ts';
import { isWithin, type LatentBounds } from '../vnca/latent-bounds.ts';

/** @throws Refusal bad-latent, which says how far out it is */
export function requireWithin(latent: Float32Array, bounds: LatentBounds): void {
  if (isWithin(latent, bounds)) return;
  const length = Math.hypot(...latent).toFixed(1);
  const { norm, value } = bounds;
  throw new Refusal(
    'bad-latent',
    `length ${length}; at most ${norm.toFixed(1)}, and ${value.toFixed(1)} for each number`,
  );
}
