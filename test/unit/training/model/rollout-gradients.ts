/** Gradients of rollouts, compared with finite differences of every number that training moves. */
import type { Value } from '../../../../server/autodiff/compute.ts';
import type { Segment } from '../../../../server/training/model/segments.ts';
import { differentiate } from '../../../../server/training/rollout/rollout.ts';
import { maskSource, N, openSource, REST, type SetUp } from './rollouts.ts';
import { type Numbers, sizeOf, slopeAt, slopeChecker, upload } from './small.ts';

/** A map [N, side, side, channels], zero on closed ground. */
function onOpen(data: ArrayLike<number>, channels: number, open: Numbers): Numbers {
  const kept = Float32Array.from(data, (x, i) => x * open.data[Math.floor(i / channels)]);
  return { shape: [...open.shape.slice(0, 3), channels], data: kept };
}

/** Nats of a change in one step, weighted by sample. */
function restOf(after: Float32Array, before: Float32Array, weight: Numbers): number {
  const size = after.length / N;
  return after.reduce(
    (sum, x, i) =>
      sum -
      0.5 * REST.weight * weight.data[Math.floor(i / size)] * ((x - before[i]) / REST.sigma) ** 2,
    0,
  );
}

/** Σ weight · nats at the judged ends of segments, by the forward programs alone. */
async function objective(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
  changed: { parameters?: Record<string, Numbers>; latents?: Numbers } = {},
): Promise<number> {
  const { compute, segments, image, weight } = given;
  const parameters = upload(compute, changed.parameters ?? given.parameters);
  const { latents, target } = upload(compute, {
    latents: changed.latents ?? given.latents,
    target: image,
  });
  const conditioning = await segments.condition(parameters, latents);
  const masks = maskSource(given);
  const grounds = openSource(rollout);
  const measure = await segments.measure();
  let states: { states?: Value } = {};
  let sum = 0;
  for (const [i, segment] of rollout.entries()) {
    const program = await segments.forward(segment);
    const ground = grounds(segment);
    const chance = upload(compute, { ...masks(segment), ...ground });
    const results = await program.run({
      ...parameters,
      ...conditioning.inputs,
      ...chance,
      ...states,
    });
    const before = states.states;
    states = { states: results.states };
    if (i < rollout.length - 1 && !judged.has(i)) continue;
    const mask = ground.seen ?? ground.open;
    const after = await compute.read(results.states);
    if (segment.rest) sum += restOf(after, await compute.read(before!), weight);
    const seen = mask
      ? upload(compute, {
          states: onOpen(after, given.spec.channels, mask),
          image: onOpen(image.data, image.shape[3], mask),
        })
      : { ...states, image: target };
    const { nats } = await measure.run(seen as never);
    (await compute.read(nats)).forEach((x, n) => {
      sum += weight.data[n] * x;
    });
  }
  return sum;
}

/**
 * Gradients by the reverse programs: `total:` and the name of a parameter or `latents`, and the
 * `nats`.
 *
 * @param judged the segments at whose ends the states are judged, beside the last
 * @param differentiated how many of the last segments are differentiated
 */
export async function gradientsOf(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
  differentiated = rollout.length,
): Promise<Record<string, Float32Array>> {
  const { compute, segments, latents, image, weight } = given;
  const totals: Record<string, Numbers> = {};
  for (const [name, shape] of segments.totalShapes) {
    totals[`total:${name}`] = { shape, data: new Float32Array(sizeOf(shape)) };
  }
  const masks = maskSource(given);
  const values = upload(compute, { latents, image, weight });
  const parameters = upload(compute, given.parameters);
  const zeros = upload(compute, totals);
  const grounds = openSource(rollout);
  const seenAt = (i: number) => {
    const { seen } = grounds(rollout[i]);
    return seen ? upload(compute, { seen }) : {};
  };
  const result = await differentiate({ compute, segments, zeros }, parameters, {
    segments: rollout,
    differentiated,
    targets: new Map(
      [...judged, rollout.length - 1].map((i) => [
        i,
        { image: values.image, weight: values.weight, ...seenAt(i) },
      ]),
    ),
    conditioning: await segments.condition(parameters, values.latents),
    masks: (segment) => upload(compute, { ...masks(segment), ...grounds(segment) }),
  });
  const read: Record<string, Float32Array> = { nats: result.nats };
  for (const [name, value] of Object.entries(result.totals)) {
    read[name] = Float32Array.from(await compute.read(value));
  }
  return read;
}

/**
 * Compares the gradient of every parameter and latent with finite differences.
 *
 * @param judged as of `gradientsOf`
 */
export async function expectGradients(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
): Promise<void> {
  const found = await gradientsOf(given, rollout, judged);
  const check = slopeChecker();
  const { parameters } = given;
  for (const [name, tensor] of Object.entries({ ...parameters, latents: given.latents })) {
    const total = found[`total:${name.replace('parameter:', '')}`];
    for (let at = 0; at < tensor.data.length; at++) {
      const wanted = await slopeAt(tensor, at, (data) => {
        const moved = { [name]: { ...tensor, data } };
        const changed = name === 'latents' ? moved : { parameters: { ...parameters, ...moved } };
        return objective(given, rollout, judged, changed);
      });
      check.compare(name, at, total[at], wanted);
    }
  }
  expect(check.wrong()).toEqual([]);
  expect(check.steep()).toBeGreaterThan(0.5);
}
