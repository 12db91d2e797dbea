/** Watches the free space of the data folder's disk, so that the log warns before it is full. */
import { statfs } from 'node:fs/promises';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

export interface DiskWatchOptions {
  /** The data folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes free on the disk of a folder. @throws the system's error */
  readonly freeOf?: (folder: string) => Promise<number>;
}

const { diskFilling, diskLook } = DEFAULTS.operations;
/** Factor of `diskFilling` that must be free again, so that the log does not repeat itself. */
const AGAIN = 1.25;
const MEGABYTE = 2 ** 20;

async function freeSpaceOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Checks the free space at intervals. */
export class DiskWatch {
  /** Bytes free at the last check; undefined if it is not known. */
  free: number | undefined;
  /** Whether there is little space. */
  isFilling = false;
  private stopped = false;
  private cancel = (): void => {};

  constructor(private readonly options: DiskWatchOptions) {
    void this.check();
  }

  /** Ends the checks. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private async check(): Promise<void> {
    const { folder, clock, freeOf = freeSpaceOf } = this.options;
    this.free = await freeOf(folder).catch(() => undefined);
    if (this.stopped) return;
    if (this.free !== undefined) this.compare(this.free);
    this.cancel = clock.after(diskLook, () => void this.check());
  }

  private compare(free: number): void {
    const { log } = this.options;
    const isFilling = free < (this.isFilling ? AGAIN : 1) * diskFilling;
    if (isFilling === this.isFilling) return;
    this.isFilling = isFilling;
    const left = `${Math.floor(free / MEGABYTE)} MiB are free on the disk of the data folder`;
    const reserve = Math.floor(DEFAULTS.store.reserve / MEGABYTE);
    if (isFilling)
      log.warn('disk-filling', `Only ${left}. Below ${reserve} MiB, nothing is stored.`);
    else log.info('disk-free', `${left} again.`);
  }
}
