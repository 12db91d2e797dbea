/** Reacts to exhausted file descriptors: logs an error, and restarts the process if it may. */

import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Limits } from '../realtime/limits/allowance.ts';
import type { RestartLimit } from './supervisor.ts';

export interface ExhaustionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly limit: RestartLimit;
  /** The file to open at each check. It need not exist. */
  readonly file: string;
  /** Opens and closes a file. @throws the system's error */
  readonly probe?: (file: string) => Promise<void>;
  /** Exits, so that the supervisor starts the server again; undefined without a supervisor. */
  readonly restart: (() => void) | undefined;
}

const { descriptorLook, descriptorFailures } = DEFAULTS.operations;
const CONSEQUENCE = 'no new connections are possible until the server is restarted';

async function openAndClose(file: string): Promise<void> {
  const handle = await open(file);
  await handle.close();
}

/** Whether an error means that the process, or the system, has no descriptors left. */
function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Checks at intervals whether a file can be opened. Without any descriptors, the process cannot
 * accept connections or open files, but its ticks continue, so no other check notices.
 */
export class ExhaustionWatch {
  /** Failed checks in a row. */
  private failed = 0;
  private stopped = false;
  private isRestarting = false;
  private isLogged = false;
  private cancel: () => void;

  constructor(private readonly options: ExhaustionOptions) {
    this.cancel = this.schedule();
  }

  /** Whether files and connections can be opened. */
  get hasSome(): boolean {
    return this.failed < descriptorFailures;
  }

  /** Ends the checks. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private schedule(): () => void {
    return this.options.clock.after(descriptorLook, () => void this.check());
  }

  private async check(): Promise<void> {
    const { file, probe = openAndClose } = this.options;
    try {
      await probe(file);
      this.failed = 0;
    } catch (error) {
      this.failed = isExhaustion(error) ? this.failed + 1 : 0;
    }
    if (this.stopped) return;
    if (!this.hasSome) void this.react();
    this.cancel = this.schedule();
  }

  private async react(): Promise<void> {
    const { log, limit, restart } = this.options;
    if (this.isRestarting) return;
    this.isRestarting = true;
    if (restart && (await limit.take())) {
      log.error('no-descriptors', 'The process has no file descriptors left. It restarts.');
      return restart();
    }
    this.isRestarting = false;
    if (this.isLogged) return;
    this.isLogged = true;
    const why = restart ? 'It restarts by itself only a few times an hour' : 'It has no supervisor';
    log.error(
      'no-descriptors',
      `The process has no file descriptors left. ${why}: ${CONSEQUENCE}.`,
    );
  }
}

/** The number of file descriptors that the process may have, and has. */
interface Descriptors {
  readonly limit: number;
  readonly used: number;
}

/** @returns undefined if the system does not say, or sets no limit */
export function readDescriptors(
  limits = () => readFileSync('/proc/self/limits', 'utf8'),
  used = () => readdirSync('/proc/self/fd').length,
): Descriptors | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits())?.[1]);
    return Number.isFinite(limit) ? { limit, used: used() } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Lowers the limit of visitors' connections to what the descriptors allow. Half of them are for
 * page requests, and some (at most a quarter of the limit) are reserved for the server's own
 * files.
 *
 * @param descriptors undefined: the limits stay as they are
 * @returns limits with at least one connection
 */
export function limitsWithin(limits: Limits, log: Log, descriptors = readDescriptors()): Limits {
  if (!descriptors) return limits;
  const { limit, used } = descriptors;
  const reserve = Math.min(DEFAULTS.operations.reservedDescriptors, Math.floor(limit / 4));
  const connections = Math.max(1, Math.floor((limit - used - reserve) / 2));
  if (connections >= limits.connections) return limits;
  log.warn(
    'few-descriptors',
    `The system allows this process ${limit} file descriptors: visitors get ${connections} connections, not ${limits.connections}. Allow more with LimitNOFILE= in the unit, docker run --ulimit nofile=65536, or ulimit -n.`,
    { limit, connections },
  );
  return { ...limits, connections };
}
