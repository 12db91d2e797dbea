/**
 * The training of a variational NCA: evidence lower bound by Adam, with a pool of grown states that are wounded and go on
 * (Palm et al. 2022, section 3), and, beyond the paper, one rule that grows, stays and heals: fresh organisms go on a few
 * steps after growing, and the pool's grow old.
 */
import type { Random } from '../../shared/random.ts';
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
import { growthSegments, type Segment, Segments, stayingSegments } from './model/segments.ts';
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
    const pooled =
      pooling && this.pool.count >= 2 * pooling.batch ? this.pool.take(pooling.batch, random) : [];
    const samples = batch.fresh + pooled.length;

    let totals: Values = this.zeros();
    let reconstruction = 0;
    let divergence = 0;
    let late = 0;
    const grown: PoolEntry[] = [];
    const fresh = this.passes.at(this.done * batch.fresh, batch.fresh);
    for (let at = 0; at < batch.fresh; at += batch.micro) {
      const images = fresh.subarray(at, at + batch.micro);
      const result = await this.live(
        images,
        samples,
        totals,
        random,
        this.freshLife(random, progress),
      );
      totals = result.totals;
      reconstruction -= total(result.nats);
      divergence += total(result.divergence);
      grown.push(...result.entries);
    }
    const aged: PoolEntry[] = [];
    for (let at = 0; pooling && at < pooled.length; at += batch.micro) {
      const entries = pooled.slice(at, at + batch.micro);
      const life = this.pooledLife(entries, at, random, progress);
      const images = Uint32Array.from(entries, ({ image }) => image);
      const result = await this.live(images, samples, totals, random, life);
      totals = result.totals;
      late -= total(result.nats);
      aged.push(...result.entries);
    }
    const gradientNorm = await this.adam.step(totals, rateAt(optimiser, update, config.updates));
    compute.free(...Object.values(totals));
    if (pooling) {
      this.pool.add(aged, random);
      this.pool.add(grown.slice(0, pooling.admit), random);
    }
    this.done = update;
    return {
      update,
      reconstruction: reconstruction / batch.fresh,
      divergence: divergence / batch.fresh,
      gradientNorm,
      ...(pooled.length > 0 && {
        pooled: late / pooled.length,
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

  private freshLife(random: Random, progress: number): Life {
    const { config } = this;
    const draw = (range: readonly [number, number]): number =>
      range[0] + random.integer(range[1] - range[0] + 1);
    const steps = config.growthSteps ? draw(drawnAt(config.growthSteps, progress)) : undefined;
    const growth = growthSegments(config, config.segmentSteps, steps);
    const extra = draw(drawnAt(config.extraSteps, progress));
    const segments = [...growth, ...stayingSegments(config, extra, config.segmentSteps)];
    return {
      segments,
      differentiated: segments.length,
      judged: new Set(config.judgeGrown ? [growth.length - 1] : []),
      divergence: 1,
    };
  }

  private pooledLife(
    entries: readonly PoolEntry[],
    place: number,
    random: Random,
    progress: number,
  ): Life {
    const { config } = this;
    const pooling = config.pool!;
    const { side, channels } = config;
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
    const last = stayingSegments(config, differentiated, segmentSteps);
    return {
      segments: [...stayingSegments(config, steps - differentiated, segmentSteps), ...last],
      differentiated: last.length,
      states,
      ages: entries.map(({ age }) => age),
      divergence: pooling.divergence === 'all' ? 1 : 0,
    };
  }

  /** Runs a life of one micro-batch and adds its gradients. */
  private async live(
    images: Uint32Array,
    samples: number,
    totals: Values,
    random: Random,
    life: Life,
  ): Promise<LifeResult> {
    const { compute, config, adam } = this;
    const { side, channels, latentSize } = config;
    const n = images.length;
    const pixels = gatherImages(this.data, images);
    augmentImages(pixels, this.data, config.augment, random);
    const noise = Float32Array.from({ length: n * latentSize }, () => random.normal());
    const fill = (value: number): Value => compute.upload([n], new Float32Array(n).fill(value));
    const given = {
      image: compute.upload([n, side, side, this.data.channels], pixels),
      noise: compute.upload([n, latentSize], noise),
    };
    const weight = fill(-1 / samples);
    const divergenceWeight = fill((config.beta * life.divergence) / samples);
    const posterior = await this.posteriors.forward.run({ ...given, ...adam.parameters });
    const before = life.states && compute.upload([n, side, side, channels], life.states);
    const zero = new Float32Array(n * latentSize);
    const result = await differentiate(
      compute,
      this.segments,
      adam.parameters,
      { ...rule(totals), 'total:latents': compute.upload([n, latentSize], zero) },
      {
        ...life,
        ...(before ? { states: before } : {}),
        latents: posterior.latents,
        image: given.image,
        weight,
        masks: (segment) => this.masks(segment, n, random),
      } as Parameters<typeof differentiate>[4],
    );
    const encoder = await this.posteriors.reverse.run({
      ...given,
      ...adam.parameters,
      ...totals,
      'total:latents': result.totals['total:latents'],
      divergenceWeight,
    });
    const states = Float32Array.from(await compute.read(result.states));
    const divergence = Float32Array.from(await compute.read(posterior.divergence));
    const { 'total:latents': latents, ...ruleTotals } = result.totals;
    compute.free(latents, weight, divergenceWeight, result.states, ...Object.values(given));
    compute.free(...Object.values(posterior), ...(before ? [before] : []));
    compute.free(...Object.values(encoderPart(totals)));
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

interface Life {
  readonly segments: readonly Segment[];
  readonly differentiated: number;
  readonly judged?: ReadonlySet<number>;
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

const part = (totals: Values, belongs: (name: string) => boolean): Record<string, Value> =>
  Object.fromEntries(Object.entries(totals).filter(([name]) => belongs(name)));
const rule = (totals: Values): Values => part(totals, (name) => name.startsWith('total:update.'));
const encoderPart = (totals: Values): Values =>
  part(totals, (name) => name.startsWith('total:encoder.'));

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
