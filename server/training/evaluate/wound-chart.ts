/** Draws wounds.png, the chart of recovery from wounds. */
import { SHEET_COLOURS } from '../pictures/sheet.ts';
import type { Figures } from './evaluate.ts';
import { HEALING_STEPS, type Recovery } from './recovery.ts';

/** Layout of wounds.png, in pixels: a panel's plot area (`FIELD`), and the margins. */
const FIELD = { width: 420, height: 280 };
const LEFT = 64;
const TOP = 72;
const BETWEEN = 48;
const BOTTOM = 96;
const RIGHT = 32;
/**
 * RGB colours of the curves for small, medium and large wounds. Colours in between are
 * interpolated.
 */
const SCALE = [
  [104, 190, 214],
  [236, 208, 116],
  [238, 98, 84],
];
const FONT = 13;

const colour = (rgb: readonly number[]): string => `rgb(${rgb.map(Math.round)})`;
const INK = colour(SHEET_COLOURS.ink);
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/**
 * Draws wounds.png, a chart of the share of healed organisms by the number of steps after a wound.
 * An organism is healed if its mean squared difference from its picture before the wound is below
 * 0.002 (solid curves) or 0.01 (dashed curves). In the left panel, wounded cells may live again
 * immediately. In the right panel, wounds close from their rim.
 *
 * @param closing speed at which wounds close from their rim, in cells per step
 * @returns a PNG file
 */
export async function drawWoundChart(
  { heal, healFromRim, organisms }: Figures,
  closing: number,
): Promise<Buffer> {
  const sizes = Object.keys(heal).sort((a, b) => Number(a) - Number(b));
  const scale = sizes.map((_, i) => {
    const at = sizes.length > 1 ? (2 * i) / (sizes.length - 1) : 0;
    const [from, to] = at < 1 ? SCALE : SCALE.slice(1);
    return colour(from.map((x, c) => x + (at % 1 || Math.floor(at / 2)) * (to[c] - x)));
  });
  const curves = sizes.flatMap((size) => [heal[size], healFromRim[size]]);
  const last = Math.max(...curves.flatMap((curve) => Object.keys(curve).map(Number)));
  const panel = (left: number, title: string, by: Readonly<Record<string, Recovery>>): string => {
    const at = (steps: number, share: number): readonly [x: number, y: number] => [
      left + (steps / last) * FIELD.width,
      TOP + (1 - share) * FIELD.height,
    ];
    const line = (curve: Recovery, key: 'share' | 'strict', stroke: string): string => {
      const points = Object.entries(curve)
        .map(([steps, found]) => ({ steps: Number(steps), share: found[key] }))
        .sort((a, b) => a.steps - b.steps)
        .map(({ steps, share }) =>
          at(steps, share)
            .map((x) => x.toFixed(1))
            .join(),
        );
      const dash = key === 'share' ? ' stroke-dasharray="3 4"' : '';
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${stroke}" stroke-width="2"${dash}/>`;
    };
    const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
      const [x, y] = at(0, share);
      return `<path d="M${x} ${y}h${FIELD.width}" stroke="${INK}" stroke-opacity="0.25"/>
        <text x="${x - 8}" y="${y + 4}" text-anchor="end">${percent(share)}</text>`;
    });
    // On the axis, label only multiples of 8. Labels at 0, 4 and 8 would be too close together.
    const marks = HEALING_STEPS.filter((steps) => steps % 8 === 0).map((steps) => {
      const [x, y] = at(steps, 0);
      return `<text x="${x}" y="${y + 20}" text-anchor="middle">${steps}</text>`;
    });
    const [middle, under] = at(last / 2, 0);
    return `<rect x="${left}" y="${TOP}" width="${FIELD.width}" height="${FIELD.height}" fill="${colour(SHEET_COLOURS.field)}"/>
      <text x="${left}" y="${TOP - 16}" font-size="${FONT + 2}" fill="#fff">${title}</text>
      ${grid.join('')}${marks.join('')}
      <text x="${middle}" y="${under + 40}" text-anchor="middle">steps after the wound</text>
      ${sizes.map((size, i) => line(by[size], 'share', scale[i]) + line(by[size], 'strict', scale[i])).join('')}`;
  };
  const width = LEFT + 2 * FIELD.width + BETWEEN + LEFT + RIGHT;
  const height = TOP + FIELD.height + BOTTOM;
  const legend = sizes.map((size, i) => {
    const x = LEFT + i * 96;
    return `<rect x="${x}" y="${height - 30}" width="16" height="4" fill="${scale[i]}"/>
      <text x="${x + 22}" y="${height - 24}">${percent(Number(size))}</text>`;
  });
  const rim = `from the rim, ${closing} ${closing === 1 ? 'cell' : 'cells'} a step`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${FONT}" fill="${INK}">
    <rect width="100%" height="100%" fill="${colour(SHEET_COLOURS.ground)}"/>
    <text x="${LEFT}" y="24" fill="#fff" font-size="${FONT + 3}">Share of ${organisms} organisms that look as before the wound, by the share of the patch that is lost</text>
    ${panel(LEFT, 'all lost cells may live again immediately', heal)}
    ${panel(LEFT + FIELD.width + BETWEEN + LEFT - 16, rim, healFromRim)}
    ${legend.join('')}
    <text x="${width - RIGHT}" y="${height - 24}" text-anchor="end">full: error below 0.002; dashed: below 0.01</text>
  </svg>`;
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer();
}
