import { ownerColor, type Rgb } from '../../../client/style/fragments.ts';
import { HUES, hueOf, lightnessOf } from '../../../shared/hues.ts';

/**
 * Linear RGB as seen without one kind of cones: Machado, Oliveira and Fernandes 2009, severity 1
 * (https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html).
 */
const SIGHTS = {
  'all cones': [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [
    ...[0.152286, 1.052583, -0.204868],
    ...[0.114503, 0.786281, 0.099216],
    ...[-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    ...[0.367322, 0.860646, -0.227968],
    ...[0.280085, 0.672501, 0.047413],
    ...[-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    ...[1.255528, -0.076749, -0.178779],
    ...[-0.078411, 0.930809, 0.147602],
    ...[0.004733, 0.691367, 0.3039],
  ],
} as const;

/** OKLab distance. About 0.02 is just noticeable side by side; these are not side by side. */
const APART = 0.065;

const linear = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

/** OKLab of an sRGB colour as seen: Björn Ottosson, https://bottosson.github.io/posts/oklab/ */
function seen(color: Rgb, sight: readonly number[]): [number, number, number] {
  const [r, g, b] = color.map(linear);
  const [R, G, B] = [0, 3, 6].map((row) =>
    Math.min(1, Math.max(0, sight[row] * r + sight[row + 1] * g + sight[row + 2] * b)),
  );
  const l = Math.cbrt(0.4122214708 * R + 0.5363325363 * G + 0.0514459929 * B);
  const m = Math.cbrt(0.2119034982 * R + 0.6806995451 * G + 0.1073969566 * B);
  const s = Math.cbrt(0.0883024619 * R + 0.2817188376 * G + 0.6299787005 * B);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function nearest(colors: readonly Rgb[], sight: readonly number[]): number {
  const all = colors.map((color) => seen(color, sight));
  return Math.min(
    ...all.flatMap((a, i) =>
      all.slice(i + 1).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])),
    ),
  );
}

test.each(Object.entries(SIGHTS))('eight participants have distinct colours: %s', (_, sight) => {
  expect(nearest(HUES.map(ownerColor), sight)).toBeGreaterThan(APART);
});

test('consecutive participants have different hues, all bright enough for a dark background', () => {
  for (let first = 1; first < 30; first++) {
    const hues = HUES.map((_, i) => hueOf(first + i));
    expect(new Set(hues).size).toBe(HUES.length);
  }
  for (const hue of HUES) {
    expect(lightnessOf(hue)).toBeGreaterThanOrEqual(0.7);
    expect(lightnessOf(hue)).toBeLessThanOrEqual(0.9);
  }
});
