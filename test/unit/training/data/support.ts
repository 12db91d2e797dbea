/** Makes images for tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { TrainingError, type TrainingReason } from '../../../../server/training/errors.ts';

export async function put(folder: string, name: string, bytes: Uint8Array | string) {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return file;
}

/** Makes an image file of one colour, [r, g, b] or straight [r, g, b, a 0…1]. */
export async function plain(
  format: 'png' | 'jpeg' | 'webp',
  width: number,
  height: number,
  [r, g, b, alpha]: readonly [number, number, number, number?],
): Promise<Buffer> {
  const background = { r, g, b, alpha: alpha ?? 1 };
  const image = sharp({
    create: { width, height, channels: alpha === undefined ? 3 : 4, background },
  });
  if (format === 'webp') return image.webp({ lossless: true }).toBuffer();
  return format === 'png' ? image.png().toBuffer() : image.jpeg({ quality: 100 }).toBuffer();
}

/** Expects an error with a reason and with each text in its message. */
export async function expectFailure(
  job: Promise<unknown>,
  reason: TrainingReason,
  ...texts: readonly string[]
): Promise<void> {
  const error = (await job.catch((thrown) => thrown)) as TrainingError;
  expect(error).toBeInstanceOf(TrainingError);
  expect(error.reason).toBe(reason);
  for (const text of texts) expect(error.message).toContain(text);
}

/** Returns the numbers of a cell. */
export function cell(
  data: { pixels: Uint8Array; side: number; channels: number },
  image: number,
  x: number,
  y: number,
): number[] {
  const at = ((image * data.side + y) * data.side + x) * data.channels;
  return [...data.pixels.subarray(at, at + data.channels)];
}
