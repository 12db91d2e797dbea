/** The worker job of an evaluation: one batch of organisms, grown and run on. */
import { uploadParameters } from '../../autodiff/parameters.ts';
import { startNative } from '../../engine/native/native.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Likelihood } from '../model/likelihood.ts';
import { type Segment, Segments } from '../model/segments.ts';
import type { WorkerJob } from '../workers/worker-job.ts';
import { BATCH, type BatchStart, byPrograms, byRule, uploadMap } from './cell-batch.ts';

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
    return {
      async work({ closed: initial, runs, images, ...start }) {
        const closed = initial?.slice();
        const cells = await beginBatch(start);
        const read = async (): Promise<Float32Array> => Float32Array.from(await cells.read());
        const seen: Float32Array[] = [];
        /** Number of steps after which the states repeat, bit for bit. */
        let period: number | undefined;
        for (const run of runs) {
          for (const segment of run) {
            const cellSteps = BATCH * segment.stage ** 2 * segment.steps;
            const canRepeat = segment.begin === 'go-on' && !closed && repeatable;
            if (canRepeat && period !== undefined && segment.steps % period === 0) {
              onProgress(cellSteps);
              continue;
            }
            const before = canRepeat ? await read() : undefined;
            await cells.run(segment);
            const repeats = before && areEqual(before, await cells.read());
            period = repeats ? segment.steps : undefined;
            if (closed) {
              const states = await read();
              clear(states, closed);
              cells.write(states);
            }
            onProgress(cellSteps);
          }
          if (!images) seen.push(await read());
        }
        if (images) {
          const states = uploadMap(compute, await cells.read(), card.channels);
          const image = uploadMap(compute, images, images.length / BATCH / card.side ** 2);
          const { nats } = await (await segments.measure()).run({ states, image });
          seen.push(Float32Array.from(await compute.read(nats)));
          compute.free(states, image, nats);
        }
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
