/** Runs planned lives: with gradients for training, without for pictures. */
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import { drawUpdateMask } from '../vnca/update-mask.ts';
import type { Compute, Value, Values } from './autodiff/compute.ts';
import type { TrainingConfig } from './config.ts';
import { augmentImages, newLook } from './data/augment.ts';
import { gatherImages } from './data/dataset.ts';
import { positionChannels, positionFields } from './model/position-loss.ts';
import type { Segment } from './model/segments.ts';
import type { PoolEntry } from './pool.ts';
import { differentiate } from './rollout-gradient.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import type { TrainingContext } from './training-context.ts';

/** A life to run, and its chance. */
export interface RolloutJob {
  readonly life: RolloutPlan;
  /** Of the whole update, which a sample's nats are divided by. */
  readonly samples: number;
  readonly seed: string;
}

/** Images whose posterior is asked for. */
export interface MeansJob {
  /** Indices into the set, as many as a micro-batch has. */
  readonly images: Uint32Array;
}

/** A micro-batch that runs without gradients. */
export interface GrowJob {
  /** [N, Z]. */
  readonly latents: Float32Array;
  readonly segments: readonly Segment[];
  /** [N, s, s, C] before the first segment, unless it begins with a seed. */
  readonly states?: Float32Array;
  /** The rule's, at this moment of the run. */
  readonly leak: number;
  readonly seed: string;
}

export interface RolloutOutcome {
  /** `total:*` of every parameter, the caller's. */
  readonly totals: Values;
  /** log p(image | last states), [N]. */
  readonly nats: Float32Array;
  /** KL(q ‖ p), [N]. */
  readonly divergence: Float32Array;
  /** The organisms as they end. */
  readonly entries: readonly PoolEntry[];
}

/**
 * Runs a life of one micro-batch and gives its gradients.
 *
 * @param parameters `parameter:*`
 */
export async function runRollout(
  { compute, config, data, posteriors, segments, zeros }: TrainingContext,
  parameters: Values,
  { life, samples, seed }: RolloutJob,
): Promise<RolloutOutcome> {
  const random = createRandom(hashText(seed));
  const { channels, latentSize } = config;
  const { images } = life;
  const { stage: side } = life.segments[life.segments.length - 1];
  const n = images.length;
  const own: Value[] = [];
  const upload = (shape: readonly number[], numbers: Float32Array): Value => {
    const value = compute.upload(shape, numbers);
    own.push(value);
    return value;
  };
  const fill = (value: number): Value => upload([n], new Float32Array(n).fill(value));

  const pixels = gatherImages(data, images);
  // Who comes from the pool is to become what it was grown to be, not its mirror image.
  const looks = life.looks ?? Array.from(images, () => newLook(random));
  const each = pixels.length / n;
  looks.forEach((look, i) => {
    const shown = pixels.subarray(i * each, (i + 1) * each);
    augmentImages(shown, data, config.augment, createRandom(look));
  });
  const noise = Float32Array.from({ length: n * latentSize }, () => random.normal());
  const given = {
    image: upload([n, data.side, data.side, data.channels], pixels),
    noise: upload([n, latentSize], noise),
  };
  const posterior = await posteriors.forward.run({ ...given, ...parameters });

  const pictures = new Map<number, Value>([[data.side, given.image]]);
  const pictureAt = (stage: number): Value => {
    const known = pictures.get(stage);
    if (known) return known;
    const small = shrink(pixels, data.side, stage, data.channels);
    const value = upload([n, stage, stage, data.channels], small);
    pictures.set(stage, value);
    return value;
  };
  const placesAt = (stage: number): { places?: Value } =>
    config.places
      ? {
          places: upload(
            [1, stage, stage, positionChannels(config.places)],
            positionFields(stage, config.places.octaves),
          ),
        }
      : {};
  const judged = new Map(
    [...life.judged]
      .filter(([, counts]) => counts > 0)
      .map(([i, counts]) => [
        i,
        {
          image: pictureAt(life.segments[i].stage),
          weight: fill(-counts / samples),
          ...placesAt(life.segments[i].stage),
        },
      ]),
  );
  const told = await segments.tell(parameters, posterior.latents, life.leak);
  const before = life.states && upload([n, side, side, channels], life.states);
  const result = await differentiate(compute, segments, parameters, zeros, {
    segments: life.segments,
    differentiated: life.differentiated,
    judged,
    told,
    ...(before && { states: before }),
    masks: (segment) => ({
      ...drawMasks(compute, config, segment, n, random),
      ...(life.open && { open: uploadOpen(compute, life.open, n, side, segment.stage) }),
    }),
  });
  const { 'total:latents': change, ...ruleTotals } = result.totals;
  const encoderTotals = await posteriors.reverse.run({
    ...given,
    ...parameters,
    'total:latents': change,
    divergenceWeight: fill((config.beta * life.divergence) / samples),
  });
  const states = Float32Array.from(await compute.read(result.states));
  const divergence = Float32Array.from(await compute.read(posterior.divergence));
  told.free();
  compute.free(change, result.states, ...own, ...Object.values(posterior));
  const size = side * side * channels;
  const steps = life.segments.reduce((sum, segment) => sum + segment.steps, 0);
  return {
    totals: { ...ruleTotals, ...encoderTotals },
    nats: result.nats,
    divergence,
    entries: Array.from(images, (image, i) => ({
      image,
      look: looks[i],
      states: states.slice(i * size, (i + 1) * size),
      age: (life.ages?.[i] ?? 0) + steps,
      ...(life.open && { open: life.open.slice(i * side * side, (i + 1) * side * side) }),
    })),
  };
}

/** The open ground of patches at a stage: the middle of that of grown ones, [n, stage, stage, 1]. */
function uploadOpen(
  compute: Compute,
  open: Uint8Array,
  n: number,
  side: number,
  stage: number,
): Value {
  const inset = (side - stage) / 2;
  const numbers = new Float32Array(n * stage * stage);
  for (let i = 0; i < n; i++) {
    for (let y = 0; y < stage; y++) {
      const from = (i * side + inset + y) * side + inset;
      numbers.set(open.subarray(from, from + stage), (i * stage + y) * stage);
    }
  }
  return compute.upload([n, stage, stage, 1], numbers);
}

/** Which cells take part in each step of a segment, `mask0…`; none where all do. */
function drawMasks(
  compute: Compute,
  { update: { updateProbability } }: TrainingConfig,
  { stage, steps }: Segment,
  n: number,
  random: Random,
): Record<string, Value> {
  const masks: Record<string, Value> = {};
  for (let i = 0; updateProbability < 1 && i < steps; i++) {
    const mask = new Float32Array(n * stage * stage);
    drawUpdateMask(mask, updateProbability, random);
    masks[`mask${i}`] = compute.upload([n, stage, stage, 1], mask);
  }
  return masks;
}

/**
 * Means of the posterior, without noise.
 *
 * @returns [N, Z]
 */
export async function posteriorMeans(
  { compute, config, data, posteriors }: TrainingContext,
  parameters: Values,
  { images }: MeansJob,
): Promise<Float32Array> {
  const { side, channels } = data;
  const { latentSize } = config;
  const n = images.length;
  const image = compute.upload([n, side, side, channels], gatherImages(data, images));
  const noise = compute.upload([n, latentSize], new Float32Array(n * latentSize));
  const results = await posteriors.forward.run({ ...parameters, image, noise });
  const mean = Float32Array.from(await compute.read(results.mean));
  compute.free(image, noise, ...Object.values(results));
  return mean;
}

/**
 * Runs segments without gradients.
 *
 * @returns states after the last, [N, s, s, C]
 */
export async function grow(
  { compute, config, segments: programs }: TrainingContext,
  parameters: Values,
  { latents, segments, states, leak, seed }: GrowJob,
): Promise<Float32Array> {
  const { latentSize, channels } = config;
  const random = createRandom(hashText(seed));
  const n = latents.length / latentSize;
  const z = compute.upload([n, latentSize], latents);
  const told = await programs.tell(parameters, z, leak);
  let value: Value | undefined;
  if (states) {
    const side = Math.sqrt(states.length / n / channels);
    value = compute.upload([n, side, side, channels], states);
  }
  for (const segment of segments) {
    const program = await programs.forward(segment);
    const masks = drawMasks(compute, config, segment, n, random);
    const inputs = { ...parameters, ...told.inputs, ...masks, ...(value && { states: value }) };
    const next = await program.run(inputs);
    compute.free(...Object.values(masks), ...(value ? [value] : []));
    value = next.states;
  }
  const result = Float32Array.from(await compute.read(value!));
  told.free();
  compute.free(z, value!);
  return result;
}

/** Means of blocks of cells: [n, side, side, c] → [n, to, to, c]. */
export function shrink(
  images: Float32Array,
  side: number,
  to: number,
  channels: number,
): Float32Array {
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
