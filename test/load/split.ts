/** Which cores the server has, and which the load, so that neither is measured by the other. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Split {
  /** As `taskset -c` takes them; undefined: any. */
  readonly server: string | undefined;
  readonly load: string | undefined;
  /** Client processes. */
  readonly processes: number;
  /** In words. */
  readonly words: string;
}

/** Sockets that one process carries with ease. */
const PER_PROCESS = 400;

/** Cores that this process may use; none: the system does not tell, or cannot give them out. */
function allowedCores(): number[] {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    const status = readFileSync('/proc/self/status', 'utf8');
    const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)!;
    return list.split(',').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  } catch {
    return [];
  }
}

/**
 * Gives the load up to half of the cores, one core for some hundred clients, and the server all
 * others.
 */
export function splitCores(clients: number): Split {
  const cores = allowedCores();
  const half = Math.floor(cores.length / 2);
  const processes = Math.max(1, Math.min(Math.ceil(clients / PER_PROCESS), half));
  if (cores.length < 2) {
    const why = cores.length === 1 ? 'this machine has only one core' : 'taskset is not installed';
    const words = `server and clients share cores, because ${why}`;
    return { server: undefined, load: undefined, processes, words };
  }
  const [server, load] = [cores.slice(0, -processes), cores.slice(-processes)];
  return {
    server: server.join(','),
    load: load.join(','),
    processes,
    words: `server on cores ${server.join(',')}, clients on cores ${load.join(',')}`,
  };
}
