/** A drawing as the strokes that it is made of, so that each can be taken back. Places are 0…1 of the sheet's side. */

export interface Line {
  /** CSS colour. */
  readonly colour: string;
  /** Share of the sheet's side. */
  readonly width: number;
  /** x, y, x, y, … */
  readonly points: readonly number[];
}

/** Most points a drawing has; more is scribbling. */
const MAX_POINTS = 20_000;
/** Nearer points say nothing new. */
const STEP = 0.004;

export class Drawing {
  private done: Line[] = [];
  private current: Line | undefined;

  /** All lines, the one that is being drawn last. */
  get lines(): readonly Line[] {
    return this.current ? [...this.done, this.current] : this.done;
  }

  get isEmpty(): boolean {
    return this.lines.length === 0;
  }

  begin(colour: string, width: number, x: number, y: number): void {
    this.end();
    this.current = { colour, width, points: [x, y] };
  }

  move(x: number, y: number): void {
    const { current } = this;
    if (!current || this.size > MAX_POINTS) return;
    const [px, py] = current.points.slice(-2);
    if (Math.hypot(x - px, y - py) < STEP) return;
    this.current = { ...current, points: [...current.points, x, y] };
  }

  end(): void {
    if (this.current) this.done.push(this.current);
    this.current = undefined;
  }

  /** Takes the last line back. */
  undo(): void {
    this.end();
    this.done.pop();
  }

  clear(): void {
    this.done = [];
    this.current = undefined;
  }

  private get size(): number {
    return this.lines.reduce((sum, { points }) => sum + points.length / 2, 0);
  }
}

/** Draws lines on a square canvas, smooth where the finger was quick. */
export function paint(
  context: CanvasRenderingContext2D,
  lines: readonly Line[],
  side: number,
): void {
  context.clearRect(0, 0, side, side);
  context.lineCap = context.lineJoin = 'round';
  for (const { colour, width, points } of lines) {
    const at = (i: number): [number, number] => [points[2 * i] * side, points[2 * i + 1] * side];
    const count = points.length / 2;
    context.strokeStyle = colour;
    context.lineWidth = width * side;
    context.beginPath();
    context.moveTo(...at(0));
    // A dot is a line that goes nowhere.
    if (count === 1) context.lineTo(...at(0));
    for (let i = 1; i < count - 1; i++) {
      const [x, y] = at(i);
      const [nx, ny] = at(i + 1);
      context.quadraticCurveTo(x, y, (x + nx) / 2, (y + ny) / 2);
    }
    if (count > 1) context.lineTo(...at(count - 1));
    context.stroke();
  }
}
