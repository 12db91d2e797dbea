/** Paints the films of growing seeds. */
import type { PainterNet } from '../../../shared/painter/net.ts';
import { inSlices, paintThumbnail } from '../../../shared/painter/still.ts';
import { type PackedGenomes, unpackGenomes } from '../../../shared/protocol/genomes.ts';

/** Pixels per cell. */
const SCALE = 4;
/** Longest time for which painting blocks the page, and the pause after it, in ms. */
const SLICE = 5;
const PAUSE = 12;

/**
 * Paints a strip of square pictures.
 *
 * @param packed the seed's genomes, if known
 * @returns URL of the painted strip, ready to be shown
 * @throws Error if the browser cannot decode or encode the pictures
 */
export async function paintFilm(
  film: Blob,
  net: PainterNet,
  packed?: PackedGenomes,
): Promise<string> {
  const genomes = packed && unpackGenomes(packed);
  const strip = await createImageBitmap(film);
  const { width, height: side } = strip;
  const cells = penFor(width, side);
  cells.drawImage(strip, 0, 0);
  const painted = penFor(SCALE * width, SCALE * side);
  for (let x = 0; x < width; x += side) {
    const { data } = cells.getImageData(x, 0, side, side);
    const pixels = await inSlices(
      paintThumbnail({ cells: data, side, net, genomes, scale: SCALE }),
      {
        slice: SLICE,
        now: () => performance.now(),
        pause: () => new Promise((resolve) => setTimeout(resolve, PAUSE)),
      },
    );
    painted.putImageData(new ImageData(pixels, SCALE * side), SCALE * x, 0);
  }
  const png = await new Promise<Blob | null>((resolve) => painted.canvas.toBlob(resolve));
  const image = new Image();
  image.src = URL.createObjectURL(png!);
  await image.decode();
  return image.src;
}

function penFor(width: number, height: number): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  return canvas.getContext('2d', { willReadFrequently: true })!;
}
