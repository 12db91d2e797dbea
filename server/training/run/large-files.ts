/**
 * Reads and writes files that may be larger than one system call can handle, and never leaves a
 * half-written file.
 */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';

const CHUNK = 64 * 1024 * 1024;

/**
 * Reads a file, or returns undefined if there is none. @throws Error the file cannot be read, or
 * has shrunk
 */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  try {
    return handle && (await readWhole(handle));
  } finally {
    await handle?.close();
  }
}

/** Reads in chunks, because one call is limited to 2 GiB. */
async function readWhole(handle: FileHandle): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow((await handle.stat()).size);
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, offset, Math.min(CHUNK, bytes.length - offset));
    if (bytesRead === 0) throw new Error('the file is shorter than expected');
    offset += bytesRead;
  }
  return bytes;
}

type Parts = Iterable<Uint8Array | string>;

/**
 * Writes a file atomically: after a crash or power failure either the old or the new file exists.
 * Leaves nothing behind if it fails.
 */
export const replaceFile = (file: string, parts: Parts): Promise<void> =>
  replaceFiles(new Map([[file, parts]]));

/** Name of a file until it is complete. */
const unfinished = (file: string): string => `${file}.part`;

/**
 * Writes files that belong together: replaces none before all are written. Files are then renamed
 * in order, so a crash between two renames leaves a mixture of old and new files.
 *
 * @param beforeLast runs when all files but the last have been renamed
 */
export async function replaceFiles(
  files: ReadonlyMap<string, Parts>,
  beforeLast?: () => Promise<void>,
): Promise<void> {
  const names = [...files.keys()];
  try {
    for (const [file, parts] of files) await writeThrough(unfinished(file), parts);
    for (const [i, file] of names.entries()) {
      if (i === names.length - 1) await beforeLast?.();
      await rename(unfinished(file), file);
    }
  } catch (error) {
    for (const file of names) await remove(unfinished(file));
    throw error;
  }
}

async function writeThrough(file: string, parts: Parts): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await writeFile(handle, parts);
    // Sync first, or a power failure could leave a file with its name but without its bytes.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Removes a file. Ignores a failure, because the caller reports the error that led to the removal.
 */
const remove = (file: string): Promise<void> => rm(file, { force: true }).catch(() => {});
