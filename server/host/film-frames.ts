/**
 * Stores the pictures of a film as one file each, so that pages can show any moment of the film.
 */
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

/**
 * Path of the file of one picture: the gzipped planes, colours first.
 *
 * @param film path of the film
 */
export const frameFile = (film: string, index: number): string => join(folderOf(film), `${index}`);

/** Writes each picture to a separate file, then passes it on. @param film path of the film */
export function withFrames(
  film: string,
  pictures: PictureWriter,
): PictureWriter & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    async add(planes, tick, room) {
      const index = count++;
      if (index === 0) await mkdir(folderOf(film), { recursive: true });
      await writeFile(frameFile(film, index), await promisify(gzip)(bytesOf(planes)));
      await pictures.add(planes, tick, room);
    },
    end: () => pictures.end(),
  };
}

/** Options for removing a folder in which a process may still be writing. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

export const removeFilm = (film: string): Promise<unknown> =>
  Promise.all([rm(film, { force: true }), rm(folderOf(film), REMOVAL)]);

function bytesOf({ rgba, owner }: Planes): Uint8Array {
  return Buffer.concat([rgba, new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength)]);
}

/** Files are read one at a time, to limit the number of open file descriptors. */
const reading = new Mutex();
/** Frames that are being sent, by file, with the number of clients that receive them. */
const sending = new Map<string, { readonly bytes: Promise<Buffer>; receivers: number }>();

/**
 * Sends the file of a frame from memory. Responses do not hold a file descriptor, because some
 * clients never read them. Responses that are sending the same frame share its bytes.
 */
export function sendFrame(file: string, response: Response): void {
  const frame = getOrAdd(sending, file, () => {
    return { bytes: reading.runExclusive(() => readFile(file)), receivers: 0 };
  });
  frame.receivers++;
  response.once('close', () => {
    if (--frame.receivers === 0) sending.delete(file);
  });
  // Browsers may cache a frame: the frames of a film do not change.
  response.set({ 'Content-Encoding': 'gzip', 'Cache-Control': 'private, max-age=86400' });
  response.type('application/octet-stream');
  frame.bytes.then(
    (bytes) => response.end(bytes),
    () => response.destroy(),
  );
}
