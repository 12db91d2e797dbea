/**
 * The training of a variational NCA: evidence lower bound by Adam, with a pool of grown states that are wounded and go on
 * (Palm et al. 2022, section 3), and, beyond the paper, one rule that grows, stays and heals: fresh organisms go on a few
 * steps after growing, and the pool's grow old.
 */
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import { updateShapes } from '../vnca/architecture.ts';
import { drawUpdateMask } from '../vnca/updateMask.ts';
import type { Compute, Value, Values } from './autodiff/compute.ts';
import { Passes, randomOfUpdate } from './batches.ts';
import { drawnAt, type TrainingConfig } from './config.ts';
import { augmentImages } from './data/augment.ts';
import { type Dataset, gatherImages } from './data/dataset.ts';
import { encoderShapes } from './model/encoder.ts';
import { imageChannels, type Likelihood } from './model/likelihood.ts';
import { initialise, type Shapes, type Tensors } from './model/parameters.ts';
import {
  growthSegments,
  type Segment,
  Segments,
  startingWith,
  stayingSegments,
} from './model/segments.ts';
import { Adam } from './optimiser.ts';
import { Pool, type PoolEntry } from './pool.ts';
import { Posteriors } from './posterior.ts';
import { differentiate } from './rollout.ts';
import { applyWound, woundMask } from './wounds.ts';

/** What an update saw. Nats and errors are means an organism. */
export interface UpdateReport {
  readonly update: number;
  /** −log p(x | z) of fresh organisms. */
  readonly reconstruction: number;
  /** KL(q ‖ p). */
  readonly divergence: number;
  /** −log p(x | states) of the pool's, after their steps. */
  readonly pooled?: number;
  /** Mean age of the pool's drawn states, steps. */
  readonly age?: number;
  readonly gradientNorm: number;
}

/** Where a run stands; enough to go on as if it had never stopped. */
export interface RunState {
  readonly update: number;
  /** `parameter:*`, `first:*`, `second:*`, `average:*`. */
  readonly tensors: Tensors;
  readonly pool: readonly PoolEntry[];
}

/** The likelihood that a read-out is trained with. */
export function likelihoodOf({ readout, sigma }: TrainingConfig): Likelihood {
  switch (readout.kind) {
    case 'bernoulli':
      return { kind: 'bernoulli', channel: readout.channel };
    case 'rgba-premultiplied':
      return { kind: 'gaussian', sigma, channels: readout.channels };
    case 'dmol':
      return { kind: 'dmol', mixtures: readout.mixtures };
  }
}

/** Name and shape of everything that a configuration trains. */
export function trainedShapes(config: TrainingConfig): Shapes {
  const { side, latentSize } = config;
  const channels = imageChannels(likelihoodOf(config));
  return new Map([
    ...updateShapes(config),
    ...encoderShapes(config.encoder, { side, channels, latentSize }),
  ]);
}

/** The first state of a run: untrained, its pool empty. */
export function firstState(config: TrainingConfig): RunState {
  const drawn = initialise(trainedShapes(config), randomOfUpdate(config.seed, 0));
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, tensors, pool: [] };
}

export class Trainer {
  private readonly shapes: Shapes;
  private readonly passes: Passes;
  private readonly pool: Pool;

  private constructor(
    private readonly compute: Compute,
    private readonly config: TrainingConfig,
    private readonly data: Dataset,
    private readonly adam: Adam,
    private readonly posteriors: Posteriors,
    private readonly segments: Segments,
    state: RunState,
  ) {
    this.shapes = trainedShapes(config);
    this.passes = new Passes(data.splits.train, config.seed);
    this.pool = new Pool(config.pool?.size ?? 0, state.pool);
    this.done = state.update;
  }

  /** Updates behind this run. */
  private done: number;

  static async create(
    compute: Compute,
    config: TrainingConfig,
    data: Dataset,
    state: RunState,
  ): Promise<Trainer> {
    const { side, latentSize } = config;
    const likelihood = likelihoodOf(config);
    const channels = imageChannels(likelihood);
    const shapes = trainedShapes(config);
    const adam = await Adam.create(compute, shapes, state.tensors, state.update, config.optimiser);
    const image = { side, channels, latentSize };
    const { micro } = config.batch;
    const posteriors = await Posteriors.create(compute, config.encoder, image, micro);
    const segments = new Segments(compute, config, likelihood, channels, micro);
    return new Trainer(compute, config, data, adam, posteriors, segments, state);
  }

  get updates(): number {
    return this.done;
  }

  /** Inputs `parameter:*` of programs: the moving average where there is one. */
  get parameters(): Values {
    return this.config.optimiser.average > 0 ? this.adam.averages : this.adam.parameters;
  }

  /** One update. @throws TrainingError not-finite: nothing was changed but the pool */
  async update(): Promise<UpdateReport> {
    const { config, compute } = this;
    const { batch, pool: pooling, optimiser } = config;
    const update = this.done + 1;
    const random = randomOfUpdate(config.seed, update);
    const progress = this.done / config.updates;
    const side = sideAt(config, progress);
    this.pool.keep(({ states }) => states.length === side * side * config.channels);
    const pooled =
      pooling && this.pool.count > pooling.batch ? this.pool.take(pooling.batch, random) : [];
    const samples = batch.fresh + pooled.length;

    const lives: Life[] = [];
    const fresh = this.passes.at(this.done * batch.fresh, batch.fresh);
    for (let at = 0; at < batch.fresh; at += batch.micro) {
      lives.push(this.freshLife(fresh.slice(at, at + batch.micro), side, random, progress));
    }
    const freshLives = lives.length;
    for (let at = 0; pooling && at < pooled.length; at += batch.micro) {
      lives.push(this.pooledLife(pooled.slice(at, at + batch.micro), at, side, random, progress));
    }
    const results = await inLanes(lives, compute.lanes, (life, i) =>
      this.live(life, side, samples, createRandom(hashText(`${config.seed} ${update} ${i}`))),
    );
    const gradientNorm = await this.adam.step(
      results.map(({ totals }) => totals),
      rateAt(optimiser, update, config.updates),
    );
    for (const { totals } of results) compute.free(...Object.values(totals));
    const grown = results.slice(0, freshLives);
    const aged = results.slice(freshLives);
    if (pooling) {
      this.pool.add(
        aged.flatMap(({ entries }) => entries),
        random,
      );
      const entries = grown.flatMap(({ entries }) => entries);
      this.pool.add(entries.slice(0, pooling.admit), random);
    }
    this.done = update;
    const mean = (of: readonly LifeResult[], pick: (result: LifeResult) => Float32Array): number =>
      of.reduce((sum, result) => sum + total(pick(result)), 0) / (of.length * batch.micro);
    return {
      update,
      reconstruction: -mean(grown, ({ nats }) => nats),
      divergence: mean(grown, ({ divergence }) => divergence),
      gradientNorm,
      ...(aged.length > 0 && {
        pooled: -mean(aged, ({ nats }) => nats),
        age: pooled.reduce((sum, { age }) => sum + age, 0) / pooled.length,
      }),
    };
  }

  /** Means of the posterior of images: [n, Z]. */
  async means(images: Uint32Array): Promise<Float32Array> {
    const { compute, data, config } = this;
    const { side, latentSize } = config;
    return this.inBatches(images.length, latentSize, async (chosen) => {
      const n = chosen.length;
      const pixels = gatherImages(
        data,
        chosen.map((i) => images[i]),
      );
      const image = compute.upload([n, side, side, data.channels], pixels);
      const noise = compute.upload([n, latentSize], new Float32Array(n * latentSize));
      const results = await this.posteriors.forward.run({ ...this.parameters, image, noise });
      const mean = Float32Array.from(await compute.read(results.mean));
      compute.free(image, noise, ...Object.values(results));
      return mean;
    });
  }

  /**
   * Runs a life without gradients.
   *
   * @param latents [n, Z]
   * @param states [n, s, s, C] before the first segment, unless it begins with a seed
   * @returns states after the last
   */
  async run(
    latents: Float32Array,
    segments: readonly Segment[],
    states?: Float32Array,
  ): Promise<Float32Array> {
    const { compute, config } = this;
    const { latentSize, channels } = config;
    const count = latents.length / latentSize;
    const random = randomOfUpdate(config.seed, this.done);
    const { stage } = segments[segments.length - 1];
    return this.inBatches(count, stage * stage * channels, async (chosen) => {
      const n = chosen.length;
      const z = compute.upload([n, latentSize], rows(latents, chosen, latentSize));
      let value: Value | undefined;
      if (states) {
        const size = states.length / count;
        const side = Math.sqrt(size / channels);
        value = compute.upload([n, side, side, channels], rows(states, chosen, size));
      }
      for (const segment of segments) {
        const program = await this.segments.forward(segment);
        const masks = this.masks(segment, n, random);
        const inputs = {
          ...this.parameters,
          latents: z,
          ...masks,
          ...(value && { states: value }),
        };
        const next = await program.run(inputs);
        compute.free(...Object.values(masks), ...(value ? [value] : []));
        value = next.states;
      }
      const result = Float32Array.from(await compute.read(value!));
      compute.free(z, value!);
      return result;
    });
  }

  /** Computes rows in micro-batches; the last one repeats its last row. */
  private async inBatches(
    count: number,
    size: number,
    compute: (chosen: Uint32Array) => Promise<Float32Array>,
  ): Promise<Float32Array> {
    const { micro } = this.config.batch;
    const all = new Float32Array(count * size);
    for (let at = 0; at < count; at += micro) {
      const chosen = Uint32Array.from({ length: micro }, (_, i) => Math.min(at + i, count - 1));
      const results = await compute(chosen);
      all.set(results.subarray(0, Math.min(micro, count - at) * size), at * size);
    }
    return all;
  }

  async state(): Promise<RunState> {
    return { update: this.done, tensors: await this.adam.read(), pool: [...this.pool.all()] };
  }

  async dispose(): Promise<void> {
    await this.segments.dispose();
    await this.posteriors.dispose();
    await this.adam.dispose();
  }

  private zeros(): Values {
    const values: Record<string, Value> = {};
    for (const [name, shape] of this.shapes) {
      const size = shape.reduce((a, b) => a * b, 1);
      values[`total:${name}`] = this.compute.upload(shape, new Float32Array(size));
    }
    return values;
  }

  private freshLife(images: Uint32Array, side: number, random: Random, progress: number): Life {
    const { config } = this;
    const draw = (range: readonly [number, number]): number =>
      range[0] + random.integer(range[1] - range[0] + 1);
    const steps = config.growthSteps ? draw(drawnAt(config.growthSteps, progress)) : undefined;
    const spec = { ...config, side };
    const growth = growthSegments(spec, config.segmentSteps, steps);
    const extra = draw(drawnAt(config.extraSteps, progress));
    const segments = [...growth, ...stayingSegments(spec, extra, config.segmentSteps)];
    const judged = new Map<number, number>();
    growth.forEach(({ stage }, i) => {
      const isStageEnd = growth[i + 1]?.stage !== stage && stage < side;
      if (isStageEnd && stage >= SMALLEST_JUDGED) judged.set(i, config.judgeStages);
    });
    judged.set(growth.length - 1, config.judgeGrown);
    judged.set(segments.length - 1, 1);
    return { images, segments, differentiated: segments.length, judged, divergence: 1 };
  }

  private pooledLife(
    entries: readonly PoolEntry[],
    place: number,
    side: number,
    random: Random,
    progress: number,
  ): Life {
    const { config } = this;
    const pooling = config.pool!;
    const { channels } = config;
    const size = side * side * channels;
    const states = new Float32Array(entries.length * size);
    const wounded = Math.round(pooling.wounded * pooling.batch);
    entries.forEach((entry, i) => {
      const own = states.subarray(i * size, (i + 1) * size);
      own.set(entry.states);
      if (place + i >= wounded) return;
      const kind = pooling.wounds[random.integer(pooling.wounds.length)];
      applyWound(own, woundMask(random, side, kind, pooling.largestWound), channels);
    });
    const [low, high] = drawnAt(pooling.steps, progress);
    const steps = low + random.integer(high - low + 1);
    const differentiated = Math.min(steps, pooling.gradientSteps ?? steps);
    const { segmentSteps } = config;
    const spec = { ...config, side };
    const last = stayingSegments(spec, differentiated, segmentSteps);
    const segments = [...stayingSegments(spec, steps - differentiated, segmentSteps), ...last];
    return {
      images: Uint32Array.from(entries, ({ image }) => image),
      segments,
      differentiated: last.length,
      judged: new Map([[segments.length - 1, 1]]),
      states,
      ages: entries.map(({ age }) => age),
      divergence: pooling.divergence === 'all' ? 1 : 0,
    };
  }

  /** Runs a life of one micro-batch and gives its gradients. */
  private async live(
    life: Life,
    side: number,
    samples: number,
    random: Random,
  ): Promise<LifeResult> {
    const { compute, config, adam } = this;
    const { channels, latentSize } = config;
    const { images } = life;
    const n = images.length;
    const pixels = gatherImages(this.data, images);
    augmentImages(pixels, this.data, config.augment, random);
    const noise = Float32Array.from({ length: n * latentSize }, () => random.normal());
    const own: Value[] = [];
    const upload = (shape: readonly number[], data: Float32Array): Value => {
      const value = compute.upload(shape, data);
      own.push(value);
      return value;
    };
    const fill = (value: number): Value => upload([n], new Float32Array(n).fill(value));
    const given = {
      image: upload([n, this.data.side, this.data.side, this.data.channels], pixels),
      noise: upload([n, latentSize], noise),
    };
    const posterior = await this.posteriors.forward.run({ ...given, ...adam.parameters });
    const pictures = new Map<number, Value>([[this.data.side, given.image]]);
    const pictureAt = (stage: number): Value => {
      const known = pictures.get(stage);
      if (known) return known;
      const small = shrink(pixels, this.data.side, stage, this.data.channels);
      const value = upload([n, stage, stage, this.data.channels], small);
      pictures.set(stage, value);
      return value;
    };
    const judged = new Map(
      [...life.judged]
        .filter(([, counts]) => counts > 0)
        .map(([i, counts]) => [
          i,
          { image: pictureAt(life.segments[i].stage), weight: fill(-counts / samples) },
        ]),
    );
    const totals = this.zeros();
    const before = life.states && upload([n, side, side, channels], life.states);
    const result = await differentiate(
      compute,
      this.segments,
      adam.parameters,
      {
        ...startingWith(totals, 'total:update.'),
        'total:latents': compute.upload([n, latentSize], new Float32Array(n * latentSize)),
      },
      {
        segments: life.segments,
        differentiated: life.differentiated,
        judged,
        latents: posterior.latents,
        ...(before && { states: before }),
        masks: (segment) => this.masks(segment, n, random),
      },
    );
    const { 'total:latents': change, ...ruleTotals } = result.totals;
    const encoder = await this.posteriors.reverse.run({
      ...given,
      ...adam.parameters,
      ...totals,
      'total:latents': change,
      divergenceWeight: fill((config.beta * life.divergence) / samples),
    });
    const states = Float32Array.from(await compute.read(result.states));
    const divergence = Float32Array.from(await compute.read(posterior.divergence));
    compute.free(change, result.states, ...own, ...Object.values(posterior));
    compute.free(...Object.values(startingWith(totals, 'total:encoder.')));
    const size = side * side * channels;
    const steps = life.segments.reduce((sum, segment) => sum + segment.steps, 0);
    return {
      totals: { ...ruleTotals, ...encoder },
      nats: result.nats,
      divergence,
      entries: Array.from(images, (image, i) => ({
        image,
        states: states.slice(i * size, (i + 1) * size),
        age: (life.ages?.[i] ?? 0) + steps,
      })),
    };
  }

  private masks({ stage, steps }: Segment, n: number, random: Random): Record<string, Value> {
    const { updateProbability } = this.config.update;
    const masks: Record<string, Value> = {};
    for (let i = 0; updateProbability < 1 && i < steps; i++) {
      const mask = new Float32Array(n * stage * stage);
      drawUpdateMask(mask, 0, mask.length, updateProbability, random);
      masks[`mask${i}`] = this.compute.upload([n, stage, stage, 1], mask);
    }
    return masks;
  }
}

/** Smaller pictures tell nothing. */
const SMALLEST_JUDGED = 4;

interface Life {
  readonly images: Uint32Array;
  readonly segments: readonly Segment[];
  readonly differentiated: number;
  /** What the picture after a segment counts, by the segment's index. */
  readonly judged: ReadonlyMap<number, number>;
  /** [N, S, S, C] of a life that goes on, and how old they are. */
  readonly states?: Float32Array;
  readonly ages?: readonly number[];
  /** 1 where the divergence counts, 0 where it does not. */
  readonly divergence: number;
}

interface LifeResult {
  readonly totals: Values;
  readonly nats: Float32Array;
  readonly divergence: Float32Array;
  readonly entries: readonly PoolEntry[];
}

/** Chosen rows of a matrix. */
function rows(matrix: Float32Array, chosen: Uint32Array, size: number): Float32Array {
  const result = new Float32Array(chosen.length * size);
  chosen.forEach((from, to) => {
    result.set(matrix.subarray(from * size, (from + 1) * size), to * size);
  });
  return result;
}

const total = (numbers: Float32Array): number => numbers.reduce((sum, x) => sum + x, 0);

/** Does all jobs, `lanes` of them at a time; results come in the jobs' order. */
async function inLanes<T, R>(
  jobs: readonly T[],
  lanes: number,
  work: (job: T, i: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(jobs.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const i = next++;
      results[i] = await work(jobs[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, lane));
  return results;
}

/** Means of blocks of cells: [n, side, side, c] → [n, to, to, c]. */
function shrink(images: Float32Array, side: number, to: number, channels: number): Float32Array {
  const block = side / to;
  const count = images.length / (side * side * channels);
  const small = new Float32Array(count * to * to * channels);
  for (let at = 0; at < images.length; at++) {
    const c = at % channels;
    const cell = Math.floor(at / channels);
    const x = Math.floor((cell % side) / block);
    const y = Math.floor((Math.floor(cell / side) % side) / block);
    const n = Math.floor(cell / (side * side));
    small[((n * to + y) * to + x) * channels + c] += images[at] / (block * block);
  }
  return small;
}

/** Side of grown patches at a point of a run. */
function sideAt({ curriculum, side }: TrainingConfig, progress: number): number {
  return curriculum.find(({ until }) => progress < until)?.side ?? side;
}

/** The learning rate of an update: up over the warm-up, flat, down over the last share. */
export function rateAt(
  optimiser: TrainingConfig['optimiser'],
  update: number,
  updates: number,
): number {
  const { learningRate, warmup, decay, finalRate } = optimiser;
  const rise = warmup > 0 ? Math.min(1, update / warmup) : 1;
  const left = (updates - update) / (updates * decay);
  const fall = decay > 0 ? Math.min(1, Math.max(0, left) * (1 - finalRate) + finalRate) : 1;
  return learningRate * rise * fall;
}
