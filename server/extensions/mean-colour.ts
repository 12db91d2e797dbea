/** Summarises what a room looks like. */
import type { Planes } from '../../shared/codec/planes.ts';

/** The mean colour of the owned places, and their share of all places; 0…1 each. */
export function meanColour({ rgba, owner }: Pick<Planes, 'rgba' | 'owner'>): {
  readonly colour: readonly [number, number, number];
  readonly living: number;
} {
  let red = 0;
  let green = 0;
  let blue = 0;
  let alpha = 0;
  let places = 0;
  for (let place = 0; place < owner.length; place++) {
    if (owner[place] === 0) continue;
    const offset = 4 * place;
    places++;
    // Colours are premultiplied, hence the division by the sum of alphas below.
    red += rgba[offset];
    green += rgba[offset + 1];
    blue += rgba[offset + 2];
    alpha += rgba[offset + 3];
  }
  const share = (sum: number): number => (alpha === 0 ? 0 : Math.min(1, sum / alpha));
  return { colour: [share(red), share(green), share(blue)], living: places / owner.length };
}
