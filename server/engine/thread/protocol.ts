/** The messages between an engine and its worker thread. */

import type { Worker } from 'node:worker_threads';
import { Mutex } from '../../platform/queues.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Genomes } from '../../vnca/chimera.ts';
import type { BackendName, PatchStore, TransferredPatch } from '../backend.ts';
import type { NoBackendError, SkippedEngine } from '../choose-backend.ts';
import {
  type Engine,
  EngineError,
  type EngineInfo,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine.ts';

/** Steps packed into arrays, for a message to the thread. */
interface PackedSteps {
  /**
   * [n, 4], one row per step: the patch; 1 if it divides, else 0; and the lengths of `keep` and
   * `closed` (−1 for an absent array).
   */
  readonly heads: Float64Array;
  /** The values of every `keep` and `closed`, concatenated in order. */
  readonly masks: Uint8Array;
  /** Every `express`, with the index of its step. They are too rare to be worth packing. */
  readonly expressed: readonly (readonly [number, Genomes])[];
}

/** Read-outs packed into arrays, for a message from the thread. */
interface PackedReadouts {
  /**
   * [n, 4], one row per read-out: the patch, `stage`, `change`, and 1 if the patch is broken, else
   * 0.
   */
  readonly heads: Float64Array;
  /** For each patch in order, `rgba` followed by `presence`. */
  readonly bytes: Uint8Array;
}

const STEP_HEAD = 4;
const READOUT_HEAD = 4;

/** Packs steps into arrays, for a message to a thread. */
export function packSteps(steps: readonly PatchStep[]): PackedSteps {
  let masked = 0;
  for (const { keep, closed } of steps) masked += (keep?.length ?? 0) + (closed?.length ?? 0);
  const heads = new Float64Array(STEP_HEAD * steps.length);
  const masks = append(new Uint8Array(masked));
  const expressed: [number, Genomes][] = [];
  steps.forEach(({ patch, divide, keep, closed, express }, i) => {
    heads.set([patch, Number(divide), masks.add(keep), masks.add(closed)], STEP_HEAD * i);
    if (express) expressed.push([i, express]);
  });
  return { heads, masks: masks.all, expressed };
}

/** Restores packed steps. Their masks are views of the message's array. */
function unpackSteps({ heads, masks, expressed }: PackedSteps): PatchStep[] {
  const genomes = new Map(expressed);
  let mask = 0;
  const maskOf = (size: number): Uint8Array | undefined =>
    size < 0 ? undefined : masks.subarray(mask, (mask += size));
  return Array.from({ length: heads.length / STEP_HEAD }, (_, i) => {
    const [patch, divide, keeps, closes] = headOf(heads, STEP_HEAD, i);
    const [keep, closed] = [maskOf(keeps), maskOf(closes)];
    const express = genomes.get(i);
    return {
      ...{ patch, divide: divide === 1 },
      ...(keep && { keep }),
      ...(closed && { closed }),
      ...(express && { express }),
    };
  });
}

/** Packs read-outs into two arrays, for a message from a thread. */
export function packReadouts(readouts: readonly Readout[]): PackedReadouts {
  const size = readouts.reduce((sum, { rgba, presence }) => sum + rgba.length + presence.length, 0);
  const heads = new Float64Array(READOUT_HEAD * readouts.length);
  const bytes = append(new Uint8Array(size));
  readouts.forEach(({ patch, stage, rgba, presence, change, broken }, i) => {
    heads.set([patch, stage, change, Number(broken ?? false)], READOUT_HEAD * i);
    bytes.add(rgba);
    bytes.add(presence);
  });
  return { heads, bytes: bytes.all };
}

/** Restores packed read-outs. `rgba` and `presence` are views of the message's array. */
export function unpackReadouts({ heads, bytes }: PackedReadouts): Readout[] {
  let at = 0;
  return Array.from({ length: heads.length / READOUT_HEAD }, (_, i) => {
    const [patch, stage, change, broken] = headOf(heads, READOUT_HEAD, i);
    const cells = stage * stage;
    const rgba = bytes.subarray(at, (at += 4 * cells));
    const presence = bytes.subarray(at, (at += cells));
    return { patch, stage, rgba, presence, change, ...(broken === 1 && { broken: true as const }) };
  });
}

const headOf = (heads: Float64Array, size: number, i: number): Float64Array =>
  heads.subarray(size * i, size * (i + 1));

/**
 * Returns the array and a function `add` that writes values into it one after another, from its
 * start. `add` returns the number of values written, or −1 if `values` is undefined.
 */
function append(all: Uint8Array) {
  let at = 0;
  const add = (values: ArrayLike<number> | undefined): number => {
    if (!values) return -1;
    all.set(values, at);
    at += values.length;
    return values.length;
  };
  return { all, add };
}

/** The worker's start options, passed as `workerData`. */
export interface WorkerStart {
  readonly backend: BackendName | 'auto';
  readonly models: readonly Model[];
}

/**
 * The result of a successful start. For a failed start, `NoBackendError` lists the skipped engines.
 */
export interface Started {
  readonly info: EngineInfo;
  readonly skipped: readonly SkippedEngine[];
}

/** The worker's methods. Calls are answered in order. */
export interface WorkerMethods extends Omit<ThreadEngine, 'info' | 'step' | 'close'> {
  step(steps: PackedSteps): Promise<PackedReadouts>;
}
const CALLS = ['plant', 'step', 'exportStates', 'importStates', 'dispose', 'take', 'put'] as const;

/** Builds an object with all of the worker's methods, each created by `make`. */
const eachMethod = (make: (method: keyof WorkerMethods) => (argument: never) => unknown) =>
  Object.fromEntries(CALLS.map((method) => [method, make(method)])) as unknown;

/**
 * Exposes a store as a worker's methods. Calls are answered in order. They run one at a time,
 * unless the store is pipelined.
 */
export function inOrder(store: PatchStore): WorkerMethods {
  const mutex = new Mutex();
  const step = async (steps: PackedSteps) => packReadouts(await store.step(unpackSteps(steps)));
  return eachMethod((method) => {
    const call = { ...store, step }[method] as (argument: unknown) => unknown;
    return (argument: unknown): Promise<unknown> => {
      const perform = async (): Promise<unknown> => call(argument);
      const early = store.pipelined ? perform() : undefined;
      // Prevents an unhandled rejection until `runExclusive` reports the failure in order.
      early?.catch(() => {});
      return mutex.runExclusive(() => early ?? perform());
    };
  }) as WorkerMethods;
}

/** An engine in one thread. `take` and `put` move patches between such threads. */
export interface ThreadEngine extends Engine {
  /** Removes patches and returns them for another thread. @throws EngineError unknown-patch */
  take(patches: readonly PatchId[]): Promise<TransferredPatch[]>;
  /** Adds patches that the `take` of another thread returned. */
  put(patches: readonly TransferredPatch[]): Promise<void>;
}

type ThreadMethods = Pick<ThreadEngine, keyof WorkerMethods>;

/**
 * Waits until a worker has started and returns an engine that calls it. If the worker dies, every
 * pending and later call fails with `failed`.
 *
 * @param onSkipped see `EngineOptions.onSkipped`
 * @throws EngineError unavailable
 */
export async function attachEngine(
  worker: Worker,
  onSkipped?: (skipped: readonly SkippedEngine[]) => void,
): Promise<ThreadEngine> {
  const rpc = new WorkerRpc<WorkerMethods, Started>(worker, {
    errors: { EngineError },
    otherwise: ({ message }) => new EngineError('failed', message),
    onDeath: ({ cause, why }) =>
      new EngineError('failed', cause === 'threw' ? why : `the engine's thread ${why}`),
  });
  const { info, skipped } = await rpc.ready.catch(
    (error: EngineError & Partial<NoBackendError>) => {
      onSkipped?.(error.skipped ?? []);
      throw error.reason === 'failed' ? new EngineError('unavailable', error.detail) : error;
    },
  );
  onSkipped?.(skipped);

  return {
    info,
    ...(eachMethod((method) => (argument) => rpc.call(method, argument)) as ThreadMethods),
    step: async (steps) => unpackReadouts(await rpc.call('step', packSteps(steps))),
    close: () => rpc.close(new EngineError('closed')),
  };
}
