/**
 * Grows and runs many organisms of one checkpoint in batches, one batch per worker at a time. Other
 * files judge the pictures. Start reading at `EvaluationBatch`; the worker's side is `workerJob`.
 */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute, Value } from '../../autodiff/compute.ts';
import { uploadParameters } from '../../autodiff/parameters.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Likelihood } from '../model/likelihood.ts';
import { drawMasks, uploadMasks } from '../model/networks.ts';
import { growthSegments, type Segment, Segments, stayingSegments } from '../model/segments.ts';
import { stepsLeft } from '../rollout/pools.ts';
import { likelihoodOf } from '../run/run-state.ts';
import type { Measure } from '../terminal.ts';
import { openWorkerPool, type WorkerJob, type WorkerPool } from '../workers/worker-pool.ts';

/** Number of organisms per batch: as many as fit into the processor's cache. */
const BATCH = 8;
/** Maximum number of steps per program, large enough to make the cost of starting one small. */
const LONGEST = 16;

/**
 * Returns σ of the Gaussian read-out of a checkpoint: the value in its card, or 0.1 if there is
 * none.
 */
export function sigmaOf({ training }: Pick<Card, 'training'>): number {
  const sigma = Number(training.sigma);
  return sigma > 0 ? sigma : 0.1;
}

export const likelihoodOfCard = (card: Pick<Card, 'readout' | 'training'>): Likelihood =>
  likelihoodOf({ readout: card.readout, sigma: sigmaOf(card) });

/** N organisms at the end of their growth. */
export interface Grown {
  /** Shape [N, Z]. */
  readonly latents: Float32Array;
  /** Shape [N, S, S, C]. */
  readonly states: Float32Array;
  /** [N, S, S]: number of steps until each position opens. If absent, all positions are open. */
  readonly closed?: Uint8Array;
  readonly count: number;
}

/** Tools shared by all measurements of one evaluation. */
export interface Tools {
  readonly measure: Measure;
  readonly compute: Compute;
  readonly batch: EvaluationBatch;
  /** Creates the random generator of the named measurement. */
  readonly random: (what: string) => Random;
  readonly notes: string[];
}

/**
 * Runs organisms of one checkpoint. Each organism is a row in the arrays that methods take and
 * return.
 */
export class EvaluationBatch {
  readonly card: Card;
  private readonly pool: WorkerPool<Job, readonly Float32Array[]>;
  private readonly growth: readonly Segment[];
  /** Number of calls so far, part of the random seed of each call. */
  private calls = 0;

  /** @param seed random seed of the update masks, for rules that update cells at random */
  constructor(
    compute: Compute,
    { card, tensors }: Model,
    private readonly seed: number,
  ) {
    this.card = card;
    const plan = {
      card,
      // Send only the rule's tensors, because workers need neither encoder nor gallery.
      tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
      likelihood: likelihoodOfCard(card),
    };
    this.pool = openWorkerPool(workerJob, compute, plan);
    this.growth = growthSegments(card, LONGEST);
  }

  /** Number of values in one grown patch. */
  get patchSize(): number {
    return this.card.side ** 2 * this.card.channels;
  }

  /**
   * Grows organisms.
   *
   * @param latents [N, Z]
   * @returns [N, S, S, C]
   */
  async grow(latents: Float32Array): Promise<Float32Array> {
    const size = this.patchSize;
    const states = new Float32Array(this.count(latents) * size);
    await this.forBatches({ latents, runs: [this.growth] }, ([grown], first, n) => {
      states.set(grown.subarray(0, n * size), first * size);
    });
    return states;
  }

  /**
   * Grows organisms and returns their states after every eight steps of a stage and at the end of
   * each stage.
   *
   * @param latents [N, Z], N ≤ 8
   * @returns for each of these moments: the side of the patches, the number of steps since the
   * seed, and the states [N, stage, stage, C]
   */
  async stages(latents: Float32Array) {
    const segments = growthSegments(this.card, 8);
    const result: { stage: number; step: number; states: Float32Array }[] = [];
    const runs = segments.map((segment) => [segment]);
    await this.forBatches({ latents, runs }, (seen, _, n) => {
      let step = 0;
      segments.forEach(({ stage, steps }, i) => {
        step += steps;
        const size = stage * stage * this.card.channels;
        result.push({ stage, step, states: seen[i].subarray(0, n * size) });
      });
    });
    return result;
  }

  /**
   * Runs grown organisms further, and passes their states to `visit` after each number of steps in
   * `marks`.
   *
   * @param from initial states, which do not change
   * @param marks numbers of further steps, ascending
   * @param visit called for each mark and batch with the states [n, S, S, C] of the n organisms
   * from index `first` on
   */
  async follow(
    { latents, states, closed }: Omit<Grown, 'count'>,
    marks: readonly number[],
    visit: (mark: number, states: Float32Array, first: number) => void,
  ): Promise<void> {
    const size = this.patchSize;
    const runs = marks.map((mark, i) => {
      const segments = stayingSegments(this.card, mark - (marks[i - 1] ?? 0), LONGEST);
      return segments.map((segment) => ({ ...segment, rim: closed !== undefined }));
    });
    await this.forBatches({ latents, runs, states, closed }, (seen, first, n) => {
      marks.forEach((mark, i) => {
        visit(mark, seen[i].subarray(0, n * size), first);
      });
    });
  }

  /**
   * Measures log p(image | organism grown from the latent) in nats, without the constant of a
   * Gaussian.
   *
   * @param latents [N, Z]
   * @param images [N, S, S, c], 0…1
   * @param call part of the random seed of the update masks
   * @returns [N]
   */
  async nats(latents: Float32Array, images: Float32Array, call: string): Promise<Float32Array> {
    const result = new Float32Array(this.count(latents));
    const runs = [this.growth];
    await this.forBatches(
      { latents, runs, images },
      ([nats], first, n) => {
        result.set(nats.subarray(0, n), first);
      },
      call,
    );
    return result;
  }

  dispose(): Promise<void> {
    return this.pool.dispose();
  }

  private count(latents: Float32Array): number {
    return latents.length / this.card.latentSize;
  }

  /**
   * Runs organisms in batches. The last batch is filled up with zeros.
   *
   * @param all a job of all organisms, which is cut into batches
   * @param onResult called in order of completion with the results of the n organisms from index
   * `first` on
   */
  private async forBatches(
    all: Omit<Job, 'seed'>,
    onResult: (result: readonly Float32Array[], first: number, n: number) => void,
    call = `${this.calls++}`,
  ): Promise<void> {
    const whole = this.count(all.latents);
    const firsts = Array.from({ length: Math.ceil(whole / BATCH) }, (_, i) => i * BATCH);
    const cut = <T extends Float32Array | Uint8Array>(matrix: T, first: number): T => {
      const size = matrix.length / whole;
      const filled = new (matrix.constructor as new (length: number) => T)(BATCH * size);
      filled.set(matrix.subarray(first * size, (first + BATCH) * size));
      return filled;
    };
    const jobs = firsts.map(
      (first): Job => ({
        latents: cut(all.latents, first),
        runs: all.runs,
        states: all.states && cut(all.states, first),
        // Zeros mark open positions, so the filled-up part of the last batch is open.
        closed: all.closed && cut(all.closed, first),
        images: all.images && cut(all.images, first),
        // The seed must not depend on the order in which batches finish.
        seed: `${this.seed} ${call} ${first}`,
      }),
    );
    await this.pool.work(jobs, (result, i) => {
      onResult(result, firsts[i], Math.min(BATCH, whole - firsts[i]));
    });
  }
}

interface Job {
  /** Shape [BATCH, Z]. */
  readonly latents: Float32Array;
  /** Random seed of the update masks. */
  readonly seed: string;
  /** Initial states, [BATCH, s, s, C]. If absent, the first segment begins with a seed. */
  readonly states?: Float32Array | undefined;
  /**
   * [BATCH, S, S]: number of steps until each position opens, for segments with a rim. The states
   * must have zeros there.
   */
  readonly closed?: Uint8Array | undefined;
  /** Runs of segments. The states after each run are returned, [BATCH, s, s, C] each. */
  readonly runs: readonly (readonly Segment[])[];
  /**
   * [BATCH, S, S, c]: images; if present, the job returns log p(image | last states), [BATCH],
   * instead of states.
   */
  readonly images?: Float32Array | undefined;
}

/** The job that worker threads load and execute. */
export const workerJob: WorkerJob<
  Pick<Model, 'card' | 'tensors'> & { readonly likelihood: Likelihood },
  Job,
  readonly Float32Array[]
> = {
  module: import.meta.url,
  async open(compute, { card, tensors, likelihood }) {
    const segments = new Segments({ compute, spec: card, likelihood, batch: BATCH });
    const parameters = uploadParameters(compute, updateShapes(card).keys(), tensors);
    return {
      async work({ latents, seed, states: from, closed, runs, images }) {
        const random = createRandom(hashText(seed));
        const z = compute.upload([BATCH, card.latentSize], latents);
        const conditioning = await segments.condition(parameters, z);
        let states = from && uploadMap(compute, from, card.channels);
        let past = 0;
        const read = async () => (await compute.read(states!)).slice();
        const step = async (segment: Segment): Promise<void> => {
          const program = await segments.forward(segment);
          const drawn = drawMasks(card.update, BATCH, segment, random);
          const left = closed && Float32Array.from(stepsLeft(closed, past));
          const own = {
            ...uploadMasks(compute, drawn, segment),
            ...(left && { closed: uploadMap(compute, left, 1) }),
            ...(states && { states }),
          };
          past += segment.steps;
          states = (await program.run({ ...parameters, ...conditioning.inputs, ...own })).states;
          compute.free(...Object.values(own));
        };
        const run = createRun(step, read, card.update.updateProbability === 1 && !closed);
        const seen: Float32Array[] = [];
        for (const one of runs) {
          for (const segment of one) await run(segment);
          if (!images) seen.push(await read());
        }
        if (images) {
          const image = uploadMap(compute, images, images.length / BATCH / card.side ** 2);
          const { nats } = await (await segments.measure()).run({ states: states!, image });
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

/**
 * Creates a function that runs segments of a batch. States that repeat bit for bit are not computed
 * again.
 *
 * @param step runs a segment
 * @param read returns the states
 * @param canRepeat whether each state depends only on the previous one
 */
function createRun(
  step: (segment: Segment) => Promise<void>,
  read: () => Promise<Float32Array>,
  canRepeat: boolean,
): typeof step {
  /** Number of steps after which the states are known to repeat. */
  let period: number | undefined;
  return async (segment) => {
    const mayRepeat = canRepeat && segment.begin === 'go-on';
    if (mayRepeat && period !== undefined && segment.steps % period === 0) return;
    const before = mayRepeat ? await read() : undefined;
    await step(segment);
    period = before && areEqual(before, await read()) ? segment.steps : undefined;
  };
}

/** Whether two arrays are equal bit for bit. */
function areEqual(a: Float32Array, b: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

/** Uploads maps [BATCH, s, s, c]. */
function uploadMap(compute: Compute, numbers: Float32Array, c: number): Value {
  const s = Math.sqrt(numbers.length / BATCH / c);
  return compute.upload([BATCH, s, s, c], numbers);
}
