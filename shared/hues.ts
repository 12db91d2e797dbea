/**
 * The colours of participants, as OKLCH hues. Eight colours as distinct as possible, also with
 * protanopia, deuteranopia and tritanopia. Hue alone cannot achieve that, so lightness varies with
 * it.
 */

/** The first few are the most distinct. */
export const HUES = [6, 148, 278, 236, 59, 324, 186, 103] as const;

/** OKLCH chroma of a participant's colour. */
export const OWNER_CHROMA = 0.12;

/** OKLCH lightness that goes with a hue, 0.7…0.9: greens are the lightest, purples the darkest. */
export function lightnessOf(hue: number): number {
  return 0.8 + 0.1 * Math.cos(((hue - 160) * Math.PI) / 180);
}

/** A participant's hue. Consecutive participants get different ones. The host, 0, has one too. */
export function hueOf(participant: number): number {
  return HUES[(participant + HUES.length - 1) % HUES.length];
}
