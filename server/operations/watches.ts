/** Detects a lack of file descriptors, and ticks that take too long. */

import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Limits } from '../realtime/limits/connection-limits.ts';
import type { RestartLimit } from './supervisor.ts';

export const DESCRIPTOR_INTERVAL = 2_000;
/**
 * Number of consecutive failed checks after which the process counts as having no free descriptors.
 */
const MOST_FAILURES = 2;
/** Number of file descriptors that connections must leave free. */
const RESERVED = 256;
const CONSEQUENCE = 'Nobody can connect until you restart the server';

/** Opens and closes a file that certainly exists: Node's executable. @throws Error if this fails */
async function openFile(): Promise<void> {
  const handle = await open(process.execPath);
  await handle.close();
}

/** Returns whether an error means that the process or the system has no file descriptors left. */
function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Regularly checks whether the process has file descriptors left, by opening a file. Without free
 * descriptors, nobody can connect, although the rooms continue.
 */
export class ExhaustionWatch {
  private failed = 0;
  private isRestarting = false;
  private isLogged = false;
  readonly stop: () => void;

  /**
   * @param options.limit limits how often `restart` is called
   * @param options.restart ends the process so that a supervisor restarts it; undefined if there is
   *   no supervisor
   * @param options.probe opens and closes a file; throws an error if this fails
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
    const often =
      'The server does not restart itself now, because it does so at most three times per hour';
    const why = restart ? often : 'No supervisor would restart the server';
    log.error('no-descriptors', `The server has no file descriptors left. ${why}. ${CONSEQUENCE}.`);
  }
}

/**
 * Reads from /proc how many file descriptors the process may have, and how many it uses.
 *
 * @returns undefined if the system has no /proc or sets no limit
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
 * Lowers the maximum number of visitors' connections if there are not enough file descriptors.
 *
 * @param descriptors limit and use of file descriptors; if undefined, `limits` are returned
 *   unchanged
 * @returns the new limits, which allow at least one connection
 */
export function limitsWithin(limits: Limits, log: Log, descriptors = readDescriptors()): Limits {
  if (!descriptors) return limits;
  const { limit, used } = descriptors;
  const reserve = Math.min(RESERVED, Math.floor(limit / 4));
  const connections = Math.max(1, Math.floor((limit - used - reserve) / 2));
  if (connections >= limits.connections) return limits;
  const text = `The system allows this server only ${limit} open files, so the server accepts only ${connections} connections instead of ${limits.connections}. Raise the system's limit: LimitNOFILE= in the systemd unit, docker run --ulimit nofile=65536, or ulimit -n.`;
  log.warn('few-descriptors', text, { limit, connections });
  return { ...limits, connections };
}

/** How long a tick may take before it counts as stalled and the process should restart, in ms. */
export const STALL = 30_000;
/** How long a tick may take before `isTicking` becomes false, in ms. */
const SLOW = 5_000;
const CHECK_INTERVAL = 1_000;

/** Checks once a second whether the current tick takes too long. */
export class TickWatchdog {
  private begun = 0;
  private ended = 0;
  private endedAtLastCheck = 0;
  /**
   * Number of consecutive checks at which the same tick was still running. Unlike a duration, it
   * does not grow while the process is suspended or the machine sleeps.
   */
  private stalledChecks = 0;
  readonly stop: () => void;

  /**
   * @param onStalled called once when a tick takes longer than `STALL`
   * @param onHeartbeat called at each check while `isTicking` is true
   */
  constructor(
    clock: Clock,
    private readonly onStalled: () => void,
    private readonly onHeartbeat?: () => void,
  ) {
    this.stop = repeat(clock, CHECK_INTERVAL, () => this.check());
  }

  /** False while a tick has been running for `SLOW` or longer. */
  get isTicking(): boolean {
    return this.stalledChecks * CHECK_INTERVAL < SLOW;
  }

  /** Watches a tick until it ends. Returns the result of the tick. */
  async during<T>(tick: Promise<T>): Promise<T> {
    this.begun++;
    try {
      return await tick;
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
