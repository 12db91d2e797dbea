/**
 * Grows many organisms of one checkpoint and steps them further, in batches on worker threads.
 * Start reading at `EvaluationBatch`.
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
import { stepsLeft } from '../rollout/patients.ts';
import { likelihoodOf } from '../run/run-state.ts';
import type { Measure } from '../terminal.ts';
import { openWorkerPool, type WorkerJob, type WorkerPool } from '../workers/worker-pool.ts';

/** Number of organisms per batch, small enough for the processor's cache. */
const BATCH = 8;
/** Maximum number of steps per compiled program. */
const LONGEST = 16;

/**
 * Returns the standard deviation (σ) of a checkpoint's Gaussian likelihood; 0.1 if the checkpoint's
 * card has none.
 */
export function sigmaOf({ training }: Pick<Card, 'training'>): number {
  const sigma = Number(training.sigma);
  return sigma > 0 ? sigma : 0.1;
}

export const likelihoodOfCard = (card: Pick<Card, 'readout' | 'training'>): Likelihood =>
  likelihoodOf({ readout: card.readout, sigma: sigmaOf(card) });

export interface Grown {
  /** [N, Z] */
  readonly latents: Float32Array;
  /** [N, S, S, C] Cell states. */
  readonly states: Float32Array;
  /**
   * [N, S, S] Number of steps until each cell can live again; 0 for cells that can live now. If
   * absent, all cells can live now.
   */
  readonly closed?: Uint8Array;
  readonly count: number;
}

/** Objects that all measurements of one evaluation share. */
export interface Tools {
  readonly measure: Measure;
  readonly compute: Compute;
  readonly batch: EvaluationBatch;
  /** Creates the random generator of the named measurement. */
  readonly random: (what: string) => Random;
  readonly notes: string[];
}

/** Runs organisms of one checkpoint. The first dimension of all arrays is the organism. */
export class EvaluationBatch {
  readonly card: Card;
  private readonly pool: WorkerPool<Job, readonly Float32Array[]>;
  private readonly growth: readonly Segment[];
  /** Counts runs of organisms, to give each run its own random seed. */
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
      // Workers need only the rule's tensors.
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
   * Grows organisms, and returns their states after every eight steps of a stage and at the end of
   * each stage.
   *
   * @param latents [N, Z], N ≤ 8
   * @returns for each of these moments: the side of the patches (`stage`), the number of steps
   *   since the seed (`step`), and the states [N, stage, stage, C] (`states`)
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
   * Steps grown organisms further. Calls `visit` for each batch of organisms and each number of
   * steps in `marks`.
   *
   * @param from the organisms, which are not modified
   * @param marks numbers of further steps, ascending
   * @param visit called with the states [n, S, S, C] of n organisms, and the index of the first
   *   organism (`first`)
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
   * Grows organisms and measures log p(image | organism) in nats, for a Gaussian likelihood without
   * the constant term.
   *
   * @param latents [N, Z]
   * @param images target image of each organism, [N, S, S, c], 0…1
   * @param call text for the random seed of the update masks
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
   * Runs organisms in batches of equal size. The last batch is filled up with zeros.
   *
   * @param all a job for all organisms, which is divided into one job per batch
   * @param onResult called with each batch's results; `first` is the index of the batch's first
   *   organism, and n the number of organisms
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
        // `cut` fills up the last batch with zeros. In `closed`, zero means: can live now.
        closed: all.closed && cut(all.closed, first),
        images: all.images && cut(all.images, first),
        // With a seed per batch, results do not depend on the order in which batches finish.
        seed: `${this.seed} ${call} ${first}`,
      }),
    );
    await this.pool.work(jobs, (result, i) => {
      onResult(result, firsts[i], Math.min(BATCH, whole - firsts[i]));
    });
  }
}

interface Job {
  /** [BATCH, Z] */
  readonly latents: Float32Array;
  /** Random seed of the update masks. */
  readonly seed: string;
  /** [BATCH, s, s, C] Initial states. Absent if the organisms grow from seeds. */
  readonly states?: Float32Array | undefined;
  /**
   * [BATCH, S, S] Number of steps until each cell can live again. Present if wounds heal gradually
   * from their rim (segments with `rim`). In `states`, cells that cannot live yet must be zero.
   */
  readonly closed?: Uint8Array | undefined;
  /**
   * Lists of segments, run one after another. The job returns the states at the end of each list,
   * [BATCH, s, s, C].
   */
  readonly runs: readonly (readonly Segment[])[];
  /**
   * [BATCH, S, S, c] Target images. If present, the job returns only log p(image | last states),
   * [BATCH].
   */
  readonly images?: Float32Array | undefined;
}

/** The code that worker threads run. */
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
 * Creates a function that runs segments of a batch. If a segment ends in the same states in which
 * it began, the states form a cycle. Later segments that continue from these states are skipped if
 * their number of steps is a multiple of the cycle's length.
 *
 * @param step runs a segment
 * @param read returns the current states
 * @param canRepeat whether the next states depend only on the current states, so that states that
 *   occur twice form a cycle
 */
function createRun(
  step: (segment: Segment) => Promise<void>,
  read: () => Promise<Float32Array>,
  canRepeat: boolean,
): typeof step {
  /** After this number of steps, the current states occur again; undefined if unknown. */
  let period: number | undefined;
  return async (segment) => {
    const mayRepeat = canRepeat && segment.begin === 'go-on';
    if (mayRepeat && period !== undefined && segment.steps % period === 0) return;
    const before = mayRepeat ? await read() : undefined;
    await step(segment);
    period = before && areEqual(before, await read()) ? segment.steps : undefined;
  };
}

/** Returns whether two arrays are equal bit for bit. */
function areEqual(a: Float32Array, b: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

function uploadMap(compute: Compute, numbers: Float32Array, c: number): Value {
  const s = Math.sqrt(numbers.length / BATCH / c);
  return compute.upload([BATCH, s, s, c], numbers);
}
