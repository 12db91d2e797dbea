/**
 * Reads and writes files that may be too large for a single system call. Files are replaced
 * atomically, so that no half-written file is left after a failure.
 */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';

const CHUNK = 64 * 1024 * 1024;

/**
 * Reads a file. Returns undefined if the file does not exist.
 *
 * @throws Error if the file cannot be read, or becomes shorter while it is being read
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

/** Reads a file in chunks, because a single call can read at most 2 GiB. */
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
 * Writes a file atomically: after a crash or power failure, either the old or the new content
 * exists. If writing fails, the temporary file is removed.
 */
export const replaceFile = (file: string, parts: Parts): Promise<void> =>
  replaceFiles(new Map([[file, parts]]));

/** Returns the temporary name of a file while it is being written. */
const unfinished = (file: string): string => `${file}.part`;

/**
 * Writes files that belong together. First, all files are written under temporary names. Then they
 * are renamed in the given order, so that a failure to write a file changes nothing. Only a crash
 * between two renames leaves a mixture of old and new files.
 *
 * @param files content by file name
 * @param beforeLast called after all files except the last one have been renamed
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
    // Write the content to disk before the file is renamed. Otherwise, a power failure could leave
    // an empty file under the final name.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Removes a file. Ignores failures, because callers report the earlier error instead.
 */
const remove = (file: string): Promise<void> => rm(file, { force: true }).catch(() => {});
