/**
 * Growth films: the pictures of a growing seed side by side in one PNG, which every browser can
 * show.
 */
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';
import type { Readout } from '../engine/engine.ts';

/** The growth of a seed. */
export interface GrowthFilm {
  /** Side of a picture, pixels: that of the grown organism. */
  readonly side: number;
  readonly frames: number;
  /** `frames` pictures in a row, the grown one last. */
  readonly png: Uint8Array;
}

const compress = promisify(deflate);

/**
 * Draws a film.
 *
 * @param readouts in order of growth
 * @param threshold minimum presence, 0…255, of a cell that is shown
 */
export async function createGrowthFilm(
  readouts: readonly Pick<Readout, 'stage' | 'rgba' | 'presence'>[],
  side: number,
  threshold: number,
): Promise<GrowthFilm> {
  const frames = readouts.length;
  const width = frames * side;
  // Each line begins with the number of its filter: none.
  const lines = new Uint8Array(side * (1 + 4 * width));
  readouts.forEach((readout, frame) => {
    draw(readout, lines, { left: frame * side, side, width, threshold });
  });
  const png = encodePng(width, side, await compress(lines));
  return { side, frames, png };
}

/** Draws a picture in the centre of its square, with straight alpha as PNG requires. */
function draw(
  { stage, rgba, presence }: Pick<Readout, 'stage' | 'rgba' | 'presence'>,
  lines: Uint8Array,
  { left, side, width, threshold }: Record<'left' | 'side' | 'width' | 'threshold', number>,
): void {
  const inset = (side - stage) >> 1;
  for (let y = 0; y < stage; y++) {
    for (let x = 0; x < stage; x++) {
      const cell = y * stage + x;
      const alpha = rgba[4 * cell + 3];
      if (presence[cell] < threshold || alpha === 0) continue;
      const to = (inset + y) * (1 + 4 * width) + 1 + 4 * (left + inset + x);
      for (let c = 0; c < 3; c++) {
        lines[to + c] = Math.min(255, Math.round((rgba[4 * cell + c] * 255) / alpha));
      }
      lines[to + 3] = alpha;
    }
  }
}

/** A PNG of 8-bit RGBA. https://www.w3.org/TR/png-3/ */
function encodePng(width: number, height: number, compressed: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk('IHDR', header), chunk('IDAT', compressed), chunk('IEND', Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([signature, ...parts]));
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
