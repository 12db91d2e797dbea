/** What benches can be told on the command line. */
import type { BackendName } from '../../server/engine/backend.ts';

export type Log = (line: string) => void;

export interface BenchOptions {
  /** Folder of a checkpoint. */
  readonly checkpoint?: string;
  /** Which engine; absent: the best that works here. */
  readonly engine?: BackendName;
  readonly pytorch?: boolean;
  readonly seconds?: number;
  readonly organisms?: number;
  readonly visitors?: number;
  /** Share of the organisms that may express at once, 0…1. */
  readonly liveliness?: number;
}
