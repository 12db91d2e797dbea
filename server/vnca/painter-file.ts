/** The painter of a checkpoint, if its folder has one. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePainter } from '../../shared/painter/net.ts';
import { CheckpointError } from './errors.ts';

/** File name in a checkpoint folder. */
export const PAINTER_FILE = 'painter.safetensors';

/**
 * Reads and checks the file of a painter.
 *
 * @param folder of the checkpoint
 * @returns its bytes; undefined without the file
 * @throws CheckpointError corrupt-file: it is none; missing-file: it cannot be read
 */
export async function readPainter(folder: string): Promise<Buffer | undefined> {
  const file = join(folder, PAINTER_FILE);
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CheckpointError('missing-file', file, `file cannot be read (${error.code})`);
  });
  if (!bytes) return undefined;
  try {
    parsePainter(bytes);
  } catch (error) {
    throw new CheckpointError('corrupt-file', file, (error as Error).message);
  }
  return bytes;
}

/** The folder of the addresses of painters. */
export const PAINTERS = '/painters';

/**
 * The address of a painter, which says what is in the file: browsers keep it forever.
 *
 * @param painter its file
 */
export function painterPath(painter: Buffer): string {
  const hash = createHash('sha256').update(painter).digest('hex');
  return `${PAINTERS}/${hash.slice(0, 16)}`;
}

/** The painters of checkpoints, by their addresses. */
export const paintersByPath = (
  checkpoints: readonly { readonly painter?: Buffer | undefined }[],
): ReadonlyMap<string, Buffer> =>
  new Map(checkpoints.flatMap(({ painter }) => (painter ? [[painterPath(painter), painter]] : [])));
