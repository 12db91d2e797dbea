/** Measures of a process: time that it shares with others, memory, how late its event loop is. */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** @returns ms of the system's monotonic clock, which all processes of a machine share */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** @returns bytes in use on this process's heap after a collection; needs `--expose-gc` */
export function heapInUse(): number {
  // Twice: what the first one frees may free more.
  global.gc!();
  global.gc!();
  return process.memoryUsage().heapUsed;
}

/** What a process has used of its machine since `begin`. */
export class ProcessUsage {
  private readonly delay;
  private since = { at: sharedNow(), cpu: process.cpuUsage(), written: bytesWritten() };

  /** @param resolution ms between looks at the event loop */
  constructor(private readonly resolution = 5) {
    this.delay = monitorEventLoopDelay({ resolution });
    this.delay.enable();
  }

  begin(): void {
    this.delay.reset();
    this.since = { at: sharedNow(), cpu: process.cpuUsage(), written: bytesWritten() };
  }

  get seconds(): number {
    return (sharedNow() - this.since.at) / 1000;
  }

  /** Cores. */
  get cpu(): number {
    const { user, system } = process.cpuUsage(this.since.cpu);
    return (user + system) / 1e6 / this.seconds;
  }

  /** Bytes per second written to sockets and files; 0 where the system does not tell. */
  get bytesOut(): number {
    return (bytesWritten() - this.since.written) / this.seconds;
  }

  /** By how much timers were late, ms. @param share 0…1 of them that were no later */
  loopDelay(share: number): number {
    return Math.max(0, this.delay.percentile(100 * share) / 1e6 - this.resolution);
  }
}

/** Bytes that this process has written since its start. */
function bytesWritten(): number {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
