/** A drawing as a list of lines that can be undone. Coordinates are shares (0…1) of the side. */

/** One line of a drawing. */
export interface Line {
  /** CSS colour. */
  readonly colour: string;
  /** Share of the pad's side. */
  readonly width: number;
  /** x, y, x, y, … */
  readonly points: readonly number[];
}

/** Limit on the points of a drawing. */
const MAX_POINTS = 20_000;
/** Least distance between two points; closer ones are dropped. */
const STEP = 0.004;

/** The lines of a drawing, with undo. */
export class Drawing {
  private finished: Line[] = [];
  private current: Line | undefined;

  /** All lines; the one being drawn is last. */
  get lines(): readonly Line[] {
    return this.current ? [...this.finished, this.current] : this.finished;
  }

  /** Begins a line; ends the current one first. */
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

  /** Ends the current line. */
  end(): void {
    if (this.current) this.finished.push(this.current);
    this.current = undefined;
  }

  /** Removes the last line. */
  undo(): void {
    this.end();
    this.finished.pop();
  }

  /** Removes all lines. */
  clear(): void {
    this.finished = [];
    this.current = undefined;
  }

  private get size(): number {
    return this.lines.reduce((sum, { points }) => sum + points.length / 2, 0);
  }
}

/** Draws the lines on a square canvas, as curves between points. @param side pixels */
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
    // A single point is drawn as a line of length zero, which round caps make a dot.
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
