/** The short film of an organism: it grows out of its seed, stays a while, and begins anew. */
import { GifWriter, paletteOf } from './gif.ts';
import { canvasOf, drawGround, drawSpecimen, enlarged } from './specimen.ts';

/** Pixels a side. */
const SIDE = 360;
/** ms that a picture is shown, and the last one. */
const STEP = 90;
const STAY = 2_200;

/** Lets the page breathe: a film is much work for a phone. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** @param frames how it grows, the grown one last */
export async function growthFilm(frames: readonly HTMLCanvasElement[]): Promise<Blob> {
  const { to } = canvasOf(SIDE, SIDE);
  const pictures: Uint8ClampedArray[] = [];
  for (const cells of frames) {
    await breathe();
    drawGround(to, SIDE, SIDE, SIDE / 2, SIDE / 2);
    drawSpecimen(to, enlarged(cells, 320), SIDE / 2, SIDE / 2);
    pictures.push(to.getImageData(0, 0, SIDE, SIDE).data);
  }
  await breathe();
  // The grown one matters most; what is on the way has other colours, too.
  const last = pictures.length - 1;
  const palette = paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const film = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await breathe();
    film.add(picture, i === last ? STAY : STEP);
  }
  return new Blob([film.finish()], { type: 'image/gif' });
}
