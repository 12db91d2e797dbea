/**
 * The colours of participants. Lightness varies with hue, so that people with colour blindness can
 * tell the colours apart.
 */

/** OKLCH hues in degrees, the most distinct first. */
export const HUES = [6, 148, 278, 236, 59, 324, 186, 103] as const;

/** OKLCH chroma of a participant's colour. */
export const OWNER_CHROMA = 0.12;

/** OKLCH lightness of participants' colours: greens are the lightest, purples the darkest. */
export const OWNER_LIGHTNESS = { mean: 0.8, range: 0.1, lightestHue: 160 } as const;

/** Returns the OKLCH lightness (0…1) for a hue in degrees. */
export function lightnessOf(hue: number): number {
  const { mean, range, lightestHue } = OWNER_LIGHTNESS;
  return mean + range * Math.cos(((hue - lightestHue) * Math.PI) / 180);
}

/**
 * Returns the hue of a participant, in degrees. Participants with consecutive ids get different
 * hues.
 */
export function hueOf(participant: number): number {
  return HUES[(participant + HUES.length - 1) % HUES.length];
}

export const COLOUR_RANGES = ['red', 'orange', 'yellow', 'green', 'blue', 'grey'] as const;
export type ColourRange = (typeof COLOUR_RANGES)[number];

/**
 * OKLCH hue, in degrees, at which each colour range ends. A range begins where the previous one
 * ends. Red is listed twice, because it lies on both sides of 0°.
 */
const HUE_ENDS: readonly (readonly [end: number, range: ColourRange])[] = [
  [40, 'red'],
  [70, 'orange'],
  [105, 'yellow'],
  [170, 'green'],
  [325, 'blue'],
  [360, 'red'],
];
/** OKLCH chroma below which a colour counts as grey. */
const LEAST_CHROMA = 0.045;

/** Returns the colour range of a colour. @param rgb sRGB, each value 0…1 */
export function colourRange(rgb: readonly [number, number, number]): ColourRange {
  const { chroma, hue } = toOklch(rgb);
  if (chroma < LEAST_CHROMA) return 'grey';
  return HUE_ENDS.find(([end]) => hue < end)?.[1] ?? 'red';
}

/**
 * Computes the mean colour of some cells.
 *
 * @param rgba [cells, 4] premultiplied colours
 * @param places indices of the cells to average
 * @returns sRGB, each value 0…1; undefined if all of these cells are transparent
 */
export function meanColourAt(
  rgba: Uint8Array,
  places: Iterable<number>,
): [red: number, green: number, blue: number] | undefined {
  let [red, green, blue, alpha] = [0, 0, 0, 0];
  for (const place of places) {
    red += rgba[4 * place];
    green += rgba[4 * place + 1];
    blue += rgba[4 * place + 2];
    alpha += rgba[4 * place + 3];
  }
  if (alpha === 0) return undefined;
  return [red, green, blue].map((sum) => Math.min(1, sum / alpha)) as [number, number, number];
}

const linear = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

/** Converts sRGB to OKLCH (Ottosson 2020, "A perceptual color space for image processing"). */
function toOklch(rgb: readonly [number, number, number]) {
  const [r, g, b] = rgb.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const greenRed = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const blueYellow = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  const hue = (Math.atan2(blueYellow, greenRed) * 180) / Math.PI;
  return { chroma: Math.hypot(greenRed, blueYellow), hue: (hue + 360) % 360 };
}
