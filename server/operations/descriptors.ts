/** File descriptors: how many connections they allow. */
import { readdirSync, readFileSync } from 'node:fs';
import { DEFAULTS } from '../../shared/defaults.ts';
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
