/** What a room looks like in one number or two. */
import type { Planes } from '../../shared/codec/planes.ts';

/** @returns mean colour of the living places and their share of all, 0…1 each */
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
    const at = 4 * place;
    places++;
    // Colours are premultiplied: by the sum of their alphas they are what one sees of the living.
    red += rgba[at];
    green += rgba[at + 1];
    blue += rgba[at + 2];
    alpha += rgba[at + 3];
  }
  const share = (sum: number): number => (alpha === 0 ? 0 : Math.min(1, sum / alpha));
  return { colour: [share(red), share(green), share(blue)], living: places / owner.length };
}
