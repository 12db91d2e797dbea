/**
 * File descriptors: how many connections they allow, and whether any are left. Without any, the
 * process cannot accept connections or open files, but its ticks continue, so no other check
 * notices.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Limits } from '../realtime/admission/command-costs.ts';

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

/** Whether an error means that the process, or the system, has no descriptors left. */
function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

export interface DescriptorWatchOptions {
  readonly clock: Clock;
  /** The file to open at each check. It need not exist. */
  readonly file: string;
  /** Time between two checks, ms. */
  readonly every: number;
  /** Failed checks in a row that count as exhaustion. */
  readonly failures: number;
  /** Called at each check while descriptors are exhausted. */
  readonly onExhausted: () => void;
  /** Opens and closes a file. @throws the system's error */
  readonly probe?: (file: string) => Promise<void>;
}

async function openAndClose(file: string): Promise<void> {
  const handle = await open(file);
  await handle.close();
}

/** Checks at intervals whether a file can be opened. */
export class DescriptorWatch {
  private failed = 0;
  private stopped = false;
  private cancel: () => void;

  constructor(private readonly options: DescriptorWatchOptions) {
    this.cancel = this.schedule();
  }

  /** Whether files and connections can be opened. */
  get hasSome(): boolean {
    return this.failed < this.options.failures;
  }

  /** Ends the checks. */
  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private schedule(): () => void {
    const { clock, every } = this.options;
    return clock.after(every, () => void this.check());
  }

  private async check(): Promise<void> {
    const { file, onExhausted, probe = openAndClose } = this.options;
    try {
      await probe(file);
      this.failed = 0;
    } catch (error) {
      this.failed = isExhaustion(error) ? this.failed + 1 : 0;
    }
    if (this.stopped) return;
    if (!this.hasSome) onExhausted();
    this.cancel = this.schedule();
  }
}
