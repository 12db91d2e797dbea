/** What grows between the creatures around a place of the latent map. */
import { type MapPoint, weightsAt } from '../../shared/latent-map.ts';
import type { Species } from './species.ts';

/**
 * The latent at a place of the map: the mean of those that have a say, as long as they are in the mean. On a creature's own place
 * it is that creature.
 *
 * @returns [Z]; undefined where there is no map
 */
export function latentOnMap(
  { map, gallery, latentSize }: Pick<Species, 'map' | 'gallery' | 'latentSize'>,
  spot: MapPoint,
): Float32Array | undefined {
  if (!map || map.length === 0) return undefined;
  const says = weightsAt(map, spot);
  if (says.length === 1) return gallery[says[0].index].latent;
  const latent = new Float32Array(latentSize);
  let length = 0;
  for (const { index, share } of says) {
    const one = gallery[index].latent;
    length += share * Math.hypot(...one);
    for (let c = 0; c < latentSize; c++) latent[c] += share * one[c];
  }
  // Plain averaging pulls towards the average creature, which is a grey blot.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
