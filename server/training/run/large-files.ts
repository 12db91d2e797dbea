/** Files that may be larger than one call of the system takes, and are never left half written. */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';

const CHUNK = 64 * 1024 * 1024;

/** Reads a file; undefined if there is none. @throws Error it cannot be read, or has shrunk */
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
 * Writes a file atomically: after a crash or power failure the old or the new one is there. Leaves
 * nothing behind when it fails.
 */
export const replaceFile = (file: string, parts: Parts, unfinished?: string): Promise<void> =>
  replaceFiles(
    new Map([[file, parts]]),
    undefined,
    unfinished === undefined ? undefined : () => unfinished,
  );

/**
 * Writes files that belong together: none is replaced before all are written. They get their names
 * in order; a crash between two leaves old and new ones.
 *
 * @param beforeLast runs when all others have their names
 * @param unfinished names a file until it is written
 */
export async function replaceFiles(
  files: ReadonlyMap<string, Parts>,
  beforeLast?: () => Promise<void>,
  unfinished = (file: string): string => `${file}.part`,
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
    // Otherwise a power failure could leave the name on a file without its bytes.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file; a failure is ignored, since the error before it is reported. */
const remove = (file: string): Promise<void> => rm(file, { force: true }).catch(() => {});
