/** Warns when little space is left on the disk of the data folder. */
import { statfs } from 'node:fs/promises';
import { LITTLE_DISK_SPACE } from '../../shared/limits.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { DISK_RESERVE } from '../storage/lmdb/disk-space.ts';

export const DISK_INTERVAL = 10_000;
/**
 * After a warning, the space counts as too little until `LITTLE_DISK_SPACE` × `AGAIN` bytes are
 * free. Otherwise, small changes of the free space would repeat the warning.
 */
const AGAIN = 1.25;
const MEGABYTE = 2 ** 20;

async function freeSpaceOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Regularly checks the free space on the data folder's disk, and warns if there is too little. */
export class DiskWatch {
  /** Free space at the last check, in bytes; undefined if unknown. */
  free: number | undefined;
  isFilling = false;
  readonly stop: () => void;

  /**
   * @param folder the data folder
   * @param freeOf returns the free space on a folder's disk, in bytes; may throw an error
   */
  constructor(
    private readonly folder: string,
    private readonly log: Log,
    clock: Clock,
    private readonly freeOf = freeSpaceOf,
  ) {
    this.stop = repeat(clock, DISK_INTERVAL, () => this.check(), 0);
  }

  private async check(): Promise<void> {
    const free = await this.freeOf(this.folder).catch(() => undefined);
    this.free = free;
    if (free === undefined) return;
    const isFilling = free < (this.isFilling ? AGAIN : 1) * LITTLE_DISK_SPACE;
    if (isFilling === this.isFilling) return;
    this.isFilling = isFilling;
    const left = Math.floor(free / MEGABYTE);
    const limit = Math.floor(DISK_RESERVE / MEGABYTE);
    const warning = `Only ${left} MiB are free on the disk of the data folder. Free some space: if less than ${limit} MiB are free, the server stores nothing.`;
    const relief = `The disk of the data folder has ${left} MiB of free space again.`;
    if (isFilling) this.log.warn('disk-filling', warning);
    else this.log.info('disk-free', relief);
  }
}
