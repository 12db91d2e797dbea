/** What the engine and its worker say to each other. */
import type { Card } from '../../vnca/card.ts';
import type { WeightTensor } from '../../vnca/checkpoint.ts';
import type { BackendName, PassedOver } from '../backend.ts';
import type { PatchStore } from '../core/patchStore.ts';
import type { EngineInfo, EngineReason } from '../engine.ts';

/** The worker's `workerData`. */
export interface WorkerStart {
  readonly backend: BackendName | 'auto';
  readonly models: readonly { card: Card; tensors: ReadonlyMap<string, WeightTensor> }[];
  /** See `StoreBackend.open`. */
  readonly mostDeviceLosses?: number;
}

export type Method = Exclude<keyof PatchStore, 'close' | 'pipelined'>;
type Call<M extends Method> = NonNullable<PatchStore[M]>;
export type Arguments<M extends Method> = Parameters<Call<M>>[0];
export type Result<M extends Method> = Awaited<ReturnType<Call<M>>>;

export interface Request<M extends Method = Method> {
  readonly call: number;
  readonly method: M;
  readonly argument: Arguments<M>;
}

export interface Failure {
  readonly reason: EngineReason;
  readonly detail: string;
}

export type Reply =
  /** The first message: the worker is ready, or will never be. */
  | {
      readonly info: EngineInfo;
      readonly passed: readonly PassedOver[];
      /** As `Selection.inVain`. */
      readonly inVain: boolean;
    }
  | { readonly unavailable: Failure; readonly passed: readonly PassedOver[] }
  /** At any time: the device was lost, and another is sought. */
  | { readonly lost: string }
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly failure: Failure };
