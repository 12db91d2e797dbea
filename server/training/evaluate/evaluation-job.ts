/** The worker job of an evaluation: one batch of organisms, grown and run on. */
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Compute, Value } from '../../autodiff/compute.ts';
import { uploadParameters } from '../../autodiff/parameters.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Likelihood } from '../model/likelihood.ts';
import { drawMasks, type Segment, Segments } from '../model/segments.ts';
import type { WorkerJob } from '../workers/worker-job.ts';

/** Organisms of a batch: as many as fit into the processor's cache. */
export const BATCH = 8;

/** What a worker is opened with. */
export interface Plan {
  readonly card: Card;
  /** `update.*` at least. */
  readonly tensors: Model['tensors'];
  readonly likelihood: Likelihood;
}

/** One batch of organisms. */
export interface Job {
  /** [BATCH, Z]. */
  readonly latents: Float32Array;
  /** Seed of the update masks. */
  readonly seed: string;
  /** Initial states, [BATCH, s, s, C]; absent: the first segment begins with a seed. */
  readonly states?: Float32Array;
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
  async open(compute, { card, tensors, likelihood }, onProgress) {
    const { channels, latentSize, side } = card;
    const segments = new Segments({ compute, spec: card, likelihood, batch: BATCH });
    const parameters = uploadParameters(compute, updateShapes(card).keys(), tensors);
    const uploadMap = (numbers: Float32Array, c: number): Value => {
      const s = Math.sqrt(numbers.length / BATCH / c);
      return compute.upload([BATCH, s, s, c], numbers);
    };
    const cleared = async (states: Value, closed: Uint8Array): Promise<Value> => {
      const numbers = Float32Array.from(await compute.read(states));
      compute.free(states);
      clear(numbers, closed);
      return uploadMap(numbers, channels);
    };
    return {
      async work({ latents, seed, states: from, closed: initial, runs, images }) {
        const closed = initial?.slice();
        const random = createRandom(hashText(seed));
        const z = compute.upload([BATCH, latentSize], latents);
        const conditioning = await segments.condition(parameters, z);
        let states = from && uploadMap(from, channels);
        const seen: Float32Array[] = [];
        /** Number of steps after which the states repeat, bit for bit. */
        let period: number | undefined;
        for (const run of runs) {
          for (const segment of run) {
            const cellSteps = BATCH * segment.stage ** 2 * segment.steps;
            const canRepeat =
              segment.begin === 'go-on' && !closed && card.update.updateProbability === 1;
            if (canRepeat && period !== undefined && segment.steps % period === 0) {
              onProgress(cellSteps);
              continue;
            }
            const program = await segments.forward(segment);
            const masks = drawMasks(compute, card.update, BATCH, segment, random);
            const before = states ? { states } : {};
            const results = await program.run({
              ...parameters,
              ...conditioning.inputs,
              ...masks,
              ...before,
            });
            const repeats = canRepeat && (await areEqual(compute, states!, results.states));
            period = repeats ? segment.steps : undefined;
            compute.free(...Object.values(masks), ...Object.values(before));
            states = results.states;
            if (closed) states = await cleared(states, closed);
            onProgress(cellSteps);
          }
          if (!images) seen.push(Float32Array.from(await compute.read(states!)));
        }
        if (images) {
          const measure = await segments.measure();
          const image = uploadMap(images, images.length / BATCH / side ** 2);
          const { nats } = await measure.run({ states: states!, image });
          seen.push(Float32Array.from(await compute.read(nats)));
          compute.free(image, nats);
        }
        conditioning.free();
        compute.free(z, states!);
        return seen;
      },
      async close() {
        compute.free(...Object.values(parameters));
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
async function areEqual(compute: Compute, a: Value, b: Value): Promise<boolean> {
  const bytes = async (value: Value): Promise<Buffer> => {
    const { buffer, byteOffset, byteLength } = await compute.read(value);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
  return (await bytes(a)).equals(await bytes(b));
}
