/** Rollouts of a tiny rule: its numbers, its chance, and the ground that it grows on. */
import type { Compute } from '../../../../server/autodiff/compute.ts';
import type { Likelihood } from '../../../../server/training/model/likelihood.ts';
import {
  type DecoderSpec,
  type Segment,
  Segments,
} from '../../../../server/training/model/segments.ts';
import { updateShapes } from '../../../../server/vnca/architecture.ts';
import { imageChannels } from '../../../../server/vnca/readout.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { type Numbers, normals, randomParameters } from './small.ts';

/** Side of a grown patch, cells. */
export const SIDE = 8;
/** Patches. */
export const N = 2;
/** What a change in a last step that should rest costs. */
export const REST = { weight: 0.7, sigma: 1 };
export const GAUSSIAN: Likelihood = { kind: 'gaussian', sigma: 1, channels: [0, 1, 2, 3] };

export const doubling = (stepsPerStage: number) => ({
  kind: 'doubling',
  seedSide: 2,
  stepsPerStage,
});

/** A rule with random numbers, what it is to show, and its segments, to be disposed. */
export function setUp(
  compute: Compute,
  update: Record<string, unknown>,
  growth: Record<string, unknown>,
  likelihood: Likelihood,
) {
  const c = imageChannels(likelihood);
  const size = c === 1 ? 3 : 4;
  const latent = 'genome' in update ? size + 1 : size;
  const spec: DecoderSpec = tinyCard({
    side: SIDE,
    channels: size,
    latentSize: latent,
    update,
    growth,
    readout: { kind: 'bernoulli', channel: 0 },
    presence: { threshold: 0.5 },
  });
  const image = normals([N, SIDE, SIDE, c], 1);
  image.data.forEach((x, i) => {
    image.data[i] = x > 0 ? 1 : 0;
  });
  return {
    compute,
    spec,
    image,
    parameters: randomParameters(updateShapes(spec), 20),
    latents: normals([N, latent], 2),
    weight: { shape: [N], data: Float32Array.from([0.1, -0.05]) },
    segments: new Segments({ compute, spec, likelihood, batch: N, rest: REST }),
  };
}
export type SetUp = ReturnType<typeof setUp>;

/** Inputs of a segment's program beside the states. */
type InputSource = (segment: Segment) => Record<string, Numbers>;

/** Masks by the number of the step in a rollout, so that they do not depend on how it is cut. */
export function maskSource({ spec }: SetUp): InputSource {
  let step = 0;
  return ({ stage, steps }) => {
    const masks: Record<string, Numbers> = {};
    for (let i = 0; spec.update.updateProbability < 1 && i < steps; i++) {
      const mask = normals([N, stage, stage, 1], 100 + step++);
      mask.data.forEach((x, j) => {
        mask.data[j] = x > -0.3 ? 1 : 0;
      });
      masks[`mask${i}`] = mask;
    }
    return masks;
  };
}

/**
 * Half of the ground of each patch is closed, another half for each. With a rim, it opens column by
 * column, and the last two columns that open are not judged.
 */
export function openSource(segments: readonly Segment[]): InputSource {
  const { stage: side } = segments[segments.length - 1];
  return (segment) => {
    const { stage, crowded, rim } = segment;
    if (rim) {
      const at = segments.indexOf(segment);
      const past = segments
        .slice(0, at)
        .reduce((sum, { steps, rim }) => sum + (rim ? steps : 0), 0);
      const closed = Float32Array.from({ length: N * side * side }, (_, i) =>
        Math.max(0, (i < side * side ? i % side : side - 1 - (i % side)) - 3),
      );
      const of = (data: Float32Array): Numbers => ({ shape: [N, side, side, 1], data });
      return {
        closed: of(closed.map((steps) => Math.max(0, steps - past))),
        seen: of(closed.map((steps) => (steps <= past ? 1 : 0))),
      };
    }
    if (!crowded) return {};
    const inset = (side - stage) / 2;
    const data = Float32Array.from({ length: N * stage * stage }, (_, i) => {
      const [x, y] = [inset + (i % stage), inset + (Math.floor(i / stage) % stage)];
      return (i < stage * stage ? x : y) < side / 2 ? 1 : 0;
    });
    return { open: { shape: [N, stage, stage, 1], data } };
  };
}
