/** Interpolates latents on the latent map. */
import { type MapPoint, weightsAt } from '../../shared/latent-map.ts';
import type { Species } from './species.ts';

/**
 * The latent at a point of the map: the weighted mean of the nearby creatures' latents, scaled to
 * their mean length. At a creature's own point it is that creature's latent.
 *
 * @param point.whole of the map of the whole gallery, not of the featured creatures
 * @returns [Z]; undefined without a map
 */
export function latentOnMap(
  species: Pick<Species, 'map' | 'wholeMap' | 'gallery' | 'latentSize'>,
  point: MapPoint & { readonly whole?: boolean | undefined },
): Float32Array | undefined {
  const { gallery, latentSize } = species;
  const map = point.whole ? species.wholeMap : species.map;
  if (!map || map.length === 0) return undefined;
  const weights = weightsAt(map, point);
  if (weights.length === 1) return gallery[weights[0].index].latent;
  const latent = new Float32Array(latentSize);
  let length = 0;
  for (const { index, share } of weights) {
    const neighbour = gallery[index].latent;
    length += share * Math.hypot(...neighbour);
    for (let c = 0; c < latentSize; c++) latent[c] += share * neighbour[c];
  }
  // The plain mean is shorter, near the average creature, which is a grey blot.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
