import { pack } from 'msgpackr';
import * as v from 'valibot';
import { ownerColor, type Rgb } from '../../../client/style/fragments.ts';
import { clampCentre, contains, coverage, windowAround } from '../../../shared/geometry.ts';
import { HUES, hueOf, lightnessOf } from '../../../shared/hues.ts';
import { chooseLanguage, LANGUAGE_CODES, LANGUAGES } from '../../../shared/languages.ts';
import { packedPointer, packPointer, unpackPointer } from '../../../shared/protocol/pointers.ts';
import { createRandom, hashText } from '../../../shared/random.ts';
import { TOOLS } from '../../../shared/vocabulary.ts';
import fc, { between, forAll, forRuns } from '../../support/property.ts';

const coordinate = between(-20, 60);

test('DMG-1: a stroke covers the places whose centres are within its radius, and those of its points', () => {
  forRuns(
    25,
    fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 5 }),
    between(0.5, 9),
    (pairs, radius) => {
      const points = pairs.flat();
      const rect = { x: 3, y: 5, width: 14, height: 12 };
      const cover = coverage({ points, radius }, rect);
      const wrong: number[][] = [];
      for (let j = 0; j < rect.height; j++)
        for (let i = 0; i < rect.width; i++) {
          const px = rect.x + i + 0.5;
          const py = rect.y + j + 0.5;
          // Sampled along the line: near the rim, either answer may be right.
          let nearest = Infinity;
          for (let k = 0; k < pairs.length; k++) {
            const [ax, ay] = pairs[Math.max(0, k - 1)];
            const [bx, by] = pairs[k];
            for (let s = 0; s <= 200; s++) {
              const t = s / 200;
              nearest = Math.min(
                nearest,
                Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)),
              );
            }
          }
          const holdsPoint = pairs.some(
            ([x, y]) => Math.floor(x) === rect.x + i && Math.floor(y) === rect.y + j,
          );
          const covered = cover?.[j * rect.width + i] === 1;
          const must = holdsPoint || nearest <= radius - 1e-9;
          const mustNot = !holdsPoint && nearest > radius + 0.3;
          if ((must && !covered) || (mustNot && covered)) wrong.push([px, py]);
        }
      expect(wrong).toEqual([]);
    },
  );
});

test('any pointer position is clamped to a centre whose window fits', () => {
  const grid = { width: 100, height: 80 };
  forAll(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (x, y) => {
    const centre = clampCentre(x, y, 32, grid);
    expect(contains({ x: 0, y: 0, ...grid }, windowAround(centre.x, centre.y, 32))).toBe(true);
    expect(Number.isInteger(centre.x) && Number.isInteger(centre.y)).toBe(true);
  });
});

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

test('a code is a language tag that Intl knows', () => {
  for (const code of LANGUAGE_CODES) {
    expect(Intl.getCanonicalLocales(code)).toEqual([code]);
    expect(Intl.PluralRules.supportedLocalesOf(code)).toEqual([code]);
    expect(LANGUAGES[code].name).toBe(LANGUAGES[code].name.normalize().trim());
  }
});

test.each([
  [['da'], 'da'],
  [['fr-CA', 'de-AT', 'en'], 'de'],
  [[null, undefined, 'ja-JP'], 'ja'],
  [['ES_mx'], 'es'],
  [['zh-Hant-TW', 'de-Latn-AT'], 'de'],
  [['en-GB', 'da'], 'en'],
  [['tlh', ''], 'en'],
  [['constructor', '__proto__', 'da'], 'da'],
  [[], 'en'],
] as const)('%j chooses %s', (preferred, language) => {
  expect(chooseLanguage(preferred)).toBe(language);
});

const id = fc.integer({ min: 1, max: 2 ** 31 });
const place = fc.double({ noNaN: true, noDefaultInfinity: true });
const tool = fc.constantFrom(...TOOLS);

test('positions are exact to a sixteenth of a place', () => {
  const near = between(-100, 10_000);
  forAll(id, near, near, tool, (id, x, y, tool) => {
    const told = unpackPointer(packPointer({ id, x, y, tool }));
    expect(told).toMatchObject({ id, tool });
    expect(Math.abs(told.x! - x)).toBeLessThanOrEqual(1 / 16);
    expect(Math.abs(told.y! - y)).toBeLessThanOrEqual(1 / 16);
  });
});

test('a pointer that has left the grid has no position', () => {
  expect(unpackPointer(packPointer({ id: 7, tool: 'plant' }))).toEqual({ id: 7, tool: 'look' });
});

test('any position is valid, and takes 12 bytes on a grid', () => {
  forAll(id, place, place, tool, (id, x, y, tool) => {
    expect(v.is(packedPointer, packPointer({ id, x, y, tool }))).toBe(true);
  });
  expect(pack(packPointer({ id: 999, x: 255.9, y: 255.9, tool: 'look' })).length).toBeLessThan(13);
});

test.each([[[]], [[1, 2]], [[1, 2, 3, 9]], [[1, 2.5, 3, 0]], [['1']]])(
  '%j is not valid',
  (packed) => {
    expect(v.is(packedPointer, packed)).toBe(false);
  },
);

test('a fixed sequence, so that journals written today replay tomorrow', () => {
  const random = createRandom(1);
  const first = [random.uniform(), random.uniform(), random.normal(), random.integer(1000)];
  expect(first).toEqual([0.7822727714665234, 0.27532708551734686, -0.7279637576879239, 12]);
});

test('normals have mean 0 and variance 1, uniforms mean 1/2', () => {
  const random = createRandom(3);
  const n = 50_000;
  const normals = Float64Array.from({ length: n }, random.normal);
  const mean = normals.reduce((a, b) => a + b) / n;
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  const uniform = Float64Array.from({ length: n }, random.uniform).reduce((a, b) => a + b) / n;
  // Five standard errors of each estimate.
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  expect(Math.abs(uniform - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
});

test('names have different hashes', () => {
  const names = Array.from({ length: 2_000 }, (_, i) => `1/room-${i}`);
  expect(new Set(names.map(hashText)).size).toBe(names.length);
});
