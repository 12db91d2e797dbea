/** Describes the machine that the figures were measured on. */
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /**
   * Processes that wanted to run, mean of the last minute: what else ran meanwhile is in the
   * figures.
   */
  readonly load: number;
}

export const describeMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() || process.arch,
  cores: availableParallelism(),
  load: loadavg()[0],
});
