/** A looping GIF of an organism growing from its seed. */
import { GifWriter, paletteOf } from './gif.ts';
import { canvasOf, drawGround, drawSpecimen, enlarged } from './specimen.ts';

/** Width and height of the film, pixels. */
const SIDE = 360;
/** How long each frame and the last frame are shown, ms. */
const FRAME_DELAY = 90;
const LAST_FRAME_DELAY = 2_200;

/** Yields to the event loop: encoding takes long on a phone and must not freeze the page. */
const yieldToPage = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * Encodes the growth of an organism as a GIF of 360×360 pixels.
 *
 * @param frames cells [side, side] of each step, the grown organism last
 */
export async function growthFilm(frames: readonly HTMLCanvasElement[]): Promise<Blob> {
  const { to } = canvasOf(SIDE, SIDE);
  const pictures: Uint8ClampedArray[] = [];
  for (const cells of frames) {
    await yieldToPage();
    drawGround(to, SIDE / 2, SIDE / 2);
    drawSpecimen(to, enlarged(cells, 320), SIDE / 2, SIDE / 2);
    pictures.push(to.getImageData(0, 0, SIDE, SIDE).data);
  }
  await yieldToPage();
  // Sample every fourth frame, counted back from the last: earlier stages have other colours.
  const last = pictures.length - 1;
  const palette = paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const film = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await yieldToPage();
    film.add(picture, i === last ? LAST_FRAME_DELAY : FRAME_DELAY);
  }
  return new Blob([film.finish()], { type: 'image/gif' });
}
