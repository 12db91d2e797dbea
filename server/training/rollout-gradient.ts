/** The reverse loop: from an image's error back through an organism's life, segment by segment. */
import type { Compute, Value, Values } from './autodiff/compute.ts';
import { type Segment, type Segments, startingWith, type Told } from './model/segments.ts';

export interface Judgement {
  /** [N, s, s, c], 0…1. */
  readonly image: Value;
  /** What a nat of each sample counts, [N]: −1/batch to raise the likelihood. */
  readonly weight: Value;
  /** Where cells are taught their places: [1, s, s, 4 · octaves]. */
  readonly places?: Value;
}

export interface Rollout {
  readonly segments: readonly Segment[];
  /** How many of the last segments are differentiated; those before only run. */
  readonly differentiated: number;
  /** What cells shall show after a segment, by its index; the last one has an entry. */
  readonly judged: ReadonlyMap<number, Judgement>;
  /** What every segment is told. */
  readonly told: Told;
  /** States before a life that does not begin with a seed; stays the caller's. */
  readonly states?: Value;
  /** Other inputs of a segment: update masks, `mask0…`, and `open` ground. */
  readonly masks?: (segment: Segment) => Record<string, Value>;
}

export interface RolloutResult {
  /** The last states, the caller's. */
  readonly states: Value;
  /** log p(image | last states), [N]. */
  readonly nats: Float32Array;
  /** `total:*` of every parameter of the rule, and `total:latents`, with this life's gradients added; the caller's. */
  readonly totals: Values;
}

/**
 * Runs a life and adds its gradients. Memory: the states between segments, and one segment's inner states.
 *
 * @param parameters `parameter:*`
 * @param totals where sums begin, `total:*` of the segments' `totalShapes`; they stay the caller's
 */
export async function differentiate(
  compute: Compute,
  programs: Segments,
  parameters: Values,
  totals: Values,
  rollout: Rollout,
): Promise<RolloutResult> {
  const { segments, told } = rollout;
  const last = segments.length - 1;
  const first = Math.max(0, segments.length - rollout.differentiated);
  const masks = segments.map((segment) => rollout.masks?.(segment) ?? {});
  const before: (Value | undefined)[] = [rollout.states];
  const shared = { ...parameters, ...told.inputs };
  const statesBefore = (i: number): Values => (before[i] ? { states: before[i] } : {});

  for (let i = 0; i < last; i++) {
    const program = await programs.forward(segments[i]);
    const { states } = await program.run({ ...shared, ...masks[i], ...statesBefore(i) });
    if (i < first && i > 0) compute.free(before[i]!);
    before.push(states);
  }

  let sums = totals;
  let change: Value | undefined;
  let final: { states: Value; nats: Float32Array } | undefined;
  for (let i = last; i >= first; i--) {
    const judged = rollout.judged.get(i);
    const program = await programs.reverse(segments[i], {
      image: judged !== undefined,
      change: change !== undefined,
    });
    const results = await program.run({
      ...shared,
      ...masks[i],
      ...statesBefore(i),
      ...sums,
      ...judged,
      ...(change && { change }),
    });
    if (sums !== totals) compute.free(...Object.values(sums));
    if (change) compute.free(change);
    sums = startingWith(results, 'total:');
    change = results.change;
    if (i === last) {
      final = { states: results.states, nats: Float32Array.from(await compute.read(results.nats)) };
    } else if (judged) compute.free(results.states);
    if (results.nats) compute.free(results.nats);
  }
  if (change) compute.free(change);
  for (let i = Math.max(1, first); i < before.length; i++) {
    const kept = before[i];
    if (kept && kept !== rollout.states) compute.free(kept);
  }
  for (const mask of masks) compute.free(...Object.values(mask));
  const back = await programs.reverseGenome();
  if (back) {
    const { 'total:genome': genome, 'total:latents': latents, ...others } = sums;
    const results = await back.run({ ...parameters, ...told.inputs, ...sums });
    compute.free(genome, latents);
    sums = { ...others, ...results };
  }
  return { ...final!, totals: sums };
}
