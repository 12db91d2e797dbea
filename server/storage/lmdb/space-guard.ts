/** Keeps some of the disk free: LMDB may crash the process when a write finds the disk full. */
import { statfsSync } from 'node:fs';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { StoreError } from '../store-error.ts';

const MEGABYTE = 2 ** 20;
/** Pages of a transaction besides its records, as a factor of these. */
const PAGES = 2;
/** Factor of the reserve that must be free again, so that writing does not alternate. */
const AGAIN = 1.25;

/** Bytes free on the disk of a folder. @throws the system's error */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Refuses writes while less than a reserve would stay free. */
export class SpaceGuard {
  private isShort = false;

  /** @param free bytes free on the disk */
  constructor(private readonly free: () => number) {}

  /**
   * Call before a write.
   *
   * @param bytes of its records
   * @throws StoreError disk-full
   */
  require(bytes: number): void {
    const { reserve } = DEFAULTS.store;
    const free = this.free();
    this.isShort = free < (this.isShort ? AGAIN : 1) * reserve + PAGES * bytes;
    if (!this.isShort) return;
    const [left, kept] = [free, reserve].map((size) => Math.floor(size / MEGABYTE));
    throw new StoreError(
      'disk-full',
      `The disk is nearly full: ${left} MiB are free, and ${kept} MiB must stay free.`,
    );
  }
}
