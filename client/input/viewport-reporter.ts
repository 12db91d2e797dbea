/**
 * Reports the visible part of the grid to the server: a few times a second at most, and only when
 * it has changed enough to matter.
 */
import type { TierName } from '../../shared/codec/tiers.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { type Camera, type Point, type Size, screenToWorld } from '../render/camera.ts';
import { Throttle } from '../state/throttle.ts';

type Look = Command<'look'>;
type Shown = Extract<Look, { hidden: false }>;

const INTERVAL = 200;
/** Smaller moves stay within the margin that the server sends anyway. Cells. */
const STEP = 4;

/** Reports the visible part of the grid to the server at intervals. */
export class ViewportReporter {
  private readonly throttle: Throttle<Look>;
  private last: Shown | undefined;

  /** @param best the best tier of the stream that this screen needs */
  constructor(
    private readonly send: (look: Look) => void,
    private readonly best: TierName = 'full',
  ) {
    this.throttle = new Throttle(send, INTERVAL);
  }

  /**
   * Reports the current view, and that in which a glide will end: what lies between them is there
   * before the camera.
   *
   * @param pixelRatio device pixels per CSS pixel
   * @returns whether a report is still pending
   */
  shows(
    { camera, heading = camera }: { readonly camera: Camera; readonly heading?: Camera },
    view: Size,
    pixelRatio: number,
    now: number,
  ): boolean {
    const cameras = [camera, heading];
    const corner = (at: Point): Point[] => cameras.map((each) => screenToWorld(each, view, at));
    const upper = corner({ x: 0, y: 0 });
    const lower = corner({ x: view.width, y: view.height });
    const x = Math.min(...upper.map((each) => each.x));
    const y = Math.min(...upper.map((each) => each.y));
    const width = Math.max(...lower.map((each) => each.x)) - x;
    const height = Math.max(...lower.map((each) => each.y)) - y;
    const pixels = Math.max(camera.zoom, heading.zoom) * pixelRatio;
    const look = { hidden: false, x, y, width, height, pixels, best: this.best } as const;
    if (this.last && isNear(this.last, look)) return this.throttle.flush(now);
    this.last = look;
    this.throttle.push(look, now);
    return this.throttle.flush(now);
  }

  /** Reports at once that the page is hidden: no further frame will send a pending report. */
  hide(): void {
    this.last = undefined;
    this.throttle.forget();
    this.send({ hidden: true });
  }

  /** Forgets what was reported, because a new connection starts without it. */
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
