/** The messages between an engine and its worker thread. */
import type { Model } from '../../vnca/checkpoint.ts';
import type { BackendName, PatchStore } from '../backend.ts';
import type { SkippedEngine } from '../backends.ts';
import type { EngineInfo } from '../engine.ts';
import type { PackedReadouts, PackedSteps } from './step-messages.ts';

/** The worker's `workerData`. */
export interface WorkerStart {
  readonly backend: BackendName | 'auto';
  readonly models: readonly Model[];
  /** See `SelectionOptions`. */
  readonly excluded?: readonly SkippedEngine[];
  /** See `SelectionOptions`. */
  readonly prepared?: string;
  /** See `DeviceLossOptions.maxLosses`. */
  readonly maxDeviceLosses?: number;
}

/** The start-up result. A failure to start carries `skipped` too (`NoBackendError`). */
export interface Started {
  readonly info: EngineInfo;
  readonly skipped: readonly SkippedEngine[];
}

/** The worker's methods. Calls are answered in order. */
export interface WorkerMethods extends Required<Omit<PatchStore, 'close' | 'pipelined' | 'step'>> {
  step(steps: PackedSteps): Promise<PackedReadouts>;
}
/** Their names. */
const CALLS = ['plant', 'step', 'exportStates', 'importStates', 'dispose', 'take', 'put'] as const;

/** The worker's methods, each made by `make`, whose functions pass their argument on. */
export const eachMethod = (make: (method: keyof WorkerMethods) => (argument: never) => unknown) =>
  Object.fromEntries(CALLS.map((method) => [method, make(method)])) as unknown;

/** The methods that the worker calls. */
export interface EngineMethods {
  /** The worker's device was lost and is being reopened. */
  lost(why: string): void;
}
