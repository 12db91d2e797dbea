/** The legend of a family tree, on the screen and in print. */
import { msg } from '@lit/localize';
import { DUST, dot, line, type TreeInk, type TreeScene } from '../family-tree/paint.ts';
import { FONTS } from '../style/fragments.ts';

/**
 * Draws the legend in one line.
 *
 * @param x start of the line: its left end, or its right end if time runs from right to left
 * @param y middle of the line
 */
export function paintLegend(
  to: CanvasRenderingContext2D,
  { camera: { forward }, ink, textSize: size }: Pick<TreeScene, 'camera' | 'ink' | 'textSize'>,
  x: number,
  y: number,
): void {
  let at = 0;
  to.font = `400 ${size}px ${FONTS}`;
  to.textAlign = 'start';
  to.direction = forward > 0 ? 'ltr' : 'rtl';
  to.textBaseline = 'middle';
  for (const [sign, text] of signs(ink, size)) {
    const end = x + forward * (at + 2.2 * size);
    to.lineCap = 'round';
    to.lineWidth = 0.13 * size;
    to.strokeStyle = ink.soft;
    to.fillStyle = ink.soft;
    sign(to, x + forward * at, end, y, forward);
    to.fillStyle = ink.soft;
    to.fillText(text, x + forward * (at + 3 * size), y);
    at += 3 * size + to.measureText(text).width + 2 * size;
  }
}

type Sign = (
  to: CanvasRenderingContext2D,
  from: number,
  end: number,
  y: number,
  forward: number,
) => void;

function signs(ink: TreeInk, size: number): readonly (readonly [Sign, string])[] {
  const life: Sign = (to, from, end, y) => line(to, from, y, end, y);
  const r = 0.32 * size;
  return [
    [
      (to, from, end, y, forward) => {
        life(to, from, end, y, forward);
        dot(to, end, y, 0.24 * size);
      },
      msg('lives'),
    ],
    [
      (to, from, end, y, forward) => {
        life(to, from, end - forward * 0.6 * size, y, forward);
        for (const [dx, dy, radius] of DUST) {
          dot(
            to,
            end + forward * (2.2 * dx - 0.3) * size,
            y + 2.4 * dy * size,
            2.6 * radius * size,
          );
        }
      },
      msg('has left'),
    ],
    [
      (to, from, end, y, forward) => {
        life(to, from, end, y, forward);
        to.strokeStyle = ink.alarm;
        line(to, end - r, y - r, end + r, y + r);
        line(to, end - r, y + r, end + r, y - r);
      },
      msg('died of its wounds'),
    ],
    [
      (to, _, end, y, forward) => {
        to.fillStyle = ink.warm;
        for (const i of [0, 1, 2]) dot(to, end - forward * 0.75 * i * size, y, 0.2 * size);
      },
      msg('wounds healed'),
    ],
  ];
}
