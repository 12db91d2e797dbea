/** Refuses writes if the disk is almost full. */
import { statfsSync } from 'node:fs';
import { StoreError } from '../records.ts';

/** Free disk space that must remain after a write, in bytes. */
export const DISK_RESERVE = 134_217_728;

const MEGABYTE = 2 ** 20;
/** Maximum disk space that a transaction needs, as a multiple of the size of its records. */
const PAGES = 2;
/**
 * Hysteresis: after a refused write, the free space must reach this multiple of `DISK_RESERVE`
 * before writes are accepted again.
 */
const AGAIN = 1.25;

/** Returns the number of free bytes on a folder's disk. @throws the error of `statfsSync` */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Refuses writes after which fewer than `DISK_RESERVE` bytes would be free on the disk. */
export class SpaceGuard {
  private isShort = false;

  /** @param free returns the number of free bytes on the disk */
  constructor(private readonly free: () => number) {}

  /**
   * Checks that the disk has enough space for a write.
   *
   * @param bytes total size of the records to write
   * @throws StoreError 'disk-full'
   */
  require(bytes: number): void {
    const free = this.free();
    this.isShort = free < (this.isShort ? AGAIN : 1) * DISK_RESERVE + PAGES * bytes;
    if (!this.isShort) return;
    const [left, kept] = [free, DISK_RESERVE].map((size) => Math.floor(size / MEGABYTE));
    const text = `The disk is nearly full: only ${left} MiB are free, but at least ${kept} MiB must stay free. Free some space.`;
    throw new StoreError('disk-full', text);
  }
}
