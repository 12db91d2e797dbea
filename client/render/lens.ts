/** An enlarged view of the place under a finger, beside the finger while it cuts. */
import type { Point, Size } from './camera.ts';

/** Radius of the lens, CSS pixels; the same in its style. */
export const LENS_RADIUS = 60;
/** From the middle of the finger to the edge of the lens, CSS pixels. */
const GAP = 42;
const ENLARGEMENT = 2;

/**
 * The middle of the lens: above the finger, as both hands come from below. Near the upper edge it
 * moves around the finger, to the side with more room.
 *
 * @param finger CSS pixels of the view
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

/** Shows a part of one canvas, enlarged, on another one. */
export class Lens {
  private readonly pen: CanvasRenderingContext2D | null;
  private isTouched = false;

  /** @param signal ends the lens */
  constructor(
    private readonly source: HTMLCanvasElement,
    private readonly element: HTMLCanvasElement,
    signal: AbortSignal,
  ) {
    this.pen = element.getContext('2d');
    const touched = ({ pointerType }: PointerEvent): void => {
      this.isTouched = pointerType === 'touch';
    };
    source.addEventListener('pointerdown', touched, { signal });
  }

  /**
   * Call right after the source is drawn: its pixels are gone once the browser shows them.
   *
   * @param pointer that cuts, CSS pixels; the lens appears only under a finger
   * @param view size of the source, CSS pixels
   */
  draw(pointer: Point | undefined, view: Size): void {
    const { element, source, pen } = this;
    const isShown = pen !== null && pointer !== undefined && this.isTouched;
    element.hidden = !isShown;
    if (!isShown) return;
    const ratio = source.width / view.width;
    const side = Math.round(2 * LENS_RADIUS * ratio);
    // This also clears it.
    element.width = element.height = side;
    const { x, y } = lensPlace(pointer, view);
    element.style.translate = `${x - LENS_RADIUS}px ${y - LENS_RADIUS}px`;
    const part = side / ENLARGEMENT;
    const [left, top] = [pointer.x, pointer.y].map((at) => at * ratio - part / 2);
    pen.drawImage(source, left, top, part, part, 0, 0, side, side);
  }
}
