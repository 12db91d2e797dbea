/**
 * The colours of participants, as OKLCH hues: as far apart as eight can be for everybody, also for those who see no red, no
 * green or no blue (protanopia, deuteranopia, tritanopia). Hue alone cannot do that, so lightness goes along with it.
 */

/** The first few are the farthest from each other. */
export const HUES = [6, 148, 278, 236, 59, 324, 186, 103] as const;

/** OKLCH chroma of a participant's colour. */
export const OWNER_CHROMA = 0.12;

/** OKLCH lightness that goes with a hue, 0.7…0.9: greens are the lightest, purples the darkest. */
export function lightnessOf(hue: number): number {
  return 0.8 + 0.1 * Math.cos(((hue - 160) * Math.PI) / 180);
}

/** A participant's hue: those who come one after another get different ones, and all come round. The house, 0, has one too. */
export function hueOf(participant: number): number {
  return HUES[(participant + HUES.length - 1) % HUES.length];
}
