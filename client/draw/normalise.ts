/**
 * Scales and centres a drawing as the encoder expects it: all pictures of its training data have
 * the same size and are centred.
 */

/** A square picture [side, side, channels]; values 0…1. */
export interface Sheet {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** Pixels with a lower value count as empty. */
const FAINT = 0.02;
/** MNIST digits fill a box of 20 pixels in a picture of 28; larger pictures get a wider margin. */
const DIGIT = { box: 20, side: 28 };
/** Empty pixels on each side of a creature. */
const MARGIN = 1;

/**
 * Bounding box of the non-empty pixels and centre of mass, by the last channel (ink or alpha).
 *
 * @returns undefined when nothing is drawn
 */
function extentOf({ side, channels, data }: Sheet) {
  let [left, top, right, bottom] = [side, side, 0, 0];
  let [mass, mx, my] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = data[(y * side + x) * channels + channels - 1];
      mass += value;
      mx += value * (x + 0.5);
      my += value * (y + 0.5);
      if (value < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  const longest = Math.max(right - left, bottom - top);
  const massCentre = { x: mx / mass, y: my / mass };
  return right > left ? { left, top, right, bottom, longest, massCentre } : undefined;
}

/**
 * Scales a picture and moves `centre` to the middle. Each new pixel is the area average of the old
 * pixels that it covers.
 *
 * @returns [side, side, channels]
 */
function scaled(from: Sheet, scale: number, centre: { x: number; y: number }, side: number): Sheet {
  const { channels } = from;
  const data = new Float32Array(side * side * channels);
  const overlaps = (pixel: number, middle: number): { to: number; share: number }[] => {
    const [low, high] = [pixel, pixel + 1].map((edge) => (edge - middle) * scale + side / 2);
    const found: { to: number; share: number }[] = [];
    for (let to = Math.max(0, Math.floor(low)); to < Math.min(side, high); to++) {
      const share = Math.min(high, to + 1) - Math.max(low, to);
      if (share > 0) found.push({ to, share });
    }
    return found;
  };
  const columns = Array.from({ length: from.side }, (_, x) => overlaps(x, centre.x));
  for (let y = 0; y < from.side; y++) {
    const rows = overlaps(y, centre.y);
    for (let x = 0; x < from.side; x++) {
      const source = (y * from.side + x) * channels;
      if (from.data[source + channels - 1] === 0) continue;
      for (const row of rows) {
        for (const column of columns[x]) {
          const to = (row.to * side + column.to) * channels;
          const share = row.share * column.share;
          for (let c = 0; c < channels; c++) data[to + c] += share * from.data[source + c];
        }
      }
    }
  }
  return { side, channels, data };
}

/**
 * Normalises ink like MNIST: scaled into a 20×20 box of a 28×28 picture, centre of mass in the
 * middle.
 *
 * @param sheet ink, one channel
 * @param side width and height of the result, pixels
 * @returns [side, side] bytes; undefined when nothing is drawn
 */
export function normaliseInk(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = extentOf(sheet);
  if (!box) return undefined;
  const boxSide = side >= DIGIT.side ? DIGIT.box : (side * DIGIT.box) / DIGIT.side;
  const scale = boxSide / box.longest;
  // MNIST shifts by whole pixels: the centre of mass is inside the pixel that begins in the middle.
  const aligned = (mass: number, edge: number): number => {
    const edgeAt = Math.ceil(side / 2 - (mass - edge) * scale);
    return edge + (side / 2 - edgeAt) / scale;
  };
  const centre = { x: aligned(box.massCentre.x, box.left), y: aligned(box.massCentre.y, box.top) };
  return toBytes(scaled(sheet, scale, centre, side));
}

/**
 * Normalises a colour drawing like the gallery's creatures: as large as fits, centred.
 *
 * @param sheet premultiplied RGBA
 * @param side width and height of the result, pixels
 * @returns [side, side, 4] bytes, premultiplied; undefined when nothing is drawn
 */
export function normaliseColour(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = extentOf(sheet);
  if (!box) return undefined;
  const scale = (side - 2 * MARGIN) / box.longest;
  const centre = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  return toBytes(scaled(sheet, scale, centre, side));
}

function toBytes({ data }: Sheet): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data, (value) => Math.max(0, Math.min(255, Math.round(value * 255))));
}
