/** Many organisms of one checkpoint, grown and kept going in batches that fit the processor's cache. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { drawUpdateMask } from '../../vnca/updateMask.ts';
import type { Compute, Value, Values } from '../autodiff/compute.ts';
import { inLanes } from '../lanes.ts';
import { imageChannels, type Likelihood } from '../model/likelihood.ts';
import { growthSegments, type Segment, Segments, stayingSegments } from '../model/segments.ts';
import { likelihoodOf } from '../trained.ts';

/** Called with cell-steps done since the last call. */
export type Worked = (cellSteps: number) => void;

const BATCH = 16;
/** Steps of the longest program: enough that starting one costs nothing, few enough to be interrupted. */
const LONGEST = 16;

/** σ of the Gaussian read-out of a checkpoint: what its card says of its training, else 0.1. */
export function sigmaOf({ training }: Pick<Card, 'training'>): number {
  const said = Number(training.sigma);
  return said > 0 ? said : 0.1;
}

/** The likelihood that a card's read-out stands for. */
export const likelihoodOfCard = (card: Pick<Card, 'readout' | 'training'>): Likelihood =>
  likelihoodOf({ readout: card.readout, sigma: sigmaOf(card) });

export interface Stage {
  readonly stage: number;
  readonly step: number;
  readonly states: Float32Array;
}

export class Colony {
  readonly card: Card;
  private readonly parameters: Values;
  private readonly segments: Segments;
  private readonly growth: readonly Segment[];
  /** Calls so far, each with chance of its own. */
  private calls = 0;

  /**
   * @param seed of the chance by which cells take part, for rules that leave it to chance
   * @param worked hears of every batch's segment
   */
  constructor(
    private readonly compute: Compute,
    { card, tensors }: Model,
    private readonly seed: number,
    private readonly worked: Worked = () => {},
  ) {
    this.card = card;
    const likelihood = likelihoodOfCard(card);
    this.segments = new Segments(compute, card, likelihood, imageChannels(likelihood), BATCH);
    this.parameters = Object.fromEntries(
      [...updateShapes(card).keys()].map((name) => {
        const { shape, data } = tensors.get(name)!;
        return [`parameter:${name}`, compute.upload(shape, data)];
      }),
    );
    this.growth = growthSegments(card, LONGEST);
  }

  /** Cell-steps of one growth. */
  get growthWork(): number {
    return this.growth.reduce((sum, { stage, steps }) => sum + stage * stage * steps, 0);
  }

  /** Numbers of one grown patch. */
  get patchSize(): number {
    return this.card.side ** 2 * this.card.channels;
  }

  /**
   * @param latents [N, Z]
   * @returns [N, S, S, C]
   */
  async grow(latents: Float32Array): Promise<Float32Array> {
    const states = new Float32Array(this.count(latents) * this.patchSize);
    await this.forBatches(latents, async (batch, first, count) => {
      const grown = await this.run(batch, this.growth);
      await this.copy(grown, states, first, count);
      this.compute.free(grown);
    });
    return states;
  }

  /**
   * The states on the way from seed to picture, after every eight steps of a stage and at its end.
   *
   * @param latents [N, Z], N ≤ 16
   * @returns in their order: side, steps since the seed, states [N, side, side, C]
   * @throws RangeError there are more than 16
   */
  async stages(latents: Float32Array): Promise<Stage[]> {
    if (this.count(latents) > BATCH) throw new RangeError(`more than ${BATCH} latents`);
    const result: Stage[] = [];
    const size = this.card.channels;
    let step = 0;
    await this.forBatches(latents, async (batch, _, count) => {
      let states: Value | undefined;
      for (const segment of growthSegments(this.card, 8)) {
        const next = await this.run(batch, [segment], states);
        if (states) this.compute.free(states);
        states = next;
        const { stage } = segment;
        step += segment.steps;
        const read = await this.compute.read(states);
        result.push({ stage, step, states: read.slice(0, count * stage * stage * size) });
      }
      this.compute.free(states!);
    });
    return result;
  }

  /**
   * Lets organisms live on, and shows them on the way; one run serves all marks.
   *
   * @param latents [N, Z]
   * @param states [N, S, S, C] at the start; are not changed
   * @param marks steps after which to look, ascending
   * @param visit is shown organisms from `first` on, [n, S, S, C]; batches take turns
   */
  async follow(
    latents: Float32Array,
    states: Float32Array,
    marks: readonly number[],
    visit: (mark: number, states: Float32Array, first: number) => void,
  ): Promise<void> {
    const { side, channels } = this.card;
    const size = this.patchSize;
    await this.forBatches(latents, async (batch, first, count) => {
      const start = new Float32Array(BATCH * size);
      start.set(states.subarray(first * size, (first + count) * size));
      let now = this.compute.upload([BATCH, side, side, channels], start);
      let at = 0;
      for (const mark of marks) {
        if (mark > at) {
          const next = await this.run(batch, stayingSegments(this.card, mark - at, LONGEST), now);
          this.compute.free(now);
          now = next;
          at = mark;
        }
        visit(mark, (await this.compute.read(now)).slice(0, count * size), first);
      }
      this.compute.free(now);
    });
  }

  /**
   * log p(image | grown from its latent), nats, constants of a Gaussian left out.
   *
   * @param latents [N, Z]
   * @param images [N, S, S, c], 0…1
   * @returns [N]
   */
  async nats(latents: Float32Array, images: Float32Array): Promise<Float32Array> {
    const { side } = this.card;
    const count = this.count(latents);
    const size = images.length / count;
    const result = new Float32Array(count);
    const measure = await this.segments.measure();
    await this.forBatches(latents, async (batch, first, n) => {
      const states = await this.run(batch, this.growth);
      const target = new Float32Array(BATCH * size);
      target.set(images.subarray(first * size, (first + n) * size));
      const image = this.compute.upload([BATCH, side, side, size / side ** 2], target);
      const { nats } = await measure.run({ states, image });
      result.set((await this.compute.read(nats)).subarray(0, n), first);
      this.compute.free(states, image, nats);
    });
    return result;
  }

  async dispose(): Promise<void> {
    this.compute.free(...Object.values(this.parameters));
    await this.segments.dispose();
  }

  private count(latents: Float32Array): number {
    return latents.length / this.card.latentSize;
  }

  /** Cuts latents into batches, the last one filled up with zeros; as many run at a time as the back end likes. */
  private async forBatches(
    latents: Float32Array,
    run: (batch: Batch, first: number, count: number) => Promise<void>,
  ): Promise<void> {
    const z = this.card.latentSize;
    const whole = this.count(latents);
    const call = this.calls++;
    const firsts = Array.from({ length: Math.ceil(whole / BATCH) }, (_, i) => i * BATCH);
    await inLanes(firsts, this.compute.lanes, async (first) => {
      const count = Math.min(BATCH, whole - first);
      const filled = new Float32Array(BATCH * z);
      filled.set(latents.subarray(first * z, (first + count) * z));
      const values = this.compute.upload([BATCH, z], filled);
      // Whichever batch is faster, each has the same chance again.
      const random = createRandom(hashText(`${this.seed} ${call} ${first}`));
      await run({ latents: values, random }, first, count);
      this.compute.free(values);
    });
  }

  /** @returns the last states, the caller's; `from` stays the caller's too */
  private async run(
    { latents, random }: Batch,
    segments: readonly Segment[],
    from?: Value,
  ): Promise<Value> {
    let states = from;
    for (const segment of segments) {
      const program = await this.segments.forward(segment);
      const masks = this.masks(segment, random);
      const results = await program.run({
        ...this.parameters,
        ...masks,
        latents,
        ...(states && { states }),
      });
      this.compute.free(...Object.values(masks));
      if (states && states !== from) this.compute.free(states);
      states = results.states;
      this.worked(BATCH * segment.stage ** 2 * segment.steps);
    }
    return states!;
  }

  private masks({ stage, steps }: Segment, random: Random): Record<string, Value> {
    const { updateProbability } = this.card.update;
    const masks: Record<string, Value> = {};
    for (let i = 0; updateProbability < 1 && i < steps; i++) {
      const mask = new Float32Array(BATCH * stage * stage);
      drawUpdateMask(mask, 0, mask.length, updateProbability, random);
      masks[`mask${i}`] = this.compute.upload([BATCH, stage, stage, 1], mask);
    }
    return masks;
  }

  private async copy(from: Value, to: Float32Array, first: number, count: number): Promise<void> {
    const size = this.patchSize;
    to.set((await this.compute.read(from)).subarray(0, count * size), first * size);
  }
}

interface Batch {
  /** [16, Z]. */
  readonly latents: Value;
  readonly random: Random;
}

/** Cell-steps that a number of organisms costs: batches are always full. */
export const workOf = (organisms: number, cellStepsEach: number): number =>
  Math.ceil(organisms / BATCH) * BATCH * cellStepsEach;
