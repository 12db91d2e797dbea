/** Tells the server what the page shows, so that it is sent just that: at most a few times a second, and only when it matters. */
import type { Command } from '../../shared/protocol/commands.ts';
import { type Camera, type Size, screenToWorld } from '../render/camera.ts';
import { Throttle } from '../state/throttle.ts';

type Look = Command<'look'>;
type Shown = Extract<Look, { hidden: false }>;

const INTERVAL = 200;
/** Smaller moves are within the margin that the server sends anyway. */
const STEP = 4;

export class ViewportReporter {
  private readonly throttle: Throttle<Look>;
  private last: Shown | undefined;

  constructor(
    private readonly send: (look: Look) => void,
    /** The best tier that this page asks for. */
    private readonly best: Shown['best'],
  ) {
    this.throttle = new Throttle(send, INTERVAL);
  }

  /**
   * @param pixelRatio device pixels a CSS pixel
   * @returns whether something still waits to be told
   */
  shows(camera: Camera, view: Size, pixelRatio: number, now: number): boolean {
    const { x, y } = screenToWorld(camera, view, { x: 0, y: 0 });
    const [width, height] = [view.width, view.height].map((side) => side / camera.zoom);
    const pixels = camera.zoom * pixelRatio;
    const look = { hidden: false, x, y, width, height, pixels, best: this.best } as const;
    if (this.last && isNear(this.last, look)) return this.throttle.flush(now);
    this.last = look;
    this.throttle.push(look, now);
    return this.throttle.flush(now);
  }

  /** The page is not seen. It is told at once: no picture will be drawn after which something that waits could be told. */
  hide(): void {
    this.last = undefined;
    this.throttle.forget();
    this.send({ hidden: true });
  }

  /** A new connection knows nothing. */
  forget(): void {
    this.last = undefined;
  }
}

function isNear(a: Shown, b: Shown): boolean {
  const moved = [
    a.x - b.x,
    a.y - b.y,
    a.x + a.width - b.x - b.width,
    a.y + a.height - b.y - b.height,
  ];
  return moved.every((by) => Math.abs(by) < STEP) && a.pixels < 1 === b.pixels < 1;
}
