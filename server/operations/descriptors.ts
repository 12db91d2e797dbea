/**
 * File descriptors: how many connections fit into them, and whether any are left. A process without any accepts nobody and
 * opens nothing while its ticks go on, so that nothing else would notice.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Limits } from '../realtime/admission/command-costs.ts';

/** How many file descriptors the process may have, and has. */
export interface Descriptors {
  readonly limit: number;
  readonly used: number;
}

/** @returns undefined where the system does not say, or sets no limit */
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
 * Lowers the number of visitors' connections to what fits, so that with as many again for pages there are descriptors left for
 * the server's own files. Where few descriptors are allowed, a quarter of them is left.
 *
 * @param descriptors undefined: nothing is lowered
 * @returns one connection at least
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

/** Whether an error says that the process, or the system, has no descriptor left. */
function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

export interface DescriptorWatchOptions {
  readonly clock: Clock;
  /** A file that is opened at each look; whether it is there does not matter. */
  readonly file: string;
  /** Time between two looks, ms. */
  readonly every: number;
  /** Looks in a row that must fail. */
  readonly failures: number;
  /** Called at each look from then on until there are descriptors again. */
  readonly onExhausted: () => void;
  /** Opens a file, and closes it. @throws the system's error */
  readonly look?: (file: string) => Promise<void>;
}

async function openAndClose(file: string): Promise<void> {
  const handle = await open(file);
  await handle.close();
}

export class DescriptorWatch {
  private failed = 0;
  private stopped = false;
  private cancel: () => void;

  constructor(private readonly options: DescriptorWatchOptions) {
    this.cancel = this.plan();
  }

  /** Whether files and connections can be opened. */
  get hasSome(): boolean {
    return this.failed < this.options.failures;
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private plan(): () => void {
    const { clock, every } = this.options;
    return clock.after(every, () => void this.look());
  }

  private async look(): Promise<void> {
    const { file, onExhausted, look = openAndClose } = this.options;
    try {
      await look(file);
      this.failed = 0;
    } catch (error) {
      this.failed = isExhaustion(error) ? this.failed + 1 : 0;
    }
    if (this.stopped) return;
    if (!this.hasSome) onExhausted();
    this.cancel = this.plan();
  }
}
