/** Draws the pictures of organisms on the page of the family tree. */
import { setImmediate } from 'node:timers/promises';
import { inSlices, paintThumbnail } from '../../shared/painter/still.ts';
import { type GrowthFilm, grownOf } from '../previews/growth-previews.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';

/**
 * `SCALE`: pixels along each side of a cell in a painted thumbnail. `SLICE`: maximum time for which
 * painting blocks the server without a pause, in ms.
 */
const SCALE = 4;
const SLICE = 4;

/**
 * Draws the fully grown organism at the end of a film of growth, as a square PNG. If the checkpoint
 * has a painter, the picture has a higher resolution.
 */
export async function thumbnailOf(
  film: GrowthFilm,
  { painter: net }: Pick<LoadedCheckpoint, 'painter'>,
): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const { side } = film;
  const cells = await grownOf(film);
  const slices = { slice: SLICE, now: () => performance.now(), pause: () => setImmediate() };
  const pixels =
    net && (await inSlices(paintThumbnail({ cells, side, net, scale: SCALE }), slices));
  const size = net ? SCALE * side : side;
  return sharp(pixels ?? cells, { raw: { width: size, height: size, channels: 4 } })
    .png()
    .toBuffer();
}
