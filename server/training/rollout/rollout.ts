/**
 * Runs rollouts and computes their gradients, on a GPU or in CPU threads. A rollout is the sequence
 * of steps that one micro-batch of organisms takes in an update. Start reading at `runRollout`.
 */
import { createRandom, hashText } from '../../../shared/random.ts';
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import { gradients } from '../../autodiff/gradients.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { parameterInputs } from '../../autodiff/parameters.ts';
import { getOrAdd } from '../../platform/collections.ts';
import { encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { TrainingConfig } from '../config.ts';
import { augmentImages, newLook, shrink } from '../data/augment.ts';
import { type Dataset, gatherImages } from '../data/dataset.ts';
import { positionChannels, positionFields } from '../model/likelihood.ts';
import { divergence, drawMasks, encode, reparameterise, uploadMasks } from '../model/networks.ts';
import { type Conditioning, type Segment, Segments } from '../model/segments.ts';
import { likelihoodOf, OFFSETS, runShapes, trainedShapes } from '../run/run-state.ts';
import { openWorkerPool, type WorkerJob } from '../workers/worker-pool.ts';
import { seenCells, stepsLeft } from './patients.ts';
import type { PoolEntry } from './pools.ts';
import type { RolloutPlan } from './rollout-plan.ts';

/** The images of a data set, without their descriptions. */
export type Pixels = Pick<Dataset, 'side' | 'channels' | 'pixels' | 'splits'>;

/** Compiled programs and data for training. Each thread has its own. */
export type TrainingContext = Awaited<ReturnType<typeof openTrainingContext>>;

/** Compiles the encoder and prepares the programs of the rule. */
export async function openTrainingContext(compute: Compute, config: TrainingConfig, data: Pixels) {
  const { places, sigma } = config;
  const rest = config.pool?.calm?.rest;
  const { micro: batch } = config.batch;
  const likelihood = likelihoodOf(config);
  const gallery = config.galleryOffsets ? config.gallery : 0;
  const encoder = await compileEncoder(compute, config, gallery);
  const segments = new Segments({
    ...{ compute, spec: config, likelihood, batch },
    ...(places && { places: { ...places, sigma } }),
    ...(rest && { rest: { weight: rest, sigma } }),
    isKept: config.trains === 'encoder',
  });
  const zeros: Record<string, Value> = {};
  for (const [name, shape] of segments.totalShapes) {
    zeros[`total:${name}`] = compute.upload(shape, new Float32Array(g.sizeOf(shape)));
  }
  const rows = new Map(
    Array.from(data.splits.train.subarray(0, gallery), (image, i) => [image, i]),
  );
  return {
    ...{ compute, config, data, encoder, segments },
    /**
     * Creates the encoder's input `shown`, which selects an offset for each sample whose image is
     * in the gallery. An offset is a trained vector that is added to the mean of an image's latent.
     *
     * @param images index of each sample's image in the data set; undefined for an image changed by
     *   augmentation, which gets no offset
     * @returns an object with the input `shown`; an empty object if no offsets are trained
     */
    shownOf(images: readonly (number | undefined)[]): Record<string, Value> {
      if (gallery === 0) return {};
      const shown = new Float32Array(images.length * gallery);
      images.forEach((image, i) => {
        const row = image === undefined ? undefined : rows.get(image);
        if (row !== undefined) shown[i * gallery + row] = 1;
      });
      return { shown: compute.upload([images.length, gallery], shown) };
    },
    /** Initial sums of gradients: zeros, shaped as in `Segments.totalShapes`. */
    zeros: zeros as Values,
    /** Frees the programs and data, but not `compute`. */
    async close(): Promise<void> {
      compute.free(...Object.values(zeros));
      await segments.dispose();
      await encoder.forward.dispose();
      await encoder.reverse.dispose();
    },
  };
}

/**
 * Compiles the encoder's programs for micro-batches.
 *
 * @param gallery number of gallery images with a trained offset, G
 */
async function compileEncoder(compute: Compute, config: TrainingConfig, gallery: number) {
  const { encoder: net, side, latentSize } = config;
  const { micro: batch } = config.batch;
  const channels = imageChannels(config.readout);
  const shapes = new Map(encoderShapes(net, { side, channels, latentSize }));
  if (gallery > 0) shapes.set(OFFSETS, [gallery, latentSize]);
  const parameters = parameterInputs(shapes);
  const images = g.inputMap('image', [batch, side, side, channels]);
  const encoded = encode(net, parameters, images);
  const offsets = (): Expression =>
    g.matMul(g.input('shown', [batch, gallery]), parameters(OFFSETS));
  const posterior = gallery === 0 ? encoded : { ...encoded, mean: g.add(encoded.mean, offsets()) };
  const latents = reparameterise(posterior, g.input('noise', [batch, latentSize]));
  const nats = divergence(posterior);
  const names = [...shapes.keys()];
  const slopes = gradients(
    [
      { result: latents, change: g.input('total:latents', latents.shape) },
      { result: nats, change: g.reshape(g.input('divergenceWeight', [batch]), [batch, 1]) },
    ],
    names.map(parameters),
  );
  return {
    /**
     * Encodes images and samples latents. Inputs: `image` [N, S, S, c]; `noise` [N, Z];
     * `parameter:*`; `shown` [N, G], if offsets (vectors added to the latents of gallery images)
     * are trained: 1 at the gallery index of each sample's image, else 0. Outputs:
     * `latents` [N, Z]; `divergence` [N], in nats.
     */
    forward: await compute.compile({ latents, divergence: g.reshape(nats, [batch]) }),
    /**
     * Backpropagates through the encoder. Inputs: the inputs of `forward`; `total:latents`, the
     * gradient of the latents; `divergenceWeight` [N], the weight of each sample's KL divergence in
     * the training loss. Outputs: `total:*`, the gradients of the encoder's parameters and, if
     * offsets are trained, of the offsets.
     */
    reverse: await compute.compile(
      Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
    ),
  };
}

/** Data with which the loss compares cell states after a segment. */
export interface Target {
  /** Target images, [N, s, s, c], values 0…1. */
  readonly image: Value;
  /**
   * [N] Factor of each sample's log-likelihood (in nats) in the training loss. The factor is
   * negative, so that a higher likelihood gives a smaller loss.
   */
  readonly weight: Value;
  /** [1, s, s, 4 · octaves] Expected position channels. Absent if there is no position loss. */
  readonly places?: Value;
  /**
   * [N, s, s, 1] 1 for cells that count in the training loss, else 0. Present only for wounded
   * organisms.
   */
  readonly seen?: Value;
}

export interface Rollout {
  readonly segments: readonly Segment[];
  /**
   * Number of segments to differentiate, counted from the end. Earlier segments run without
   * gradients.
   */
  readonly differentiated: number;
  /** Targets by index of the segment. The last segment must have a target. */
  readonly targets: ReadonlyMap<number, Target>;
  readonly conditioning: Conditioning;
  /**
   * States before the first segment; absent if organisms grow from seeds. The caller must free
   * them.
   */
  readonly states?: Value;
  /**
   * Returns the inputs of segment i that differ between segments: the update masks `mask0`,
   * `mask1`, …, and `open` and `closed` if needed. `differentiate` frees these inputs.
   */
  readonly masks?: (segment: Segment, i: number) => Record<string, Value>;
}

/**
 * Runs a rollout and computes its gradients. To save memory, keeps only the states between
 * segments, and recomputes the states inside each segment.
 *
 * @param context `zeros` are the initial sums of gradients
 * @param parameters all parameters, named `parameter:*`
 * @returns `states`: the final states; `nats`: log p(image | final states), [N]; `totals`: the
 *   gradients `total:*` of the rule's parameters and of the latents. The caller must free the
 *   values
 */
export async function differentiate(
  { compute, segments: programs, zeros }: Pick<TrainingContext, 'compute' | 'segments' | 'zeros'>,
  parameters: Values,
  rollout: Rollout,
): Promise<{ states: Value; nats: Float32Array; totals: Values }> {
  const { segments, conditioning } = rollout;
  const last = segments.length - 1;
  const first = Math.max(0, segments.length - rollout.differentiated);
  const masks = segments.map((segment, i) => rollout.masks?.(segment, i) ?? {});
  const before: (Value | undefined)[] = [rollout.states];
  const inputsOf = (i: number): Values => ({
    ...parameters,
    ...conditioning.inputs,
    ...masks[i],
    ...(before[i] && { states: before[i] }),
  });

  for (let i = 0; i < last; i++) {
    const program = await programs.forward(segments[i]);
    const { states } = await program.run(inputsOf(i));
    if (i < first && i > 0) compute.free(before[i]!);
    before.push(states);
  }

  let sums = zeros;
  let change: Value | undefined;
  let final: { states: Value; nats: Float32Array } | undefined;
  for (let i = last; i >= first; i--) {
    const target = rollout.targets.get(i);
    const program = await programs.reverse(segments[i], {
      image: target !== undefined,
      change: change !== undefined,
    });
    const results = await program.run({
      ...inputsOf(i),
      ...sums,
      ...target,
      ...(change && { change }),
    });
    if (sums !== zeros) compute.free(...Object.values(sums));
    if (change) compute.free(change);
    sums = Object.fromEntries(
      Object.entries(results).filter(([name]) => name.startsWith('total:')),
    );
    change = results.change;
    if (i === last) {
      final = { states: results.states, nats: Float32Array.from(await compute.read(results.nats)) };
    } else if (target) compute.free(results.states);
    if (results.nats) compute.free(results.nats);
  }
  if (change) compute.free(change);
  for (const states of before.slice(Math.max(1, first))) {
    if (states && states !== rollout.states) compute.free(states);
  }
  for (const mask of masks) compute.free(...Object.values(mask));
  const genome = await programs.reverseGenome();
  if (genome) {
    const { 'total:genome': ofGenome, 'total:latents': ofLatents, ...others } = sums;
    const results = await genome.run({ ...parameters, ...conditioning.inputs, ...sums });
    compute.free(ofGenome, ofLatents);
    sums = { ...others, ...results };
  }
  return { ...final!, totals: sums };
}

export interface RolloutJob {
  readonly plan: RolloutPlan;
  /** Number of samples in the update. Each sample's loss is divided by this number. */
  readonly samples: number;
  readonly seed: string;
}

export interface RolloutOutcome {
  /** The gradients `total:*` of all parameters. The caller must free them. */
  readonly totals: Values;
  /** log p(image | final states), in nats, [N]. */
  readonly nats: Float32Array;
  /** KL divergence of the encoder's distribution from the prior, in nats, [N]. */
  readonly divergence: Float32Array;
  readonly entries: readonly PoolEntry[];
}

/**
 * Runs the encoder and the rollout of one micro-batch, and computes the gradients.
 *
 * @param parameters all parameters, named `parameter:*`
 */
export async function runRollout(
  context: TrainingContext,
  parameters: Values,
  job: RolloutJob,
): Promise<RolloutOutcome> {
  const { compute, config, data, encoder, segments } = context;
  const { plan, samples } = job;
  const random = createRandom(hashText(job.seed));
  const { channels, latentSize } = config;
  const { images } = plan;
  const { stage: side } = plan.segments[plan.segments.length - 1];
  const n = images.length;
  const uploaded: Value[] = [];
  const upload: Compute['upload'] = (shape, numbers) => {
    const value = compute.upload(shape, numbers);
    uploaded.push(value);
    return value;
  };

  const pixels = gatherImages(data, images);
  // Augment a pooled organism's target image in the same way as when the organism was new.
  const looks = plan.looks ?? Array.from(images, () => newLook(random));
  const size = pixels.length / n;
  const shown = looks.map((look, i) => {
    const image = pixels.subarray(i * size, (i + 1) * size);
    const isChanged = augmentImages(image, data, config.augment, createRandom(look));
    return isChanged ? undefined : images[i];
  });
  const noise = Float32Array.from({ length: n * latentSize }, () => random.normal());
  const row = context.shownOf(shown);
  uploaded.push(...Object.values(row));
  const encoderInputs = {
    ...parameters,
    ...row,
    image: upload([n, data.side, data.side, data.channels], pixels),
    noise: upload([n, latentSize], noise),
  };
  const posterior = await encoder.forward.run(encoderInputs);

  const pictures = new Map<number, Value>([[data.side, encoderInputs.image]]);
  const pictureAt = (stage: number): Value =>
    getOrAdd(pictures, stage, () => {
      const small = shrink(pixels, data.side, stage, data.channels);
      return upload([n, stage, stage, data.channels], small);
    });
  const targets = uploadTargets(context, job, pictureAt, upload);
  const conditioning = await segments.condition(parameters, posterior.latents, plan.leak);
  const result = await differentiate(context, parameters, {
    segments: plan.segments,
    differentiated: plan.differentiated,
    targets,
    conditioning,
    ...(plan.states && { states: upload([n, side, side, channels], plan.states) }),
    masks: (segment, i) => ({
      ...uploadMasks(compute, drawMasks(config.update, n, segment, random), segment),
      ...(plan.closed && {
        closed: uploadClosed(compute, n, segment, stepsLeft(plan.closed, stepsBefore(plan, i))),
      }),
      ...(plan.open && { open: compute.upload(...openAt(plan.open, side, segment.stage)) }),
    }),
  });
  const { 'total:latents': change, ...ruleTotals } = result.totals;
  const weights = new Float32Array(n).fill((config.beta * plan.divergence) / samples);
  const encoderTotals = await encoder.reverse.run({
    ...{ ...encoderInputs, 'total:latents': change },
    divergenceWeight: upload([n], weights),
  });
  const states = Float32Array.from(await compute.read(result.states));
  const divergence = Float32Array.from(await compute.read(posterior.divergence));
  conditioning.free();
  compute.free(change, result.states, ...uploaded, ...Object.values(posterior));
  const patch = side * side * channels;
  const steps = stepsBefore(plan, plan.segments.length);
  const closed = plan.closed && stepsLeft(plan.closed, steps);
  const open = plan.open ?? closed?.slice().fill(1);
  return {
    totals: { ...ruleTotals, ...encoderTotals },
    nats: result.nats,
    divergence,
    entries: Array.from(images, (image, i) => ({
      image,
      look: looks[i],
      states: states.slice(i * patch, (i + 1) * patch),
      age: (plan.ages?.[i] ?? 0) + steps,
      ...(open && { open: open.slice(i * side * side, (i + 1) * side * side) }),
      ...(closed && { closed: closed.slice(i * side * side, (i + 1) * side * side) }),
    })),
  };
}

const stepsBefore = ({ segments }: RolloutPlan, index: number): number =>
  segments.slice(0, index).reduce((sum, { steps }) => sum + steps, 0);

/**
 * Uploads the targets of all segments that have a weight in the training loss.
 *
 * @param pictureAt returns the target images with the given side, in pixels
 * @returns targets by index of the segment
 */
function uploadTargets(
  { config: { places } }: TrainingContext,
  { plan, samples }: RolloutJob,
  pictureAt: (stage: number) => Value,
  upload: Compute['upload'],
): Map<number, Target> {
  const targets = new Map<number, Target>();
  const n = plan.images.length;
  for (const [i, weight] of plan.judged) {
    if (weight <= 0) continue;
    const { stage } = plan.segments[i];
    const seen = plan.closed && seenCells(plan.closed, stepsBefore(plan, i + 1), plan.open);
    const weights = weightsOf(seen, n).map((x) => (-weight / samples) * x);
    targets.set(i, {
      image: pictureAt(stage),
      weight: upload([n], weights),
      ...(seen && { seen: upload([n, stage, stage, 1], seen) }),
      ...(places && {
        places: upload(
          [1, stage, stage, positionChannels(places)],
          positionFields(stage, places.octaves),
        ),
      }),
    });
  }
  return targets;
}

/**
 * Cuts a square with the size of a growing patch out of the middle of each mask of neighbours. A
 * growing patch lies in the middle of the area that it will fill.
 *
 * @param open [n, side, side] 1 for cells not occupied by neighbours, else 0
 * @param stage side of the growing patch, in cells
 * @returns shape and values of a tensor [n, stage, stage, 1]
 */
function openAt(open: Uint8Array, side: number, stage: number): [number[], Float32Array] {
  const n = open.length / side ** 2;
  const inset = (side - stage) / 2;
  const numbers = new Float32Array(n * stage * stage);
  for (let row = 0; row < n * stage; row++) {
    const [i, y] = [Math.floor(row / stage), row % stage];
    const from = (i * side + inset + y) * side + inset;
    numbers.set(open.subarray(from, from + stage), row * stage);
  }
  return [[n, stage, stage, 1], numbers];
}

const uploadClosed = (compute: Compute, n: number, { stage }: Segment, steps: Uint8Array): Value =>
  compute.upload([n, stage, stage, 1], Float32Array.from(steps));

/**
 * Returns each sample's weight in the training loss: √(number of cells / number of cells that
 * count).
 *
 * @param seen [N, s, s] 1 for cells that count in the training loss, else 0; undefined if all cells
 *   count
 * @returns [N]
 */
function weightsOf(seen: Float32Array | undefined, n: number): Float32Array {
  if (!seen) return new Float32Array(n).fill(1);
  const cells = seen.length / n;
  return Float32Array.from({ length: n }, (_, i) => {
    const counted = seen.subarray(i * cells, (i + 1) * cells).reduce((sum, is) => sum + is, 0);
    return Math.sqrt(cells / Math.max(1, counted));
  });
}

type Numbers = Readonly<Record<string, Float32Array>>;

type Result = Omit<RolloutOutcome, 'totals'> & { readonly totals: Numbers };

export type Rollouts = ReturnType<typeof openRollouts>;

/**
 * Prepares the rollouts of a training run, which run in the calling thread on a GPU, or in worker
 * threads on a CPU. The number of threads does not affect the results.
 */
export function openRollouts(compute: Compute, config: TrainingConfig, data: Pixels) {
  const shared: Numbers = Object.fromEntries(
    Array.from(runShapes(config), ([name, shape]) => {
      return [`parameter:${name}`, new Float32Array(new SharedArrayBuffer(4 * g.sizeOf(shape)))];
    }),
  );
  const { side, channels, splits, pixels } = data;
  const plan = { config, data: { side, channels, splits, pixels }, parameters: shared };
  const pool = openWorkerPool(workerJob, compute, plan);
  let version = 0;
  return {
    /**
     * Runs the rollouts of an update. Calls must not overlap.
     *
     * @param parameters all parameters, named `parameter:*`
     * @returns `outcomes` in the order of the jobs; `gradient`: the summed gradients `total:*` of
     *   the trained parameters, which the caller must free
     */
    async run(parameters: Values, jobs: readonly RolloutJob[]) {
      for (const [key, numbers] of Object.entries(shared)) {
        numbers.set(await compute.read(parameters[key]));
      }
      version++;
      const outcomes = new Array<Omit<RolloutOutcome, 'totals'>>(jobs.length);
      const sum = new OrderedSum();
      const versioned = jobs.map((job) => ({ ...job, version }));
      const keep = ({ totals, ...outcome }: Result, i: number): void => {
        outcomes[i] = outcome;
        sum.add(totals, i);
      };
      await pool.work(versioned, keep, costOf);
      const gradient: Values = Object.fromEntries(
        Array.from(trainedShapes(config), ([name, shape]) => {
          const key = `total:${name}`;
          return [key, compute.upload(shape, sum.total[key])];
        }),
      );
      return { outcomes, gradient };
    },
    dispose: () => pool.dispose(),
  };
}

/** Estimates the cost of a rollout as cells × steps. Differentiated steps count three times. */
function costOf({ plan: { segments, differentiated } }: RolloutJob): number {
  const first = segments.length - differentiated;
  return segments.reduce(
    (sum, { stage, steps }, i) => sum + stage * stage * steps * (i < first ? 1 : 3),
    0,
  );
}

/** The code that worker threads run. Pixels and parameters are in shared memory. */
export const workerJob: WorkerJob<
  {
    readonly config: TrainingConfig;
    readonly data: Pixels;
    /** All parameters, named `parameter:*`. Values change only between jobs. */
    readonly parameters: Numbers;
  },
  /** A worker's job. `version` increases whenever the parameters change. */
  RolloutJob & { readonly version: number },
  Result
> = {
  module: import.meta.url,
  async open(compute, { config, data, parameters: shared }) {
    const context = await openTrainingContext(compute, config, data);
    const parameters: Record<string, Value> = {};
    let known = -1;
    return {
      async work({ version, ...job }) {
        if (version !== known) {
          compute.free(...Object.values(parameters));
          for (const [name, shape] of runShapes(config)) {
            const key = `parameter:${name}`;
            // Copy the parameters, because ONNX Runtime rejects shared memory.
            parameters[key] = compute.upload(shape, Float32Array.from(shared[key]));
          }
          known = version;
        }
        const { totals, ...outcome } = await runRollout(context, parameters, job);
        const numbers: Record<string, Float32Array> = {};
        for (const [key, value] of Object.entries(totals)) {
          numbers[key] = Float32Array.from(await compute.read(value));
        }
        compute.free(...Object.values(totals));
        return { ...outcome, totals: numbers };
      },
      async close() {
        compute.free(...Object.values(parameters));
        await context.close();
      },
    };
  },
};

/** Sums results in the order of their indices, so that equal runs have equal rounding errors. */
class OrderedSum {
  private readonly waiting = new Map<number, Numbers>();
  private next = 0;
  /** Sum of results 0 to `next` − 1. Later results wait until result `next` has arrived. */
  total: Numbers = {};

  /** Adds the result with index i. The caller must no longer use `numbers`. */
  add(numbers: Numbers, i: number): void {
    this.waiting.set(i, numbers);
    for (;;) {
      const found = this.waiting.get(this.next);
      if (!found) return;
      this.waiting.delete(this.next);
      if (this.next++ === 0) this.total = found;
      else {
        for (const [key, sum] of Object.entries(this.total)) {
          for (let k = 0; k < sum.length; k++) sum[k] += found[key][k];
        }
      }
    }
  }
}
