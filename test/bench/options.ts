/** Options of benches, and a description of the machine on which they run. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BackendName } from '../../server/engine/backend.ts';

export type Log = (line: string) => unknown;

export interface BenchOptions {
  /** Folder of a checkpoint. */
  readonly checkpoint?: string;
  /** Name of the engine. If absent, the best engine that works here. */
  readonly engine?: BackendName;
  readonly pytorch?: boolean;
  readonly seconds?: number;
  readonly organisms?: number;
  readonly visitors?: number;
  /** Share of the organisms that may express at the same time, 0…1. */
  readonly liveliness?: number;
}

/**
 * Describes the machine that the figures were measured on. `load` is the mean number of processes
 * that wanted to run in the last minute, so the figures tell what else ran meanwhile.
 */
export const describeMachine = () => ({
  cpu: cpus()[0]?.model.trim() || process.arch,
  cores: availableParallelism(),
  load: loadavg()[0],
});
