/** Grows and runs many organisms of one checkpoint in batches, one batch per worker at a time. */

import type { Compute } from '../../autodiff/compute.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Likelihood } from '../model/likelihood.ts';
import { growthSegments, type Segment, stayingSegments } from '../model/segments.ts';
import { likelihoodOf } from '../run-state.ts';
import { openWorkerPool, type WorkerPool } from '../workers/worker-pool.ts';
import { BATCH } from './cell-batch.ts';
import { type Job, type Result, workerJob } from './evaluation-job.ts';

/**
 * Most steps of a program: enough that the cost of starting one is small, few enough to report
 * progress.
 */
const LONGEST = 16;

/** σ of the Gaussian read-out of a checkpoint: as noted in its card, else 0.1. */
export function sigmaOf({ training }: Pick<Card, 'training'>): number {
  const sigma = Number(training.sigma);
  return sigma > 0 ? sigma : 0.1;
}

/** The likelihood that belongs to the read-out of a card. */
export const likelihoodOfCard = (card: Pick<Card, 'readout' | 'training'>): Likelihood =>
  likelihoodOf({ readout: card.readout, sigma: sigmaOf(card) });

/** Grown organisms to run on. */
export interface StepsStart {
  /** [N, Z]. */
  readonly latents: Float32Array;
  /** [N, S, S, C]. */
  readonly states: Float32Array;
  /** [N, S, S]: steps until each place opens; absent: all are open. Takes longer. */
  readonly closed?: Uint8Array;
}

/** Options of `EvaluationBatch`. */
export interface EvaluationBatchOptions {
  readonly kernel?: string | undefined;
  readonly onProgress?: (cellSteps: number) => void;
}

/** Organisms are rows of the arrays that it takes and returns. */
export class EvaluationBatch {
  readonly card: Card;
  private readonly pool: WorkerPool<Job, Result>;
  private readonly growth: readonly Segment[];
  /** Number of calls, part of the seed of each. */
  private calls = 0;

  /**
   * @param seed of the update masks, for rules that update cells by chance
   * @param options.kernel the kernel of the rooms, as `loadKernel` returns its file, to step by;
   *   absent: `compute` steps
   * @param options.onProgress called with the cell-steps of each segment
   */
  constructor(
    compute: Compute,
    { card, tensors }: Model,
    private readonly seed: number,
    { kernel, onProgress = () => {} }: EvaluationBatchOptions = {},
  ) {
    this.card = card;
    const plan = {
      card,
      // Workers need neither encoder nor gallery.
      tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
      likelihood: likelihoodOfCard(card),
      ...(kernel !== undefined && { kernel }),
    };
    this.pool = openWorkerPool(workerJob, compute, plan, onProgress);
    this.growth = growthSegments(card, LONGEST);
  }

  /** Cell-steps to grow one organism. */
  get growthWork(): number {
    return this.growth.reduce((sum, { stage, steps }) => sum + stage * stage * steps, 0);
  }

  /** Numbers of one grown patch. */
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
    await this.forBatches(latents, { runs: [this.growth] }, ([grown], first, n) => {
      states.set(grown.subarray(0, n * size), first * size);
    });
    return states;
  }

  /**
   * Grows organisms and returns their states after every eight steps of a stage and at its end.
   *
   * @param latents [N, Z], N ≤ BATCH
   * @returns the side of the patches, the steps since the seed, and [N, stage, stage, C]
   * @throws RangeError there are more than BATCH
   */
  async stages(latents: Float32Array) {
    if (this.count(latents) > BATCH) throw new RangeError(`more than ${BATCH} latents`);
    const segments = growthSegments(this.card, 8);
    const result: { stage: number; step: number; states: Float32Array }[] = [];
    const runs = segments.map((segment) => [segment]);
    await this.forBatches(latents, { runs }, (seen, _, n) => {
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
   * Runs grown organisms on, and passes on their states at each mark.
   *
   * @param from initial states, which do not change
   * @param marks numbers of steps, ascending
   * @param visit called with the states [n, S, S, C] of organisms from `first` on, for each mark
   *   and batch
   */
  async follow(
    { latents, states, closed }: StepsStart,
    marks: readonly number[],
    visit: (mark: number, states: Float32Array, first: number) => void,
  ): Promise<void> {
    const size = this.patchSize;
    const runs = marks.map((mark, i) => {
      const steps = mark - (marks[i - 1] ?? 0);
      return stayingSegments(this.card, steps, closed ? 1 : LONGEST);
    });
    const of = { runs, states, ...(closed && { closed }) };
    await this.forBatches(latents, of, (seen, first, n) => {
      marks.forEach((mark, i) => {
        visit(mark, seen[i].subarray(0, n * size), first);
      });
    });
  }

  /**
   * Measures log p(image | organism grown from the latent), nats, without the constant of a
   * Gaussian.
   *
   * @param latents [N, Z]
   * @param images [N, S, S, c], 0…1
   * @param call part of the seed of the update masks
   * @returns [N]
   */
  async nats(latents: Float32Array, images: Float32Array, call: string): Promise<Float32Array> {
    const result = new Float32Array(this.count(latents));
    const store = ([nats]: Result, first: number, n: number): void => {
      result.set(nats.subarray(0, n), first);
    };
    await this.forBatches(latents, { runs: [this.growth], images }, store, call);
    return result;
  }

  /** Ends the workers. */
  dispose(): Promise<void> {
    return this.pool.dispose();
  }

  private count(latents: Float32Array): number {
    return latents.length / this.card.latentSize;
  }

  /**
   * Runs batches of organisms; the last one is filled up with zeros.
   *
   * @param of the runs; states and images are cut into batches like the latents
   * @param onResult called with the results of n organisms from `first` on, in order of completion
   */
  private async forBatches(
    latents: Float32Array,
    of: Pick<Job, 'runs' | 'states' | 'closed' | 'images'>,
    onResult: (result: Result, first: number, n: number) => void,
    call = `${this.calls++}`,
  ): Promise<void> {
    const whole = this.count(latents);
    const firsts = Array.from({ length: Math.ceil(whole / BATCH) }, (_, i) => i * BATCH);
    const cut = (matrix: Float32Array, first: number): Float32Array => {
      const size = matrix.length / whole;
      const filled = new Float32Array(BATCH * size);
      filled.set(matrix.subarray(first * size, (first + BATCH) * size));
      return filled;
    };
    const places = this.card.side ** 2;
    const jobs = firsts.map((first) => ({
      latents: cut(latents, first),
      runs: of.runs,
      ...(of.states && { states: cut(of.states, first) }),
      // A last batch that is not full has open places only.
      ...(of.closed && { closed: filledUp(of.closed, first * places, BATCH * places) }),
      ...(of.images && { images: cut(of.images, first) }),
      // Does not depend on the order in which batches finish.
      seed: `${this.seed} ${call} ${first}`,
    }));
    await this.pool.work(jobs, (result, i) => {
      onResult(result, firsts[i], Math.min(BATCH, whole - firsts[i]));
    });
  }
}

function filledUp(numbers: Uint8Array, from: number, size: number): Uint8Array {
  const filled = new Uint8Array(size);
  filled.set(numbers.subarray(from, from + size));
  return filled;
}

/** Cell-steps of a number of organisms: batches are always full. */
export const workOf = (organisms: number, cellStepsEach: number): number =>
  Math.ceil(organisms / BATCH) * BATCH * cellStepsEach;
