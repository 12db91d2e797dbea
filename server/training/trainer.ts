/**
 * The training of a variational NCA: evidence lower bound by Adam, with a pool of grown states that are wounded and go on
 * (Palm et al. 2022, section 3), and, beyond the paper, one rule that grows, stays and heals: fresh organisms go on a few
 * steps after growing, and the pool's grow old.
 */
import type { Random } from '../../shared/random.ts';
import type { Compute, Values } from './autodiff/compute.ts';
import { DataPasses, randomOfUpdate } from './batches.ts';
import { drawnStates, type TrainingConfig } from './config.ts';
import { newLook } from './data/augment.ts';
import type { Dataset } from './data/dataset.ts';
import { TrainingError } from './errors.ts';
import { imageChannels } from './model/likelihood.ts';
import type { Segment } from './model/segments.ts';
import { Adam } from './optimiser.ts';
import type { DataParallel, Outcome } from './parallel/data-parallel.ts';
import { openDataParallel } from './parallel/open-data-parallel.ts';
import { Pool, type PoolEntry } from './pool.ts';
import {
  calmPlan,
  crowdedPlan,
  freshPlan,
  openGround,
  pooledPlan,
  type RolloutPlan,
} from './rollout-plan.ts';
import { likelihoodOf, type RunState, trainedShapes } from './run-state.ts';
import { leakAt, rateAt, sideAt } from './schedule.ts';

/** What an update saw. Nats and errors are means an organism. */
export interface UpdateReport {
  readonly update: number;
  /** −log p(x | z) of fresh organisms. */
  readonly reconstruction: number;
  /** KL(q ‖ p) of fresh organisms. */
  readonly divergence: number;
  /** −log p(x | states) of the pool's, after their steps. */
  readonly pooled?: number;
  /** Mean age of the pool's drawn states, steps. */
  readonly age?: number;
  readonly gradientNorm: number;
}

export class Trainer {
  private readonly passes: DataPasses;
  private pool: Pool;
  /** States that live among others, each with its open ground. */
  private crowd: Pool;
  /** Updates behind this run. */
  private done: number;

  private constructor(
    private readonly compute: Compute,
    private readonly config: TrainingConfig,
    data: Dataset,
    private readonly adam: Adam,
    private readonly parallel: DataParallel,
    state: RunState,
  ) {
    this.passes = new DataPasses(trainingImages(config, data), config.seed);
    this.pool = new Pool(config.pool?.size ?? 0, state.pool);
    this.crowd = new Pool(config.pool?.crowded?.size ?? 0, state.crowd);
    this.done = state.update;
  }

  /** @throws TrainingError bad-data, bad-run: the images do not fit the configuration, or the pool does not fit them */
  static async create(
    compute: Compute,
    config: TrainingConfig,
    data: Dataset,
    state: RunState,
  ): Promise<Trainer> {
    checkFit(config, data, state);
    const shapes = trainedShapes(config);
    const adam = await Adam.create(compute, shapes, state.tensors, state.update, config.optimiser);
    const parallel = await openDataParallel(compute, config, data);
    return new Trainer(compute, config, data, adam, parallel, state);
  }

  get updates(): number {
    return this.done;
  }

  /** Inputs `parameter:*` of programs: the moving average where there is one. */
  get parameters(): Values {
    const { average } = this.config.optimiser;
    return average > 0 ? this.adam.averages : this.adam.parameters;
  }

  /**
   * One update. Whatever it throws, nothing was changed.
   *
   * @throws TrainingError not-finite; lost-thread: one may try again
   */
  async update(): Promise<UpdateReport> {
    const { pool, crowd } = this;
    this.pool = pool.copy();
    this.crowd = crowd.copy();
    try {
      return await this.tryUpdate();
    } catch (error) {
      this.pool = pool;
      this.crowd = crowd;
      throw error;
    }
  }

  private async tryUpdate(): Promise<UpdateReport> {
    const { compute, config, adam } = this;
    const { batch, pool: pooling, optimiser } = config;
    const update = this.done + 1;
    const random = randomOfUpdate(config.seed, update);
    const progress = this.done / config.updates;
    const moment = {
      side: sideAt(config, progress),
      progress,
      leak: leakAt(config, progress),
      ...(config.stepsDrawn === 'update' && { chance: random.uniform() }),
    };
    const ofNow = ({ states }: PoolEntry) => states.length === moment.side ** 2 * config.channels;
    this.pool.keep(ofNow);
    this.crowd.keep(ofNow);
    const drawn = pooling ? drawnStates(pooling) : 0;
    // As published: drawn from only when more are there than are drawn.
    const pooled = pooling && this.pool.count > drawn ? this.pool.take(drawn, random) : [];
    const standIns = pooling?.standIns && pooled.length === 0 ? drawn : 0;

    const changing = pooling?.calm?.metamorphosis ? pooling.calm.batch : 0;
    // As published: images of those that stand in have their turn in the passes, whether they are needed or not.
    const shown = batch.fresh + (pooling?.standIns ? drawn : changing);
    const images = this.passes.at(this.done * shown, shown);
    const fresh = images.slice(0, batch.fresh + standIns);
    const others = images.slice(batch.fresh);
    // The calm ones are the last that are drawn.
    for (let i = 0; i < changing && i < pooled.length; i++) {
      const at = pooled.length - changing + i;
      pooled[at] = { ...pooled[at], image: others[i], look: newLook(random) };
    }

    const lives: RolloutPlan[] = [];
    for (let at = 0; at < fresh.length; at += batch.micro) {
      lives.push(freshPlan(config, fresh.slice(at, at + batch.micro), moment, random));
    }
    const freshLives = lives.length;
    for (let at = 0; pooling && at < pooled.length; at += batch.micro) {
      const entries = pooled.slice(at, at + batch.micro);
      const { calm } = pooling;
      lives.push(
        calm && at >= pooling.batch
          ? calmPlan({ ...config, pool: { ...pooling, calm } }, entries, moment, random)
          : pooledPlan({ ...config, pool: pooling }, entries, at, moment, random),
      );
    }
    const crowded = pooled.length > 0 ? this.takeCrowded(moment.side, random) : [];
    for (let at = 0; pooling && at < crowded.length; at += batch.micro) {
      const entries = crowded.slice(at, at + batch.micro);
      lives.push(crowdedPlan({ ...config, pool: pooling }, entries, moment, random));
    }
    const samples = fresh.length + pooled.length + crowded.length;
    const { outcomes, parts } = await this.parallel.run(
      adam.parameters,
      lives.map((life, i) => ({ life, samples, seed: `${config.seed} ${update} ${i}` })),
    );
    const grown = outcomes.slice(0, freshLives);
    const aged = outcomes.slice(freshLives);
    let gradientNorm: number;
    try {
      if (pooling) this.putBack(pooling.admit + standIns, grown, aged, random);
      // Last, so that whatever fails leaves the parameters as they are.
      gradientNorm = await adam.step(parts, rateAt(optimiser, update, config.updates));
    } finally {
      for (const part of parts) compute.free(...Object.values(part));
    }
    this.done = update;
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

  /** Those that have lived among others, but for some that begin to: states of the pool, which keeps them, with new neighbours. */
  private takeCrowded(side: number, random: Random): PoolEntry[] {
    const plan = this.config.pool?.crowded;
    if (!plan || this.pool.count === 0) return [];
    const all = this.pool.all();
    return Array.from({ length: plan.batch }, () => {
      const [known] = this.crowd.count > 0 ? this.crowd.take(1, random) : [];
      if (known && random.uniform() >= plan.renewed) return known;
      const open = openGround(random, side, plan.largest);
      return { ...all[random.integer(all.length)], open };
    });
  }

  private putBack(
    admit: number,
    grown: readonly Outcome[],
    aged: readonly Outcome[],
    random: Random,
  ): void {
    const entriesOf = (results: readonly Outcome[]): PoolEntry[] =>
      results.flatMap(({ entries }) => entries);
    const entries = [...entriesOf(aged), ...entriesOf(grown).slice(0, admit)];
    this.pool.add(
      entries.filter(({ open }) => !open),
      random,
    );
    this.crowd.add(
      entries.filter(({ open }) => open),
      random,
    );
  }

  /** Means of the posterior of images: [n, Z]. */
  means(images: Uint32Array): Promise<Float32Array> {
    return this.rows(images.length, this.config.latentSize, (chosen) => ({
      images: chosen.map((i) => images[i]),
    }));
  }

  /**
   * Runs segments without gradients.
   *
   * @param latents [n, Z]
   * @param states [n, s, s, C] before the first segment, unless it begins with a seed
   * @returns states after the last
   */
  run(
    latents: Float32Array,
    segments: readonly Segment[],
    states?: Float32Array,
  ): Promise<Float32Array> {
    const { channels, latentSize, seed } = this.config;
    const count = latents.length / latentSize;
    const { stage } = segments[segments.length - 1];
    return this.rows(count, stage * stage * channels, (chosen) => ({
      latents: rowsOf(latents, chosen, latentSize),
      segments,
      ...(states && { states: rowsOf(states, chosen, states.length / count) }),
      leak: leakAt(this.config, this.done / this.config.updates),
      seed: `${seed} run ${this.done} ${chosen[0]}`,
    }));
  }

  /** Numbers of each row, computed in micro-batches; the last one repeats its last row. */
  private async rows(
    count: number,
    size: number,
    job: (chosen: Uint32Array) => Parameters<DataParallel['rows']>[1][number],
  ): Promise<Float32Array> {
    const { micro } = this.config.batch;
    const firsts = Array.from({ length: Math.ceil(count / micro) }, (_, i) => i * micro);
    const jobs = firsts.map((first) =>
      job(Uint32Array.from({ length: micro }, (_, i) => Math.min(first + i, count - 1))),
    );
    const all = new Float32Array(count * size);
    const results = await this.parallel.rows(this.parameters, jobs);
    results.forEach((row, i) => {
      const first = firsts[i];
      all.set(row.subarray(0, Math.min(micro, count - first) * size), first * size);
    });
    return all;
  }

  async state(): Promise<RunState> {
    const [pool, crowd] = [this.pool, this.crowd].map((states) => [...states.all()]);
    return { update: this.done, tensors: await this.adam.read(), pool, crowd };
  }

  async dispose(): Promise<void> {
    await this.parallel.dispose();
    await this.adam.dispose();
  }
}

/** Chosen rows of a matrix. */
function rowsOf(matrix: Float32Array, chosen: Uint32Array, size: number): Float32Array {
  const result = new Float32Array(chosen.length * size);
  chosen.forEach((from, to) => {
    result.set(matrix.subarray(from * size, (from + 1) * size), to * size);
  });
  return result;
}

/** Over all organisms of some lives. */
function mean(of: readonly Outcome[], pick: (result: Outcome) => Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const result of of) {
    for (const x of pick(result)) sum += x;
    count += pick(result).length;
  }
  return sum / count;
}

/** Indices of the images that are trained on. */
export function trainingImages(
  { trainOnValidation }: Pick<TrainingConfig, 'trainOnValidation'>,
  { splits: { train, validation } }: Dataset,
): Uint32Array {
  if (!trainOnValidation) return train;
  const all = new Uint32Array(train.length + validation.length);
  all.set(train);
  all.set(validation, train.length);
  return all;
}

function checkFit(config: TrainingConfig, data: Dataset, { pool, crowd }: RunState): void {
  const bad = (what: string): never => {
    throw new TrainingError('bad-data', `${data.name}: ${what}`);
  };
  const channels = imageChannels(likelihoodOf(config));
  if (data.side !== config.side) {
    bad(`images are ${data.side}×${data.side}, but "side" of the configuration is ${config.side}`);
  }
  if (data.channels !== channels) {
    bad(
      `images have ${data.channels} channels, but "readout" of the configuration ("${config.readout.kind}") is for ${channels}`,
    );
  }
  if (trainingImages(config, data).length === 0) bad('there are no images to train on');
  const foreign = [...pool, ...crowd].find(({ image }) => !(image < data.count));
  if (foreign) {
    throw new TrainingError(
      'bad-run',
      `the run's pool shows image ${foreign.image}, but ${data.name} has only ${data.count}; a run goes on with the images it began with`,
    );
  }
}
