/** What the store and its thread say to each other. */
import type { StoreReason } from '../errors.ts';
import type { Table } from './table.ts';

/** The thread's `workerData`. */
export interface StoreStart {
  readonly folder: string;
  readonly readOnly: boolean;
}

export type Method = keyof Table;
export type Argument<M extends Method> = Parameters<Table[M]>[0];
export type Result<M extends Method> = Awaited<ReturnType<Table[M]>>;

export interface Request<M extends Method = Method> {
  readonly call: number;
  readonly method: M;
  readonly argument?: Argument<M>;
}

export interface Failure {
  readonly reason: StoreReason;
  readonly message: string;
}

export type Reply =
  /** The first message: the thread is ready, or never will be. */
  | { readonly ready: true | Failure }
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly failure: Failure };
