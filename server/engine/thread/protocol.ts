/** What the engine and its worker say to each other. */
import type { Card } from '../../vnca/card.ts';
import type { WeightTensor } from '../../vnca/checkpoint.ts';
import type { BackendName, PatchStore } from '../backend.ts';
import type { SkippedEngine } from '../backends.ts';
import type { EngineInfo } from '../engine.ts';

/** The worker's `workerData`. */
export interface WorkerStart {
  readonly backend: BackendName | 'auto';
  readonly models: readonly { card: Card; tensors: ReadonlyMap<string, WeightTensor> }[];
  /** See `StoreBackend.open`. */
  readonly maxDeviceLosses?: number;
}

/** The start-up result. A failure to start has `passed` too. */
export interface Started {
  readonly info: EngineInfo;
  readonly skipped: readonly SkippedEngine[];
  /** As `Selection.inVain`. */
  readonly hasUnusedLibraries: boolean;
}

/** What the worker is asked. Calls are answered in the order they come. */
export type WorkerMethods = Required<Omit<PatchStore, 'close' | 'pipelined'>>;

/** What the worker says unasked. */
export interface EngineMethods {
  /** The device was lost, why, and another is sought. */
  lost(why: string): void;
}
