/** What a lane does for a colony: one batch of organisms, grown and kept going. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { drawUpdateMask } from '../../vnca/update-mask.ts';
import type { Compute, Value } from '../autodiff/compute.ts';
import { imageChannels, type Likelihood } from '../model/likelihood.ts';
import { type Segment, Segments } from '../model/segments.ts';
import type { WorkerJob } from '../workers/worker-job.ts';

/** Organisms of a batch: as many as fit the processor's cache. */
export const BATCH = 8;

export interface Plan {
  readonly card: Card;
  /** `update.*` at least. */
  readonly tensors: Model['tensors'];
  readonly likelihood: Likelihood;
}

export interface Job {
  /** [BATCH, Z]. */
  readonly latents: Float32Array;
  /** Of the chance by which cells take part. */
  readonly seed: string;
  /** [BATCH, s, s, C] to go on from; absent: the first segment begins with a seed. */
  readonly states?: Float32Array;
  /** Segments, cut where the states are to be seen. */
  readonly runs: readonly (readonly Segment[])[];
  /** [BATCH, S, S, c]: asks for log p(image | last states) instead of states. */
  readonly images?: Float32Array;
}

/** States after each run, [BATCH, s, s, C] each; or nats alone, [BATCH]. */
export type Result = readonly Float32Array[];

export const workerJob: WorkerJob<Plan, Job, Result> = {
  module: import.meta.url,
  /** @param tell hears of cell-steps */
  async open(compute, { card, tensors, likelihood }, tell) {
    const { channels, latentSize, side } = card;
    const segments = new Segments(compute, card, likelihood, imageChannels(likelihood), BATCH);
    const parameters = Object.fromEntries(
      [...updateShapes(card).keys()].map((name) => {
        const { shape, data } = tensors.get(name)!;
        return [`parameter:${name}`, compute.upload(shape, data)];
      }),
    );
    const uploadMap = (numbers: Float32Array, c: number): Value => {
      const s = Math.sqrt(numbers.length / BATCH / c);
      return compute.upload([BATCH, s, s, c], numbers);
    };
    return {
      async work({ latents, seed, states: from, runs, images }) {
        const random = createRandom(hashText(seed));
        const z = compute.upload([BATCH, latentSize], latents);
        const told = await segments.tell(parameters, z);
        let states = from && uploadMap(from, channels);
        const seen: Float32Array[] = [];
        /** After so many steps these states come back, bit for bit. */
        let period: number | undefined;
        for (const run of runs) {
          for (const segment of run) {
            const goesOn = segment.begin === 'go-on' && card.update.updateProbability === 1;
            if (goesOn && period !== undefined && segment.steps % period === 0) {
              tell(BATCH * segment.stage ** 2 * segment.steps);
              continue;
            }
            const program = await segments.forward(segment);
            const masks = drawMasks(compute, card, segment, random);
            const before = states ? { states } : {};
            const results = await program.run({
              ...parameters,
              ...told.inputs,
              ...masks,
              ...before,
            });
            const back = goesOn && (await areEqual(compute, states!, results.states));
            period = back ? segment.steps : undefined;
            compute.free(...Object.values(masks), ...Object.values(before));
            states = results.states;
            tell(BATCH * segment.stage ** 2 * segment.steps);
          }
          if (!images) seen.push(Float32Array.from(await compute.read(states!)));
        }
        if (images) {
          const measure = await segments.measure();
          const image = uploadMap(images, images.length / BATCH / side ** 2);
          const { nats } = await measure.run({ states: states!, image });
          seen.push(Float32Array.from(await compute.read(nats)));
          compute.free(image, nats);
        }
        told.free();
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

/** Bit for bit, so that a rule that comes back to a state need not be run through the same again. */
async function areEqual(compute: Compute, a: Value, b: Value): Promise<boolean> {
  const bytes = async (value: Value): Promise<Buffer> => {
    const { buffer, byteOffset, byteLength } = await compute.read(value);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
  return (await bytes(a)).equals(await bytes(b));
}

function drawMasks(
  compute: Compute,
  { update: { updateProbability } }: Card,
  { stage, steps }: Segment,
  random: Random,
): Record<string, Value> {
  const masks: Record<string, Value> = {};
  for (let i = 0; updateProbability < 1 && i < steps; i++) {
    const mask = new Float32Array(BATCH * stage * stage);
    drawUpdateMask(mask, updateProbability, random);
    masks[`mask${i}`] = compute.upload([BATCH, stage, stage, 1], mask);
  }
  return masks;
}
