/** Errors of training sets. */
import { readFile } from 'node:fs/promises';

/** Reasons for which a training set cannot be loaded. */
export type DatasetReason =
  /** The package with the images is not installed. */
  | 'missing-package'
  | 'missing-folder'
  | 'missing-file'
  /** There is nothing to train on. */
  | 'empty-set'
  /** An image cannot be read or shows nothing. */
  | 'broken-image'
  /** A list that comes with the images (tile table, partition) cannot be understood. */
  | 'broken-list'
  | 'checksum-mismatch'
  | 'bad-config'
  /** The built set cannot be stored. */
  | 'unwritable-cache';

/** The message names the file, what is wrong, and what to do next. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';

  /** The message is `file: what; next`. */
  constructor(
    readonly reason: DatasetReason,
    /** The file, folder, package or field in question. */
    readonly file: string,
    what: string,
    /** What the reader should do. */
    next: string,
  ) {
    super(`${file}: ${what}; ${next}`);
  }
}

/** The code of a failed file operation, for messages. */
export function ioCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
}

/** Reads a file. @throws DatasetError with `reason`; `next` says what to do */
export async function readSource(
  file: string,
  reason: DatasetReason,
  next: string,
): Promise<Buffer> {
  return readFile(file).catch((error) => {
    throw new DatasetError(reason, file, `cannot be read (${ioCode(error)})`, next);
  });
}
