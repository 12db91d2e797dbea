/** Videos of films, which the browser records, because the server has no video encoder. */
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { JobState } from '../../../shared/host/state.ts';
import { record } from '../../keepsake/film.ts';
import { canvasOf, wait } from '../../keepsake/picture.ts';
import type { Size } from '../../render/camera.ts';

/** Pictures per second of a film, as in the files that the server makes. */
const RATE = 15;
/** Approximate length of a video's longer side, in pixels. */
const SIDE = 1_280;
/** High enough for the sharp edges of cells, in bits per second. */
const BITRATE = 8_000_000;

/**
 * Draws a picture of a film.
 *
 * @param planes RGBA [height, width, 4], premultiplied, then owners
 */
export function drawPlanes(
  to: CanvasRenderingContext2D,
  planes: Uint8ClampedArray<ArrayBuffer>,
  { width, height }: Size,
): void {
  const rgba = planes.subarray(0, 4 * width * height);
  // Make all pixels opaque: on black, premultiplied colours then look right.
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255;
  to.putImageData(new ImageData(rgba, width, height), 0, 0);
}

/**
 * Records a finished film in real time.
 *
 * @param size of the room, in cells
 * @param onPicture receives the share that is recorded, 0…1, and returns whether to continue
 * @throws Error if a picture cannot be fetched, the browser cannot record, or `onPicture` stops it
 */
export function recordFilm(
  { id: job, frames }: JobState,
  size: Size,
  onPicture: (share: number) => boolean,
): Promise<Blob> {
  // Some video formats allow only even lengths.
  const scale = Math.max(2, 2 * Math.floor(SIDE / 2 / Math.max(size.width, size.height)));
  const cells = canvasOf(size.width, size.height);
  const { canvas, to } = canvasOf(scale * size.width, scale * size.height);
  to.imageSmoothingEnabled = false;
  const load = async (frame: number) => {
    const response = await fetch(pathOf(FILES.frame, { job, frame }));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return new Uint8ClampedArray(await response.arrayBuffer());
  };
  const draw = async (): Promise<void> => {
    let next = load(0);
    for (let i = 0; i < frames; i++) {
      const begun = performance.now();
      const planes = await next;
      if (i + 1 < frames) next = load(i + 1);
      drawPlanes(cells.to, planes, size);
      to.drawImage(cells.canvas, 0, 0, canvas.width, canvas.height);
      if (!onPicture(i / frames)) throw new Error('no longer wanted');
      await wait(Math.max(0, 1000 / RATE - (performance.now() - begun)));
    }
  };
  return record(canvas, draw, BITRATE);
}
