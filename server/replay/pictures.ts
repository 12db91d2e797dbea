/** What a room showed, as pictures. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Planes } from '../../shared/codec/planes.ts';

/** Frames that are kept in memory for one moving picture. */
const MOST_FRAMES = 1_000;

export interface PictureWriter {
  /** Takes what the planes show now. */
  add(planes: Planes, tick: number): Promise<void>;
  /** @returns what was written, for people */
  end(): Promise<string>;
}

/**
 * PNG of planes on black ground.
 *
 * @param scale pixels a place, a whole number
 */
export async function png({ rgba, width, height }: Planes, scale = 1): Promise<Buffer> {
  // A large native library: loaded only when pictures are wanted.
  const { default: sharp } = await import('sharp');
  const rgb = new Uint8Array(3 * width * height);
  // Premultiplied: what is left of black ground is black.
  for (let i = 0; i < width * height; i++) rgb.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (scale > 1) picture.resize(width * scale, height * scale, { kernel: 'nearest' });
  return picture.png().toBuffer();
}

/** @param folder a PNG for each picture goes there, named by its tick */
export function frames(folder = 'replay'): PictureWriter {
  let count = 0;
  return {
    async add(planes, tick) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${`${tick}`.padStart(9, '0')}.png`), await png(planes));
      count++;
    },
    end: async () => `${count} pictures in ${folder}`,
  };
}

/**
 * @param delay between two pictures, ms
 * @param scale pixels a place
 */
export function gif(file = 'replay.gif', delay = 100, scale = 1): PictureWriter {
  const kept: Buffer[] = [];
  return {
    async add(planes) {
      if (kept.length < MOST_FRAMES) kept.push(await png(planes, scale));
    },
    async end() {
      const { default: sharp } = await import('sharp');
      await mkdir(dirname(file), { recursive: true });
      const moving = sharp(kept, { join: { animated: true } });
      await moving.gif({ delay: kept.map(() => delay), loop: 0 }).toFile(file);
      return `${kept.length} pictures in ${file}`;
    },
  };
}

/** The last picture alone. */
export function lastPicture(file = 'replay.png'): PictureWriter {
  let last: Planes | undefined;
  return {
    async add(planes) {
      last = planes;
    },
    async end() {
      if (!last) return 'no picture';
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, await png(last));
      return file;
    },
  };
}
