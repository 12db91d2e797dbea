/** The lens: shows what is under a finger, enlarged, while a visitor draws a stroke. */
import type { Point, Size } from './camera.ts';

/** Radius of the lens, in CSS pixels. Must match the stylesheet of the lens. */
export const LENS_RADIUS = 60;
/** Distance between the finger and the edge of the lens, in CSS pixels. */
const GAP = 42;
const ENLARGEMENT = 2;

/**
 * Returns the centre of the lens, in CSS pixels. The lens is above the finger, where the hand does
 * not cover it. Near the upper edge of the view, the lens is beside the finger, on the side with
 * more room.
 *
 * @param finger position of the finger in the view, in CSS pixels
 */
export function lensPlace(finger: Point, { width, height }: Size): Point {
  const reach = LENS_RADIUS + GAP;
  const inside = (at: number, size: number): number =>
    Math.max(LENS_RADIUS, Math.min(size - LENS_RADIUS, at));
  const y = inside(finger.y - reach, height);
  const beside = Math.sqrt(Math.max(0, reach ** 2 - (finger.y - y) ** 2));
  const way = finger.x < width / 2 ? 1 : -1;
  return { x: inside(finger.x + way * beside, width), y };
}

/** Shows an enlarged part of one canvas on another canvas. */
export class Lens {
  private readonly pen: CanvasRenderingContext2D | null;
  private isTouched = false;

  /** @param signal when it aborts, the lens removes its listener from `source` */
  constructor(
    private readonly source: HTMLCanvasElement,
    private readonly element: HTMLCanvasElement,
    signal: AbortSignal,
  ) {
    this.pen = element.getContext('2d');
    const touched = ({ pointerType }: PointerEvent) => (this.isTouched = pointerType === 'touch');
    source.addEventListener('pointerdown', touched, { signal });
  }

  /**
   * Draws or hides the lens. Call this method immediately after drawing on the source canvas: the
   * browser discards the pixels of that canvas once it has shown them.
   *
   * @param pointer the pointer's position during a stroke, in CSS pixels; undefined if there is no
   *   stroke. The lens is shown only if the pointer is a finger
   * @param view size of the source canvas, in CSS pixels
   */
  draw(pointer: Point | undefined, view: Size): void {
    const { element, source, pen } = this;
    const isShown = pen !== null && pointer !== undefined && this.isTouched;
    // Each assignment of `hidden` makes the browser recompute styles, so assign only new values.
    if (element.hidden === isShown) element.hidden = !isShown;
    if (!isShown) return;
    const ratio = source.width / view.width;
    const side = Math.round(2 * LENS_RADIUS * ratio);
    element.width = element.height = side;
    const { x, y } = lensPlace(pointer, view);
    element.style.translate = `${x - LENS_RADIUS}px ${y - LENS_RADIUS}px`;
    const part = side / ENLARGEMENT;
    const [left, top] = [pointer.x, pointer.y].map((at) => at * ratio - part / 2);
    pen.drawImage(source, left, top, part, part, 0, 0, side, side);
  }
}
