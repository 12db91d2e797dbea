/** The latent map: what grows between the creatures around a place of it. */
import type { Species } from './species.ts';

/** Creatures that have a say in what grows at a place. */
const NEIGHBOURS = 4;

interface Spot {
  readonly x: number;
  readonly y: number;
}

/**
 * The latent at a place of the map: the mean of the nearest few, weighted by inverse distance (Shepard 1968; by Franke and
 * Little's weights, which fall to nothing where another becomes one of the nearest, so that nothing jumps), as long as they are
 * in the mean. On a creature's own place it is that creature.
 *
 * @param spot 0…1 each
 * @returns [Z]; undefined where there is no map
 */
export function latentOnMap(
  { map, gallery, latentSize }: Pick<Species, 'map' | 'gallery' | 'latentSize'>,
  { x, y }: Spot,
): Float32Array | undefined {
  if (!map || map.length === 0) return undefined;
  const nearest = map
    .map((place, index) => ({ index, distance: Math.hypot(place.x - x, place.y - y) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index);
  if (nearest[0].distance < 1e-9) return gallery[nearest[0].index].latent;
  const reach = nearest[NEIGHBOURS]?.distance ?? Infinity;
  const weights = nearest
    .slice(0, NEIGHBOURS)
    .map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const latent = new Float32Array(latentSize);
  let length = 0;
  weights.forEach((weight, i) => {
    const { index } = nearest[i];
    const share = weight / total;
    const one = gallery[index].latent;
    length += share * Math.hypot(...one);
    for (let c = 0; c < latentSize; c++) latent[c] += share * one[c];
  });
  // Plain averaging pulls towards the average creature, which is a grey blot.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
