/** The light of the room, which depends on the hour and the season that the server sends. */
import type { Sky } from '../../shared/vocabulary.ts';

/**
 * [LIGHTS, 3] Colours of deep water, shallow water, light rays, and the glow around organisms, in
 * sRGB. Values are from 0 to 1; the glow may be brighter.
 */
export type Light = Float32Array;
export const LIGHTS = 4;

type Colour = readonly [number, number, number];
type Row = readonly [at: number, ...colours: Colour[]];

/**
 * The light at some hours of the day, interpolated in between. Each row contains the hour and the
 * colours of deep water, shallow water, light rays and glow. The last row repeats the first.
 */
const HOURS: readonly Row[] = [
  [0, [0.012, 0.024, 0.062], [0.038, 0.088, 0.172], [0.06, 0.11, 0.17], [1, 1, 1.1]],
  [5, [0.018, 0.034, 0.075], [0.06, 0.11, 0.2], [0.08, 0.12, 0.18], [0.95, 0.95, 1]],
  [7.5, [0.04, 0.06, 0.13], [0.25, 0.24, 0.34], [0.3, 0.21, 0.2], [0.7, 0.68, 0.66]],
  [11, [0.01, 0.078, 0.14], [0.085, 0.315, 0.37], [0.23, 0.32, 0.29], [0.5, 0.52, 0.52]],
  [15, [0.012, 0.08, 0.135], [0.1, 0.315, 0.35], [0.26, 0.31, 0.26], [0.52, 0.52, 0.5]],
  [18.5, [0.045, 0.05, 0.14], [0.26, 0.2, 0.33], [0.32, 0.2, 0.18], [0.75, 0.68, 0.66]],
  [21, [0.016, 0.034, 0.085], [0.066, 0.12, 0.225], [0.08, 0.11, 0.18], [0.95, 0.95, 1]],
  [24, [0.012, 0.024, 0.062], [0.038, 0.088, 0.172], [0.06, 0.11, 0.17], [1, 1, 1.1]],
];

/**
 * The tint of the light in the middle of winter, spring, summer and autumn, interpolated in
 * between. Each row begins with the month. The last row repeats the first.
 */
const SEASONS: readonly Row[] = [
  [0, [0.88, 0.96, 1.12]],
  [3, [0.92, 1.06, 0.94]],
  [6, [1, 1.03, 1]],
  [9, [1.1, 0.98, 0.93]],
  [12, [0.88, 0.96, 1.12]],
];

/** Interpolates linearly between the two rows around `at`. */
function between(rows: readonly Row[], at: number): number[] {
  const i = Math.max(
    1,
    rows.findIndex(([from]) => from > at),
  );
  const [[from, ...before], [to, ...after]] = [rows[i - 1], rows[i]];
  const share = (at - from) / (to - from);
  const [a, b] = [before.flat(), after.flat()];
  return a.map((value, j) => value + (b[j] - value) * share);
}

let shown: { readonly sky: Sky; readonly light: Light } | undefined;

/** Returns the light for a season (month) and an hour. */
export function lightOf(sky: Sky): Light {
  if (shown?.sky === sky) return shown.light;
  const [season, hour] = sky;
  const [tint, colours] = [between(SEASONS, season), between(HOURS, hour)];
  const light = Float32Array.from(colours, (value, i) => (i < 9 ? value * tint[i % 3] : value));
  shown = { sky, light };
  return light;
}
