/** The pictures of a film, a file each, so that pages can show any moment of it. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Response } from 'express';
import type { Planes } from '../../shared/codec/chunks.ts';
import { getOrAdd } from '../platform/collections.ts';
import { Mutex } from '../platform/queues.ts';
import type { PictureWriter } from '../replay/pictures.ts';

const folderOf = (film: string): string => `${film}.frames`;

/** The file of a picture: gzip of the planes, colours first. @param film path of the film */
export const frameFile = (film: string, index: number): string => join(folderOf(film), `${index}`);

/** Also writes each picture to a file of its own. @param film path of the film */
export function withFrames(
  film: string,
  pictures: PictureWriter,
): PictureWriter & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    async add(planes, tick) {
      const index = count++;
      if (index === 0) await mkdir(folderOf(film), { recursive: true });
      await writeFile(frameFile(film, index), await promisify(gzip)(bytesOf(planes)));
      await pictures.add(planes, tick);
    },
    end: () => pictures.end(),
  };
}

/** How folders are removed in which a process may still be writing. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

/** Removes a film and its pictures. @throws the system's error */
export const removeFilm = (film: string): Promise<unknown> =>
  Promise.all([rm(film, { force: true }), rm(folderOf(film), REMOVAL)]);

function bytesOf({ rgba, owner }: Planes): Uint8Array {
  return Buffer.concat([rgba, new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength)]);
}

/** Files are read one at a time. */
const reading = new Mutex();
/** Frames that are being sent, and to how many clients, by file. */
const sending = new Map<string, { readonly bytes: Promise<Buffer>; receivers: number }>();

/**
 * Sends the file of a frame. Responses hold no file descriptors, as some clients never read them,
 * and those that are sent at the same time share their bytes.
 */
export function sendFrame(file: string, response: Response): void {
  const frame = getOrAdd(sending, file, () => {
    return { bytes: reading.runExclusive(() => readFile(file)), receivers: 0 };
  });
  frame.receivers++;
  response.once('close', () => {
    if (--frame.receivers === 0) sending.delete(file);
  });
  // The frames of a film do not change.
  response.set({ 'Content-Encoding': 'gzip', 'Cache-Control': 'private, max-age=86400' });
  response.type('application/octet-stream');
  frame.bytes.then(
    (bytes) => response.end(bytes),
    () => response.destroy(),
  );
}
