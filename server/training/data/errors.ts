/** What can be wrong with a training set; the message names the file, what is wrong and what to do next. */
export type DatasetReason =
  /** The package that holds the set is not installed. */
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
  /** What was built cannot be kept. */
  | 'unwritable-cache';

export class DatasetError extends Error {
  override readonly name = 'DatasetError';

  /** The message is `file: what; next`. */
  constructor(
    readonly reason: DatasetReason,
    /** The file, folder, package or field that is at fault. */
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
