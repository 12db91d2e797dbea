/**
 * A drawing as a list of lines that can be undone. Coordinates are shares (0 to 1) of the pad's
 * side.
 */
import { msg } from '@lit/localize';

export interface Line {
  /** Colour of the line, in CSS syntax. */
  readonly colour: string;
  /** Width of the line, as a share of the pad's side. */
  readonly width: number;
  /** Coordinates of the points: x, y, x, y, … */
  readonly points: readonly number[];
}

/** Maximum number of points of a drawing. */
const MAX_POINTS = 20_000;
/** Minimum distance between two points; closer points are dropped. */
const STEP = 0.004;

/** The lines of a drawing, with undo. */
export class Drawing {
  private finished: Line[] = [];
  private current: Line | undefined;

  /** All lines; the line being drawn is last. */
  get lines(): readonly Line[] {
    return this.current ? [...this.finished, this.current] : this.finished;
  }

  /** Ends the current line and begins a new one. */
  begin(colour: string, width: number, x: number, y: number): void {
    this.end();
    this.current = { colour, width, points: [x, y] };
  }

  /** Adds a point to the current line, if there is one. */
  move(x: number, y: number): void {
    const { current } = this;
    if (!current || this.size > MAX_POINTS) return;
    const [px, py] = current.points.slice(-2);
    if (Math.hypot(x - px, y - py) < STEP) return;
    this.current = { ...current, points: [...current.points, x, y] };
  }

  end(): void {
    if (this.current) this.finished.push(this.current);
    this.current = undefined;
  }

  undo(): void {
    this.end();
    this.finished.pop();
  }

  clear(): void {
    this.finished = [];
    this.current = undefined;
  }

  private get size(): number {
    return this.lines.reduce((sum, { points }) => sum + points.length / 2, 0);
  }
}

/** Draws the lines on a square canvas, as curves between points. @param side in pixels */
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
    // A single point is drawn as a line of length zero, which round caps turn into a dot.
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

/** A square picture [side, side, channels]; values from 0 to 1. */
export interface Sheet {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** Pixels whose ink or alpha (0 to 1) is lower count as empty. */
const FAINT = 0.02;
/**
 * MNIST digits fill a box of 20 pixels in a picture of 28. In larger pictures the box stays as
 * large, and in smaller ones it shrinks with the picture.
 */
const DIGIT = { box: 20, side: 28 };
/** Number of empty pixels on each side of a creature. */
const MARGIN = 1;

/**
 * Returns the bounding box of the non-empty pixels and their centre of mass. Both use the last
 * channel (ink or alpha).
 *
 * @returns undefined if nothing is drawn
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
 * Scales a picture and moves `centre` to the middle. Each new pixel is the area average of the old
 * pixels that it covers.
 *
 * @returns [side, side, channels]
 */
function scaled(from: Sheet, scale: number, centre: { x: number; y: number }, side: number): Sheet {
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
 * Normalises ink like MNIST: scaled into a 20×20 box of a 28×28 picture, with the centre of mass in
 * the middle.
 *
 * @param sheet ink, one channel
 * @param side width and height of the result, in pixels
 * @returns [side, side] bytes; undefined if nothing is drawn
 */
export function normaliseInk(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = extentOf(sheet);
  if (!box) return undefined;
  const boxSide = side >= DIGIT.side ? DIGIT.box : (side * DIGIT.box) / DIGIT.side;
  const scale = boxSide / box.longest;
  // MNIST shifts digits by whole pixels. The centre of mass is therefore up to one pixel below and
  // to the right of the picture's middle.
  const aligned = (mass: number, edge: number): number => {
    const edgeAt = Math.ceil(side / 2 - (mass - edge) * scale);
    return edge + (side / 2 - edgeAt) / scale;
  };
  const centre = { x: aligned(box.massCentre.x, box.left), y: aligned(box.massCentre.y, box.top) };
  return toBytes(scaled(sheet, scale, centre, side));
}

/**
 * Normalises a colour drawing like the gallery's creatures: centred and as large as fits.
 *
 * @param sheet premultiplied RGBA
 * @param side width and height of the result, in pixels
 * @returns [side, side, 4] bytes, premultiplied; undefined if nothing is drawn
 */
export function normaliseColour(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = extentOf(sheet);
  if (!box) return undefined;
  const scale = (side - 2 * MARGIN) / box.longest;
  const centre = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  return toBytes(scaled(sheet, scale, centre, side));
}

function toBytes({ data }: Sheet): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data, (value) => Math.max(0, Math.min(255, Math.round(value * 255))));
}

/** Line widths as shares of the pad's side. */
export const WIDTHS = {
  fine: { share: 1 / 28, label: () => msg('fine') },
  medium: { share: 1 / 11, label: () => msg('medium') },
  thick: { share: 1 / 5, label: () => msg('thick') },
} as const;
export type Width = keyof typeof WIDTHS;

/** The colour of ink, for checkpoints that read digits. */
export const INK = '#ffffff';
/** Colours that are common among the gallery's creatures. */
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
