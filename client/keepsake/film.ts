/** The short film of an organism: it grows out of its seed, stays a while, and begins anew. */
import { encodeGif } from './gif.ts';
import { indexed, paletteOf } from './palette.ts';
import { canvasOf, drawGround, drawSpecimen, enlarged } from './specimen.ts';

/** Pixels a side. */
const SIDE = 360;
/** Hundredths of a second that a picture is shown, and the last one. */
const STEP = 9;
const STAY = 220;

/** @param frames how it grows, the grown one last */
export function growthFilm(frames: readonly HTMLCanvasElement[]): Blob {
  const { to } = canvasOf(SIDE, SIDE);
  const pictures = frames.map((cells) => {
    drawGround(to, SIDE, SIDE, SIDE / 2, SIDE / 2);
    drawSpecimen(to, enlarged(cells, 320), SIDE / 2, SIDE / 2);
    return to.getImageData(0, 0, SIDE, SIDE).data;
  });
  // The grown one matters most; what is on the way has other colours, too.
  const palette = paletteOf(pictures.filter((_, i) => i % 4 === (pictures.length - 1) % 4));
  const gif = encodeGif(
    SIDE,
    SIDE,
    palette.colors,
    pictures.map((picture, i) => ({
      pixels: indexed(picture, SIDE, palette),
      delay: i === pictures.length - 1 ? STAY : STEP,
    })),
  );
  return new Blob([gif], { type: 'image/gif' });
}
