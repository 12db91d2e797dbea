/** How much two pictures of a page differ visibly. */
import sharp from 'sharp';

/** Mean difference of all values, 0…255. */
export const MEAN = 1.3;
/** Share of pixels of which some value is off by more than `OFF`. */
export const SHARE = 0.003;
const OFF = 40;
/**
 * Pixels of the longer side at which two pictures are laid over each other: letters may be drawn a
 * little otherwise.
 */
const SIDE = 480;

/** @returns [height, width, 3] bytes, the longer side of `SIDE` pixels */
const reduced = (picture: Buffer | string): Promise<Buffer> =>
  sharp(picture)
    .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
    .removeAlpha()
    .blur(1)
    .raw()
    .toBuffer();

/**
 * @returns the mean difference of all values, 0…255, and the share of pixels that are clearly off
 */
export async function difference(
  a: Buffer | string,
  b: Buffer | string,
): Promise<{ mean: number; share: number }> {
  const [one, other] = await Promise.all([a, b].map(reduced));
  if (one.length !== other.length) return { mean: 255, share: 1 };
  let sum = 0;
  let off = 0;
  for (let i = 0; i < one.length; i += 3) {
    let most = 0;
    for (let c = i; c < i + 3; c++) {
      const by = Math.abs(one[c] - other[c]);
      sum += by;
      most = Math.max(most, by);
    }
    if (most > OFF) off++;
  }
  return { mean: sum / one.length, share: (3 * off) / one.length };
}
