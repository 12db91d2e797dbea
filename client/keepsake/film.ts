/** The film of an organism that grows from its seed: its pictures, and a GIF of them. */
import { GifWriter, paletteOf } from './gif.ts';
import { canvasOf, type DrawBody, drawGround, drawSpecimen, FONTS } from './specimen.ts';

/** Width and height of the film, pixels. */
export const SIDE = 360;
/** How long each picture is shown, ms, and the film as a whole at least. */
export const FRAME_DELAY = 120;
const LEAST = 6_500;
/** How long the grown organism stays in view at least, ms. */
const LAST_FRAME_DELAY = 2_200;
/** Opaque cells with which there is something to see. */
const VISIBLE = 8;

/** A film's pictures, RGBA [360, 360, 4], shown for `FRAME_DELAY` each, but the last longer. */
export interface DrawnFilm {
  readonly pictures: readonly Uint8ClampedArray<ArrayBuffer>[];
  /** How long the last picture is shown, ms. */
  readonly rest: number;
}

/**
 * Resolves after a delay, ms. Without one it yields to the event loop: encoding takes long on a
 * phone and must not freeze the page.
 */
export const wait = (delay = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delay));

/** Yields to the event loop. @throws the signal's reason: nobody waits for the work any more */
export const yieldUnless = async (signal?: AbortSignal): Promise<void> => {
  await wait();
  signal?.throwIfAborted();
};

/**
 * Draws the film. It begins with the first frame that shows something; between two frames, one
 * fades into the other.
 *
 * @param frames cells [side, side] of each step, the grown organism last
 * @param name written below
 * @param drawBody also ends with the signal's reason
 * @throws the signal's reason
 */
export async function drawFilm(
  frames: readonly HTMLCanvasElement[],
  name: string,
  drawBody: DrawBody,
  signal: AbortSignal,
): Promise<DrawnFilm> {
  const { to } = canvasOf(SIDE, SIDE);
  to.textAlign = 'center';
  to.font = `500 22px ${FONTS}`;
  const first = frames.findIndex((cells) => opaqueIn(cells) >= VISIBLE);
  const shown = frames.slice(Math.max(0, first));
  const pictures: Uint8ClampedArray<ArrayBuffer>[] = [];
  for (const [i, cells] of shown.entries()) {
    const next = shown[i + 1];
    for (const each of next ? [cells, between(cells, next)] : [cells]) {
      await yieldUnless(signal);
      const body = await drawBody(each, 280);
      drawGround(to, SIDE / 2, SIDE / 2);
      drawSpecimen(to, body, SIDE / 2, 160);
      to.fillStyle = '#e9efee';
      to.fillText(name, SIDE / 2, 336, SIDE - 40);
      pictures.push(to.getImageData(0, 0, SIDE, SIDE).data);
    }
  }
  const rest = Math.max(LAST_FRAME_DELAY, LEAST - FRAME_DELAY * (pictures.length - 1));
  return { pictures, rest };
}

/** Encodes a film as a GIF that loops. @param link its comment @throws the signal's reason */
export async function gifOf(
  { pictures, rest }: DrawnFilm,
  link: string,
  signal: AbortSignal,
): Promise<Blob> {
  // Sample every fourth frame, counted back from the last: earlier stages have other colours.
  const last = pictures.length - 1;
  const palette = paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const gif = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await yieldUnless(signal);
    gif.add(picture, i === last ? rest : FRAME_DELAY);
  }
  return new Blob([gif.finish(link)], { type: 'image/gif' });
}

function opaqueIn(cells: HTMLCanvasElement): number {
  const { data } = cells.getContext('2d')!.getImageData(0, 0, cells.width, cells.height);
  return data.filter((value, i) => i % 4 > 2 && value > 127).length;
}

/** Halfway between two frames. */
export function between(a: HTMLCanvasElement, b: HTMLCanvasElement): HTMLCanvasElement {
  const { canvas, to } = canvasOf(a.width, a.height);
  to.drawImage(a, 0, 0);
  to.globalAlpha = 0.5;
  to.drawImage(b, 0, 0);
  return canvas;
}
