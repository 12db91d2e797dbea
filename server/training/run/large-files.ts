/** Reads files that may be too large for a single system call, and replaces files atomically. */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';

const CHUNK = 64 * 1024 * 1024;

/**
 * Reads a file. Returns undefined if the file does not exist.
 *
 * @throws Error if the file cannot be read or shrinks while it is being read
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
 * Writes a file atomically: after a crash or power failure, the file has either its old or its new
 * content.
 */
export const replaceFile = (file: string, parts: Parts): Promise<void> =>
  replaceFiles(new Map([[file, parts]]));

const unfinished = (file: string): string => `${file}.part`;

/**
 * Writes files that belong together. All files are first written under temporary names, then
 * renamed in the given order. An error while writing changes no file. A crash or error while
 * renaming may leave a mixture of old and new files.
 *
 * @param files content by file name
 * @param beforeLast called just before the last file is renamed
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
    // Write the content to disk before the file is renamed, so that a power failure cannot leave an
    // empty file.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const remove = (file: string): Promise<void> => rm(file, { force: true }).catch(() => {});
