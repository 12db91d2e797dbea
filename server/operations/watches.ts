/**
 * Watches for three problems that stop a server gradually: a full disk, a lack of file descriptors,
 * and a stalled tick. The watches log problems and tell the caller to restart the process; they
 * never end the process themselves.
 * Start reading at the three classes.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Limits } from '../realtime/limits/connection-limits.ts';
import { DISK_RESERVE } from '../storage/records.ts';
import type { RestartLimit } from './supervisor.ts';

/** Free disk space below which the log warns, in bytes. */
export const FILLING = 1_073_741_824;
export const DISK_INTERVAL = 10_000;
/**
 * The warning ends when `FILLING` × this factor is free. It is more than 1, so that small changes
 * do not make the log repeat the warning.
 */
const AGAIN = 1.25;
const MEGABYTE = 2 ** 20;

async function freeSpaceOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Checks the free disk space at intervals. */
export class DiskWatch {
  /** Bytes free at the last check; undefined if unknown. */
  free: number | undefined;
  /** Whether little space is left. */
  isFilling = false;
  readonly stop: () => void;

  /**
   * @param folder the data folder
   * @param freeOf returns the bytes free on the disk of a folder, or throws the system's error
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
    const isFilling = free < (this.isFilling ? AGAIN : 1) * FILLING;
    if (isFilling === this.isFilling) return;
    this.isFilling = isFilling;
    const left = `${Math.floor(free / MEGABYTE)} MiB are free on the disk of the data folder`;
    const limit = `${Math.floor(DISK_RESERVE / MEGABYTE)} MiB`;
    const warning = `Only ${left}. Free some space: below ${limit}, nothing is stored.`;
    if (isFilling) this.log.warn('disk-filling', warning);
    else this.log.info('disk-free', `${left} again.`);
  }
}

export const DESCRIPTOR_INTERVAL = 2_000;
/** After this many consecutive failed checks, the descriptors count as used up. */
const MOST_FAILURES = 2;
/** Descriptors reserved for purposes other than connections, beyond those in use at the start. */
const RESERVED = 256;
const CONSEQUENCE = 'Restart the server: until then, nobody can connect';

/** Opens and closes a file that exists: Node's own program. @throws the system's error */
async function openFile(): Promise<void> {
  const handle = await open(process.execPath);
  await handle.close();
}

/** Whether an error means that the process or the system has no descriptors left. */
function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Checks at intervals whether a file can be opened. A process without free descriptors cannot
 * accept connections or open files, but its ticks continue, so no other check notices.
 */
export class ExhaustionWatch {
  /** Number of consecutive failed checks. */
  private failed = 0;
  private isRestarting = false;
  private isLogged = false;
  readonly stop: () => void;

  /**
   * @param options.restart exits, so that a supervisor restarts the server; undefined if there is
   *   no supervisor
   * @param options.probe opens and closes a file, or throws the system's error
   */
  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly log: Log;
      readonly limit: RestartLimit;
      readonly restart: (() => void) | undefined;
      readonly probe?: () => Promise<void>;
    },
  ) {
    this.stop = repeat(options.clock, DESCRIPTOR_INTERVAL, () => this.check());
  }

  /** Whether the process can open files and accept connections. */
  get hasSome(): boolean {
    return this.failed < MOST_FAILURES;
  }

  private async check(): Promise<void> {
    const { probe = openFile } = this.options;
    try {
      await probe();
      this.failed = 0;
    } catch (error) {
      this.failed = isExhaustion(error) ? this.failed + 1 : 0;
    }
    if (!this.hasSome) void this.react();
  }

  private async react(): Promise<void> {
    const { log, limit, restart } = this.options;
    if (this.isRestarting) return;
    this.isRestarting = true;
    if (restart && (await limit.take())) {
      log.error('no-descriptors', 'The server has no file descriptors left, so it restarts.');
      return restart();
    }
    this.isRestarting = false;
    if (this.isLogged) return;
    this.isLogged = true;
    const often = 'It restarts itself only a few times an hour';
    const why = restart ? often : 'No supervisor restarts it';
    log.error('no-descriptors', `The server has no file descriptors left. ${why}. ${CONSEQUENCE}.`);
  }
}

/**
 * Reads from /proc how many file descriptors the process may have, and how many are in use.
 *
 * @returns undefined if the system has no such files or sets no limit
 */
export function readDescriptors(
  limits = () => readFileSync('/proc/self/limits', 'utf8'),
  used = () => readdirSync('/proc/self/fd').length,
): { readonly limit: number; readonly used: number } | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits())?.[1]);
    return Number.isFinite(limit) ? { limit, used: used() } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Lowers the limit of visitors' connections to a number that the file descriptors allow. Of the
 * free descriptors, some (at most a quarter of the system's limit) are reserved for the server's
 * own files. Half of the rest is for visitors' connections, the other half for page requests.
 *
 * @param descriptors if undefined, the limits stay as they are
 * @returns limits with at least one connection
 */
export function limitsWithin(limits: Limits, log: Log, descriptors = readDescriptors()): Limits {
  if (!descriptors) return limits;
  const { limit, used } = descriptors;
  const reserve = Math.min(RESERVED, Math.floor(limit / 4));
  const connections = Math.max(1, Math.floor((limit - used - reserve) / 2));
  if (connections >= limits.connections) return limits;
  log.warn(
    'few-descriptors',
    `The system allows this process only ${limit} file descriptors, so visitors get ${connections} connections instead of ${limits.connections}. Allow more with LimitNOFILE= in the unit, docker run --ulimit nofile=65536, or ulimit -n.`,
    { limit, connections },
  );
  return { ...limits, connections };
}

/**
 * How long a tick may take before it counts as stalled, in ms. The process should then exit, so
 * that its supervisor restarts it.
 */
export const STALL = 30_000;
/** How long a tick may take before ticks no longer count as running, in ms. */
const SLOW = 5_000;
const CHECK_INTERVAL = 1_000;

/** Checks once a second whether the current tick has ended. */
export class TickWatchdog {
  private begun = 0;
  private ended = 0;
  private endedAtLastCheck = 0;
  /**
   * Number of consecutive checks at which the same tick was still running. Checks are counted
   * rather than time, because time also passes while the process is suspended or the machine
   * sleeps.
   */
  private stalledChecks = 0;
  readonly stop: () => void;

  /**
   * @param onStalled called once when a tick takes longer than `STALL`
   * @param onHeartbeat called at each check while ticks run
   */
  constructor(
    clock: Clock,
    private readonly onStalled: () => void,
    private readonly onHeartbeat?: () => void,
  ) {
    this.stop = repeat(clock, CHECK_INTERVAL, () => this.check());
  }

  /** Whether a tick has ended recently, or no tick was due. */
  get isTicking(): boolean {
    return this.stalledChecks * CHECK_INTERVAL < SLOW;
  }

  async during<T>(tick: () => Promise<T>): Promise<T> {
    this.begun++;
    try {
      return await tick();
    } finally {
      this.ended++;
    }
  }

  private check(): void {
    const isStalled = this.begun > this.ended && this.ended === this.endedAtLastCheck;
    this.stalledChecks = isStalled ? this.stalledChecks + 1 : 0;
    this.endedAtLastCheck = this.ended;
    if (this.stalledChecks === STALL / CHECK_INTERVAL) this.onStalled();
    if (this.isTicking) this.onHeartbeat?.();
  }
}
