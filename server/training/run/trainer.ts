/**
 * Trains a variational neural cellular automaton (Palm et al. 2022, section 3) by maximising the
 * evidence lower bound. Unlike in the paper, one rule learns to grow a picture, to keep the picture
 * and to heal: grown organisms stay in a pool, take further steps in later updates, and are
 * sometimes damaged.
 */
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { drawnStates, type TrainingConfig } from '../config.ts';
import { newLook } from '../data/augment.ts';
import { DataPasses, type Dataset, passImages } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { takePatients } from '../rollout/patients.ts';
import { type PoolEntry, Pools } from '../rollout/pools.ts';
import { openRollouts, type Rollouts } from '../rollout/rollout.ts';
import {
  freshPlan,
  leakAt,
  patientPlan,
  pooledPlan,
  progressOf,
  type RolloutPlan,
  sideAt,
} from '../rollout/rollout-plan.ts';
import { type Adam, createAdam, rateAt } from './optimiser.ts';
import { keptShapes, OFFSETS, type RunState, randomOfUpdate, trainedShapes } from './run-state.ts';

/** Figures of one update, averaged over organisms. Likelihoods and the divergence are in nats. */
export interface UpdateReport {
  readonly update: number;
  /** −log p(image | latent) of new organisms. */
  readonly reconstruction: number;
  /** KL divergence of the encoder's distribution from the prior, for new organisms. */
  readonly divergence: number;
  /** Norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** −log p(image | cell states) of pooled organisms after their steps. */
  readonly pooled?: number;
  /** Mean age of the organisms taken from the pool of grown organisms, in steps. */
  readonly age?: number;
  /**
   * −log p(image | cell states) of patients (organisms that heal), over the cells that count in the
   * training loss.
   */
  readonly patients?: number;
}

/** Runs the updates of a training run, one per call of `update`. */
export class Trainer {
  private readonly passes: DataPasses;
  private pools: Pools;
  private done: number;
  /** Progress of the run at the last update, 0…1. */
  private reached: number;

  private constructor(
    private readonly config: TrainingConfig,
    data: Dataset,
    state: RunState,
    private readonly on: { compute: Compute; adam: Adam; rollouts: Rollouts },
  ) {
    const images = passImages(trainingImages(config, data), data.splits.train, config);
    this.passes = new DataPasses(images, config.seed);
    this.pools = new Pools(config, state);
    this.done = state.update;
    this.reached = state.reached;
  }

  /**
   * @param state state from which training starts or resumes
   * @throws TrainingError 'bad-data' if the images do not fit the configuration
   */
  static async create(
    compute: Compute,
    config: TrainingConfig,
    data: Dataset,
    state: RunState,
  ): Promise<Trainer> {
    checkFit(config, data);
    const adam = await createAdam(compute, trainedShapes(config), state, {
      ...config.optimiser,
      rateOf: (name) => {
        if (name === OFFSETS) return config.galleryOffsets?.rate ?? 1;
        return name.startsWith('encoder.') ? config.optimiser.encoderRate : 1;
      },
      kept: keptShapes(config),
    });
    const rollouts = openRollouts(compute, config, data);
    return new Trainer(config, data, state, { compute, adam, rollouts });
  }

  get updates(): number {
    return this.done;
  }

  get progress(): number {
    return progressOf({ update: this.done, reached: this.reached }, this.config.updates);
  }

  /**
   * Runs one update. If an error is thrown, the trainer's state does not change.
   *
   * @throws TrainingError 'not-finite' if the gradient is not finite; 'lost-thread' if a worker
   *   thread died (the caller may retry)
   */
  async update(): Promise<UpdateReport> {
    const { pools } = this;
    this.pools = pools.copy();
    try {
      return await this.tryUpdate();
    } catch (error) {
      this.pools = pools;
      throw error;
    }
  }

  private async tryUpdate(): Promise<UpdateReport> {
    const { config, pools, progress } = this;
    const { compute, adam, rollouts } = this.on;
    const { pool: pooling, optimiser, seed, updates } = config;
    const update = this.done + 1;
    const random = randomOfUpdate(seed, update);
    const { fresh, free, patients, pooled, standIns } = this.plan(random);
    const plans = [...fresh, ...free, ...patients];
    const samples = plans.reduce((sum, { images }) => sum + images.length, 0);
    const { outcomes, gradient } = await rollouts.run(
      adam.parameters,
      plans.map((plan, i) => ({ plan, samples, seed: `${seed} ${update} ${i}` })),
    );
    const grown = outcomes.slice(0, fresh.length);
    const aged = outcomes.slice(fresh.length);
    let gradientNorm: number;
    try {
      if (pooling) {
        const [old, young] = [aged, grown].map((some) => some.flatMap(({ entries }) => entries));
        pools.add([...old, ...young.slice(0, pooling.admit + standIns)], random);
      }
      // Change the parameters last, so that they stay unchanged if an earlier line fails.
      gradientNorm = await adam.step(gradient, rateAt(optimiser, update, updates));
    } finally {
      compute.free(...Object.values(gradient));
    }
    this.done = update;
    this.reached = progress;
    const nats = (of: typeof outcomes): number => -mean(of.map((outcome) => outcome.nats));
    return {
      update,
      reconstruction: nats(grown),
      divergence: mean(grown.map(({ divergence }) => divergence)),
      gradientNorm,
      ...(free.length > 0 && {
        pooled: nats(aged.slice(0, free.length)),
        age: pooled.reduce((sum, { age }) => sum + age, 0) / pooled.length,
      }),
      ...(patients.length > 0 && { patients: nats(aged.slice(free.length)) }),
    };
  }

  /**
   * Chooses the images and pooled organisms of the next update, and plans their rollouts.
   *
   * @returns `fresh`, `free` and `patients`: the plans (one per micro-batch) for new, pooled and
   *   healing organisms; `pooled`: the organisms taken from the main pool; `standIns`: number of
   *   new organisms that replace missing pooled organisms
   */
  private plan(random: Random) {
    const { config, pools, progress } = this;
    const { batch, pool: pooling } = config;
    const side = sideAt(config, progress);
    const leak = leakAt(config, progress);
    const chance = config.stepsDrawn === 'update' && { chance: random.uniform() };
    const moment = { side, progress, leak, random, ...chance };
    pools.keep(({ states }) => states.length === side ** 2 * config.channels);
    const drawn = pooling ? drawnStates(pooling) : 0;
    // As in the published training, use the pool only if it holds more organisms than an update
    // draws.
    const isUsed = pooling !== undefined && pools.count('pool') > drawn;
    const pooled = isUsed ? pools.take('pool', drawn, random) : [];
    const standIns = pooling?.standIns && !isUsed ? drawn : 0;

    const changing = pooling?.calm?.metamorphosis ? pooling.calm.batch : 0;
    // Stand-ins are new organisms that replace missing pooled organisms. As in the published
    // training, draw images for stand-ins even if this update needs none.
    const shown = batch.fresh + (pooling?.standIns ? drawn : changing);
    const images = this.passes.at(this.done * shown, shown);
    const others = images.slice(batch.fresh);
    // The last organisms in `pooled` (`changing` is their number) must turn into other pictures, so
    // give them new target images.
    for (let i = 0; i < changing && i < pooled.length; i++) {
      const target = pooled.length - changing + i;
      pooled[target] = { ...pooled[target], image: others[i], look: newLook(random) };
    }

    const fresh = this.microBatches(images.slice(0, batch.fresh + standIns), (some) =>
      freshPlan(config, some, moment),
    );
    if (!pooling || !isUsed) return { fresh, free: [], patients: [], pooled, standIns };
    const { calm, steps } = pooling;
    const wounded = Math.round(pooling.wounded * pooling.batch);
    const further = (first: number) =>
      calm && first >= pooling.batch
        ? { steps: calm.steps, wounded: 0, rest: calm.rest > 0 }
        : { steps, wounded: wounded - first };
    const free = this.microBatches(pooled, (some, first) =>
      pooledPlan(config, some, further(first), moment),
    );
    const crowded = this.microBatches(pools.takeCrowded(side, random), (some) =>
      pooledPlan(config, some, { steps, wounded: 0 }, moment),
    );
    const patients = this.microBatches(takePatients(config, pools, side, random), (some) =>
      patientPlan(config, some, pooling.patients!.steps, moment),
    );
    return { fresh, free: [...free, ...crowded], patients, pooled, standIns };
  }

  /**
   * Divides items into micro-batches and plans one rollout for each.
   *
   * @param plan called with the items of a micro-batch and the index of its first item
   */
  private microBatches<T extends Uint32Array | readonly PoolEntry[]>(
    items: T,
    plan: (some: T, first: number) => RolloutPlan,
  ): RolloutPlan[] {
    const { micro } = this.config.batch;
    const firsts = Array.from({ length: Math.ceil(items.length / micro) }, (_, i) => i * micro);
    return firsts.map((first) => plan(items.slice(first, first + micro) as T, first));
  }

  /** Returns the current state, from which training can be resumed. */
  async state(): Promise<RunState> {
    const { done: update, reached } = this;
    const tensors = await this.on.adam.read();
    return { update, reached, tensors, ...this.pools.all() };
  }

  /** Stops the threads and frees the parameters. The back end stays open. */
  async dispose(): Promise<void> {
    await this.on.rollouts.dispose();
    await this.on.adam.dispose();
  }
}

/** Averages a figure over all organisms. @param figures one array per rollout */
function mean(figures: readonly Float32Array[]): number {
  let [sum, count] = [0, 0];
  for (const some of figures) {
    for (const x of some) sum += x;
    count += some.length;
  }
  return sum / count;
}

export function trainingImages(
  { trainOnValidation }: Pick<TrainingConfig, 'trainOnValidation'>,
  { splits: { train, validation } }: Dataset,
): Uint32Array {
  if (!trainOnValidation) return train;
  return Uint32Array.from([...train, ...validation]);
}

function checkFit(config: TrainingConfig, data: Dataset): void {
  const channels = imageChannels(config.readout);
  if (data.channels !== channels) {
    const what = `the images have ${data.channels} channels, but "readout" in the configuration ("${config.readout.kind}") needs ${channels}`;
    throw new TrainingError('bad-data', `${data.name}: ${what}`);
  }
  if (trainingImages(config, data).length === 0) {
    throw new TrainingError('bad-data', `${data.name}: the set has no images to train on`);
  }
}
