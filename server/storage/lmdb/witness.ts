/** The number of writes in a file of its own, by which the loss of the last ones is detected. */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { COUNT_BYTES, cannotOpen, decodeCount, encodeCount } from './environment.ts';

export const WITNESS_FILE = 'witness';

/** @returns 0 if it is missing or damaged */
export function readWitness(folder: string): number {
  try {
    return decodeCount(readFileSync(join(folder, WITNESS_FILE)));
  } catch {
    return 0;
  }
}

export class Witness {
  private readonly file: number;

  /** @throws StoreError not-writable */
  constructor(folder: string) {
    try {
      this.file = openSync(join(folder, WITNESS_FILE), constants.O_RDWR | constants.O_CREAT);
    } catch (error) {
      throw cannotOpen(folder, error);
    }
  }

  /** Best effort: an outdated witness does no harm. */
  write(count: number): void {
    try {
      writeSync(this.file, encodeCount(count), 0, COUNT_BYTES, 0);
    } catch {
      // The write itself is stored.
    }
  }

  close(): void {
    closeSync(this.file);
  }
}
