/** Reads image files of many formats as small pictures of one size. */
import type { OutputInfo, Sharp } from 'sharp';
import { DatasetError, notInstalled } from './dataset.ts';

/**
 * Reads an image (PNG, JPEG, SVG, WebP or another format that sharp reads) and fits it into a
 * square, centred with its aspect ratio.
 *
 * The image is rotated by its EXIF orientation and converted to sRGB. Only the first frame of an
 * animation is used. Resizing uses Lanczos on premultiplied colour, so that hidden colours do not
 * bleed into edges. The kernel has two lobes, because a third leaves a ring of faint pixels around
 * the image (with three lobes, 16 % of the visible pixels of Noto animals had an alpha below 8;
 * with two, 3 %).
 *
 * @param input file name or bytes
 * @param file file name for error messages
 * @returns [side, side, 4] premultiplied RGBA, 0…255, colour never above alpha, with a transparent
 * margin
 * @throws DatasetError broken-image
 */
export async function readPicture(
  input: string | Uint8Array,
  file: string,
  { side, margin }: { readonly side: number; readonly margin: number },
): Promise<Uint8Array> {
  const inner = side - 2 * margin;
  const { data, info } = await decode(file, (sharp) =>
    sharp(input, { failOn: 'error' })
      .autoOrient()
      .resize(inner, inner, { fit: 'inside', kernel: 'lanczos2' })
      .toColourspace('srgb')
      .ensureAlpha(),
  );
  premultiply(data);
  return place(data, info.width, info.height, side);
}

/**
 * Reads an image and stretches it to a square, ignoring aspect ratio and transparency.
 *
 * @returns [side, side, 3] RGB, 0…255
 * @throws DatasetError broken-image
 */
export async function readStretched(file: string, side: number): Promise<Uint8Array> {
  const { data } = await decode(file, (sharp) =>
    sharp(file, { failOn: 'error' })
      .resize(side, side, { fit: 'fill', kernel: 'lanczos3' })
      .toColourspace('srgb')
      .removeAlpha(),
  );
  return data;
}

/** Draws premultiplied RGBA on a background colour. @returns [n, 3] RGB */
export function flatten(rgba: Uint8Array, ground: readonly [number, number, number]): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4, o += 3) {
    const through = 255 - rgba[i + 3];
    for (let c = 0; c < 3; c++) rgb[o + c] = rgba[i + c] + Math.round((ground[c] * through) / 255);
  }
  return rgb;
}

/** Whether a picture [n, 4] is completely transparent. */
export function isInvisible(rgba: Uint8Array): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 0) return false;
  return true;
}

/** Converts straight RGBA to premultiplied, in place. */
function premultiply(rgba: Uint8Array): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    for (let c = i; c < i + 3; c++) rgba[c] = Math.round((rgba[c] * alpha) / 255);
  }
}

function place(rgba: Uint8Array, width: number, height: number, side: number): Uint8Array {
  const square = new Uint8Array(side * side * 4);
  const left = (side - width) >> 1;
  const top = (side - height) >> 1;
  for (let y = 0; y < height; y++) {
    const row = rgba.subarray(y * width * 4, (y + 1) * width * 4);
    square.set(row, ((top + y) * side + left) * 4);
  }
  return square;
}

/** Loads sharp lazily, because a run on digits or on a cached set does not need sharp. */
async function loadSharp(): Promise<typeof import('sharp').default> {
  const { default: sharp } = await import('sharp').catch(() => {
    throw notInstalled('sharp');
  });
  sharp.cache(false);
  return sharp;
}

async function decode(
  file: string,
  pipeline: (sharp: Awaited<ReturnType<typeof loadSharp>>) => Sharp,
): Promise<{ data: Uint8Array; info: OutputInfo }> {
  const sharp = await loadSharp();
  try {
    return await pipeline(sharp).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0].trim();
    const next = 'repair it, replace it, or remove it from the folder';
    throw new DatasetError('broken-image', file, `cannot be read as an image (${why})`, next);
  }
}
