/** The worker job of an evaluation: one batch of organisms, grown and run on. */
import { uploadParameters } from '../../autodiff/parameters.ts';
import { startNative } from '../../engine/native/native.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Likelihood } from '../model/likelihood.ts';
import { type Segment, Segments } from '../model/segments.ts';
import type { WorkerJob } from '../workers/worker-pool.ts';
import {
  BATCH,
  type BatchStart,
  byPrograms,
  byRule,
  type CellBatch,
  uploadMap,
} from './cell-batch.ts';

/** What a worker is opened with. */
export interface Plan {
  readonly card: Card;
  /** `update.*` at least. */
  readonly tensors: Model['tensors'];
  readonly likelihood: Likelihood;
  /** The kernel of the rooms, as `loadKernel` returns its file, to step by; absent: by programs. */
  readonly kernel?: string;
}

/** One batch of organisms. */
export interface Job extends BatchStart {
  /**
   * [BATCH, S, S]: steps until each place opens, for segments of one step each. Closed places are
   * zeroed after each step, as in a room; the states have zeros there.
   */
  readonly closed?: Uint8Array;
  /** Runs of segments; the states after each run are returned. */
  readonly runs: readonly (readonly Segment[])[];
  /** [BATCH, S, S, c]: asks for log p(image | last states) instead of states. */
  readonly images?: Float32Array;
}

/** States after each run, [BATCH, s, s, C] each; or only nats, [BATCH]. */
export type Result = readonly Float32Array[];

/** Loaded by the worker threads. */
export const workerJob: WorkerJob<Plan, Job, Result> = {
  module: import.meta.url,
  /** @param onProgress called with cell-steps */
  async open(compute, { kernel, ...model }, onProgress) {
    const { card, tensors, likelihood } = model;
    const segments = new Segments({ compute, spec: card, likelihood, batch: BATCH });
    const parameters = uploadParameters(compute, updateShapes(card).keys(), tensors);
    const rule = kernel === undefined ? undefined : await (await startNative(kernel)).load(model);
    const beginBatch = rule
      ? byRule(rule, card)
      : byPrograms({ compute, segments, card, parameters });
    const repeatable = card.update.updateProbability === 1;
    /** log p(image | states), [BATCH]. */
    const measured = async (states: Float32Array, images: Float32Array): Promise<Float32Array> => {
      const inputs = {
        states: uploadMap(compute, states, card.channels),
        image: uploadMap(compute, images, images.length / BATCH / card.side ** 2),
      };
      const { nats } = await (await segments.measure()).run(inputs);
      const result = Float32Array.from(await compute.read(nats));
      compute.free(...Object.values(inputs), nats);
      return result;
    };
    return {
      async work({ closed: initial, runs, images, ...start }) {
        const closed = initial?.slice();
        const cells = await beginBatch(start);
        const run = createRun(cells, repeatable && !closed);
        const seen: Float32Array[] = [];
        for (const one of runs) {
          for (const segment of one) {
            await run(segment);
            if (closed) {
              const states = await cells.read();
              clear(states, closed);
              cells.write(states);
            }
            onProgress(BATCH * segment.stage ** 2 * segment.steps);
          }
          if (!images) seen.push(await cells.read());
        }
        if (images) seen.push(await measured(await cells.read(), images));
        cells.free();
        return seen;
      },
      async close() {
        compute.free(...Object.values(parameters));
        await rule?.dispose();
        await segments.dispose();
      },
    };
  },
};

/**
 * Runs segments of a batch. What repeats, bit for bit, is not computed again.
 *
 * @param canRepeat whether a state depends on nothing but the one before
 */
function createRun(cells: CellBatch, canRepeat: boolean): CellBatch['run'] {
  /** Number of steps after which the states repeat. */
  let period: number | undefined;
  return async (segment) => {
    const mayRepeat = canRepeat && segment.begin === 'go-on';
    if (mayRepeat && period !== undefined && segment.steps % period === 0) return;
    const before = mayRepeat ? await cells.read() : undefined;
    await cells.run(segment);
    period = before && areEqual(before, await cells.read()) ? segment.steps : undefined;
  };
}

/** Zeroes the closed places, then moves the rim on. @param closed counted down in place */
function clear(states: Float32Array, closed: Uint8Array): void {
  const channels = states.length / closed.length;
  closed.forEach((steps, place) => {
    if (steps === 0) return;
    states.fill(0, place * channels, (place + 1) * channels);
    closed[place]--;
  });
}

/** Compares bit for bit. A state that repeats need not be computed again. */
function areEqual(a: Float32Array, b: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}
