/**
 * From a drawing of any size anywhere on its sheet to the picture that an encoder knows: what it learnt from was all of one size,
 * and in the middle.
 */

/** A square picture, row by row; values 0…1, `channels` a pixel. */
export interface Sheet {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What is fainter counts as empty. */
const FAINT = 0.02;
/** MNIST's digits fill 20 pixels of 28; wider pictures have more margin around. */
const DIGIT = { box: 20, side: 28 };
/** Empty pixels around a creature. */
const MARGIN = 1;

/** Pixels that hold something, by the last channel. */
function boxOf({ side, channels, data }: Sheet): Box | undefined {
  let [left, top, right, bottom] = [side, side, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (data[(y * side + x) * channels + channels - 1] < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right > left ? { left, top, right, bottom } : undefined;
}

/** Where the ink's weight is, in pixels. */
function massCentre({ side, channels, data }: Sheet): { x: number; y: number } {
  let [mass, mx, my] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = data[(y * side + x) * channels + channels - 1];
      mass += value;
      mx += value * (x + 0.5);
      my += value * (y + 0.5);
    }
  }
  return { x: mx / mass, y: my / mass };
}

/**
 * Scales a picture so that a point of it comes to the middle; each new pixel is the mean of what it covers.
 *
 * @returns [side, side, channels]
 */
function scaled(from: Sheet, scale: number, centre: { x: number; y: number }, side: number): Sheet {
  const { channels } = from;
  const data = new Float32Array(side * side * channels);
  const parts = (at: number, middle: number): { to: number; share: number }[] => {
    const [low, high] = [at, at + 1].map((edge) => (edge - middle) * scale + side / 2);
    const found: { to: number; share: number }[] = [];
    for (let to = Math.max(0, Math.floor(low)); to < Math.min(side, high); to++) {
      const share = Math.min(high, to + 1) - Math.max(low, to);
      if (share > 0) found.push({ to, share });
    }
    return found;
  };
  const columns = Array.from({ length: from.side }, (_, x) => parts(x, centre.x));
  for (let y = 0; y < from.side; y++) {
    const rows = parts(y, centre.y);
    for (let x = 0; x < from.side; x++) {
      const at = (y * from.side + x) * channels;
      if (from.data[at + channels - 1] === 0) continue;
      for (const row of rows) {
        for (const column of columns[x]) {
          const to = (row.to * side + column.to) * channels;
          const share = row.share * column.share;
          for (let c = 0; c < channels; c++) data[to + c] += share * from.data[at + c];
        }
      }
    }
  }
  return { side, channels, data };
}

/**
 * Ink as MNIST has it: in a box of 20×20 of 28, its weight in the middle.
 *
 * @param sheet ink, one channel
 * @param side of the picture
 * @returns [side, side] bytes; undefined when nothing is drawn
 */
export function normaliseInk(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = boxOf(sheet);
  if (!box) return undefined;
  const room = side >= DIGIT.side ? DIGIT.box : (side * DIGIT.box) / DIGIT.side;
  const scale = room / Math.max(box.right - box.left, box.bottom - box.top);
  const { x, y } = massCentre(sheet);
  // MNIST moves by whole pixels: its weights lie within the pixel that begins in the middle.
  const whole = (mass: number, edge: number): number => {
    const edgeAt = Math.ceil(side / 2 - (mass - edge) * scale);
    return edge + (side / 2 - edgeAt) / scale;
  };
  const centre = { x: whole(x, box.left), y: whole(y, box.top) };
  return toBytes(scaled(sheet, scale, centre, side));
}

/**
 * A drawing as creatures of a gallery are: as large as fits, in the middle.
 *
 * @param sheet premultiplied RGBA
 * @param side of the picture
 * @returns [side, side, 4] bytes, premultiplied; undefined when nothing is drawn
 */
export function normaliseColour(sheet: Sheet, side: number): Uint8Array<ArrayBuffer> | undefined {
  const box = boxOf(sheet);
  if (!box) return undefined;
  const scale = (side - 2 * MARGIN) / Math.max(box.right - box.left, box.bottom - box.top);
  const centre = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  return toBytes(scaled(sheet, scale, centre, side));
}

function toBytes({ data }: Sheet): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data, (value) => Math.max(0, Math.min(255, Math.round(value * 255))));
}
