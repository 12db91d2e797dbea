/** Writes pictures of a room: PNGs or an animated GIF. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Room } from '../world/room.ts';

/** Maximum number of pictures in a GIF; all of them are kept in memory. */
export const MAX_FRAMES = 1_000;

/** Receives pictures one by one. */
export interface PictureWriter {
  /** Adds a picture of the planes, which are those of the room. */
  add(planes: Planes, tick: number, room: Room): Promise<void>;
  /** Finishes writing. @returns a description of the written files, for people */
  end(): Promise<string>;
}

/**
 * Encodes planes on black as PNG.
 *
 * @param scale pixels per cell, an integer
 */
export async function png({ rgba, width, height }: Planes, scale = 1): Promise<Buffer> {
  const rgb = new Uint8Array(3 * width * height);
  // On black, premultiplied colours need no conversion.
  for (let i = 0; i < width * height; i++) rgb.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  return rgbPng(rgb, { width, height }, scale);
}

/**
 * Encodes pixels as PNG.
 *
 * @param rgb [height, width, 3]
 * @param scale pixels of the PNG per given pixel, an integer
 */
export async function rgbPng(
  rgb: Uint8Array,
  { width, height }: Pick<Planes, 'width' | 'height'>,
  scale = 1,
): Promise<Buffer> {
  // Load this large native library only when needed.
  const { default: sharp } = await import('sharp');
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (scale > 1) picture.resize(width * scale, height * scale, { kernel: 'nearest' });
  return picture.png().toBuffer();
}

/** Writes one PNG per picture, named by its tick. @param folder created if missing */
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
 * Writes an animated GIF of the first `MAX_FRAMES` pictures.
 *
 * @param delay time between two pictures, in ms
 * @param encode encodes each picture as PNG
 */
export function gif(
  file = 'replay.gif',
  delay = 100,
  encode: (planes: Planes, room: Room) => Promise<Buffer> = (planes) => png(planes),
): PictureWriter {
  const pictures: Buffer[] = [];
  return {
    async add(planes, _, room) {
      if (pictures.length < MAX_FRAMES) pictures.push(await encode(planes, room));
    },
    async end() {
      const { default: sharp } = await import('sharp');
      await mkdir(dirname(file), { recursive: true });
      const animation = sharp(pictures, { join: { animated: true } });
      await animation.gif({ delay: pictures.map(() => delay), loop: 0 }).toFile(file);
      return `${pictures.length} pictures in ${file}`;
    },
  };
}
