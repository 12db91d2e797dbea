/**
 * A drawing as a list of lines, which can be undone one by one. Coordinates and widths are shares
 * of the square pad's side (0 to 1).
 */
import { msg } from '@lit/localize';
import type { SeedView } from '../../../shared/vocabulary.ts';

export interface Line {
  /** Colour of the line, in CSS syntax. */
  readonly colour: string;
  /** Width of the line, as a share of the pad's side. */
  readonly width: number;
  /** Coordinates of the line's points: x, y, x, y, … */
  readonly points: number[];
}

const MAX_POINTS = 20_000;
/** Minimum distance between two consecutive points of a line, as a share of the pad's side. */
const STEP = 0.004;

export class Drawing {
  /** All lines, in the order in which they were begun. */
  readonly lines: Line[] = [];
  /**
   * The seed that the server made from the drawing, if any, and the lines that were sent for this
   * seed.
   */
  seed: SeedView | undefined;
  sent: readonly Line[] = [];
  private current: Line | undefined;

  /** Ends the current line and begins a new one. */
  begin(colour: string, width: number, x: number, y: number): void {
    this.current = { colour, width, points: [x, y] };
    this.lines.push(this.current);
  }

  /** Adds a point to the current line, if there is one. */
  move(x: number, y: number): void {
    const { points } = this.current ?? {};
    if (!points || this.size > MAX_POINTS) return;
    const [px, py] = points.slice(-2);
    if (Math.hypot(x - px, y - py) >= STEP) points.push(x, y);
  }

  end(): void {
    this.current = undefined;
  }

  undo(): void {
    this.end();
    this.lines.pop();
  }

  clear(): void {
    this.end();
    this.lines.length = 0;
  }

  private get size(): number {
    return this.lines.reduce((sum, { points }) => sum + points.length / 2, 0);
  }
}

/** Draws lines as smooth curves on a square canvas. @param side side of the canvas, in pixels */
export function paint(
  context: CanvasRenderingContext2D,
  lines: readonly Line[],
  side: number,
): void {
  context.clearRect(0, 0, side, side);
  context.lineCap = context.lineJoin = 'round';
  for (const { colour, width, points } of lines) {
    const pointAt = (i: number): [number, number] => [
      points[2 * i] * side,
      points[2 * i + 1] * side,
    ];
    const count = points.length / 2;
    context.strokeStyle = colour;
    context.lineWidth = width * side;
    context.beginPath();
    context.moveTo(...pointAt(0));
    // Give a single point a line of length zero, whose round caps draw a dot.
    if (count === 1) context.lineTo(...pointAt(0));
    for (let i = 1; i < count - 1; i++) {
      const [x, y] = pointAt(i);
      const [nx, ny] = pointAt(i + 1);
      context.quadraticCurveTo(x, y, (x + nx) / 2, (y + ny) / 2);
    }
    if (count > 1) context.lineTo(...pointAt(count - 1));
    context.stroke();
  }
}

/** A square picture. `data` contains [side, side, channels] values from 0 to 1. */
export interface Sheet {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** Minimum value of the last channel (ink or alpha) at which a pixel counts as drawn, 0 to 1. */
const FAINT = 0.02;
/**
 * In MNIST, a data set of handwritten digits, a digit fills a box of 20×20 pixels in a picture of
 * 28×28 pixels. Pictures larger than 28×28 also use a box of 20×20 pixels. Smaller pictures use a
 * proportionally smaller box.
 */
const DIGIT = { box: 20, side: 28 };
/** Width of the empty margin around a creature's picture, in pixels. */
const MARGIN = 1;

/**
 * Computes the bounding box and the centre of mass of the last channel of a picture, which is ink
 * or alpha.
 *
 * @returns the box and the centre, in pixels; undefined if nothing is drawn
 */
function extentOf({ side, channels, data }: Sheet) {
  let [left, top, right, bottom] = [side, side, 0, 0];
  let [mass, mx, my] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = data[(y * side + x) * channels + channels - 1];
      mass += value;
      mx += value * (x + 0.5);
      my += value * (y + 0.5);
      if (value < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  const longest = Math.max(right - left, bottom - top);
  const massCentre = { x: mx / mass, y: my / mass };
  return right > left ? { left, top, right, bottom, longest, massCentre } : undefined;
}

/**
 * Scales a picture, and moves its point `centre` to the middle of the new picture. Each new pixel
 * is the area-weighted average of the old pixels under it.
 *
 * @param side side length of the new picture, in pixels
 * @returns the new picture, [side, side, channels]
 */
function scaled(from: Sheet, scale: number, centre: { x: number; y: number }, side: number) {
  const { channels } = from;
  const data = new Float32Array(side * side * channels);
  const overlaps = (pixel: number, middle: number): { to: number; share: number }[] => {
    const [low, high] = [pixel, pixel + 1].map((edge) => (edge - middle) * scale + side / 2);
    const found: { to: number; share: number }[] = [];
    for (let to = Math.max(0, Math.floor(low)); to < Math.min(side, high); to++) {
      const share = Math.min(high, to + 1) - Math.max(low, to);
      if (share > 0) found.push({ to, share });
    }
    return found;
  };
  const columns = Array.from({ length: from.side }, (_, x) => overlaps(x, centre.x));
  for (let y = 0; y < from.side; y++) {
    const rows = overlaps(y, centre.y);
    for (let x = 0; x < from.side; x++) {
      const source = (y * from.side + x) * channels;
      if (from.data[source + channels - 1] === 0) continue;
      for (const row of rows) {
        for (const column of columns[x]) {
          const to = (row.to * side + column.to) * channels;
          const share = row.share * column.share;
          for (let c = 0; c < channels; c++) data[to + c] += share * from.data[source + c];
        }
      }
    }
  }
  return { side, channels, data };
}

/**
 * Converts a drawing to a picture like those with which the model was trained. Coloured drawings
 * are centred and made as large as possible. Ink is scaled to the box of MNIST digits (see
 * `DIGIT`), and its centre of mass is moved to the middle.
 *
 * @param sheet ink (one channel), or premultiplied RGBA
 * @param side width and height of the result, in pixels
 * @returns [side, side, channels] bytes; undefined if nothing is drawn
 */
export function normalise(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = extentOf(sheet);
  if (!box) return undefined;
  const { left, top, right, bottom, longest, massCentre } = box;
  const isInk = sheet.channels === 1;
  const inkSide = side >= DIGIT.side ? DIGIT.box : (side * DIGIT.box) / DIGIT.side;
  const scale = (isInk ? inkSide : side - 2 * MARGIN) / longest;
  // Centre ink as in MNIST, where digits are moved by whole pixels (rounded up).
  const aligned = (mass: number, edge: number): number => {
    const edgeAt = Math.ceil(side / 2 - (mass - edge) * scale);
    return edge + (side / 2 - edgeAt) / scale;
  };
  const centre = isInk
    ? { x: aligned(massCentre.x, left), y: aligned(massCentre.y, top) }
    : { x: (left + right) / 2, y: (top + bottom) / 2 };
  const { data } = scaled(sheet, scale, centre, side);
  return Uint8Array.from(data, (value) => Math.max(0, Math.min(255, Math.round(value * 255))));
}

/** Line widths as shares of the pad's side. */
export const WIDTHS = {
  fine: { share: 1 / 28, label: () => msg('fine') },
  medium: { share: 1 / 11, label: () => msg('medium') },
  thick: { share: 1 / 5, label: () => msg('thick') },
} as const;
export type Width = keyof typeof WIDTHS;

/**
 * The pen's colour for checkpoints that were trained with handwritten digits. Drawings for these
 * checkpoints have no colours.
 */
export const INK = '#ffffff';
/** The pen's colours for all other checkpoints: colours common among the gallery's creatures. */
export const COLOURS = {
  black: { css: '#2f2f35', label: () => msg('black') },
  brown: { css: '#8a5a3b', label: () => msg('brown') },
  red: { css: '#e23b32', label: () => msg('red') },
  orange: { css: '#f78b1f', label: () => msg('orange') },
  yellow: { css: '#fcd232', label: () => msg('yellow') },
  green: { css: '#5fae3a', label: () => msg('green') },
  blue: { css: '#3ea6e8', label: () => msg('blue') },
  purple: { css: '#9356c4', label: () => msg('purple') },
  pink: { css: '#f49ab9', label: () => msg('pink') },
  white: { css: '#f7f4ee', label: () => msg('white') },
} as const;
export type Colour = keyof typeof COLOURS;
