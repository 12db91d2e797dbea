/** Files that may be larger than one call of the system takes, and are never left half written. */
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';

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

/** Writes a file atomically: after a crash or power failure the old or the new one is there. */
export async function replaceFile(
  file: string,
  parts: Iterable<Uint8Array | string>,
  unfinished = `${file}.part`,
): Promise<void> {
  const part = await open(unfinished, 'w');
  try {
    await writeFile(part, parts);
    // Otherwise a power failure could leave the name on a file without its bytes.
    await part.sync();
  } finally {
    await part.close();
  }
  await rename(unfinished, file);
}
