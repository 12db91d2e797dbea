/** Backpropagation through a rollout, segment by segment. */
import type { Value, Values } from '../autodiff/compute.ts';
import type { Conditioning, Segment } from './model/segments.ts';
import type { TrainingContext } from './training-context.ts';

/** What the states after a segment are compared with. */
export interface Target {
  /** [N, s, s, c], 0…1. */
  readonly image: Value;
  /** Weight of a nat of each sample, [N]: −1/batch raises the likelihood. */
  readonly weight: Value;
  /** With a position loss: [1, s, s, 4 · octaves]. */
  readonly places?: Value;
  /** For segments with a rim, [N, s, s, 1]: 0 leaves a cell out of the loss. */
  readonly seen?: Value;
}

/** Inputs of one rollout. */
export interface Rollout {
  readonly segments: readonly Segment[];
  /** The last segments that are differentiated; those before only run. */
  readonly differentiated: number;
  /** By the index of the segment; the last one has an entry. */
  readonly targets: ReadonlyMap<number, Target>;
  /** Inputs that all segments share. */
  readonly conditioning: Conditioning;
  /** States before the first segment, unless it begins with a seed; the caller frees them. */
  readonly states?: Value;
  /**
   * Other inputs of the segment of an index: update masks `mask0…`, `open` ground, `closed` cells.
   * Freed here.
   */
  readonly masks?: (segment: Segment, i: number) => Record<string, Value>;
}

/**
 * Runs a rollout and adds its gradients to totals. Memory holds the states between segments, and
 * the inner states of one segment.
 *
 * @param context `zeros`: initial sums, `total:*` of the segments' `totalShapes`
 * @param parameters `parameter:*`
 * @returns the last states; log p(image | last states), [N]; and `total:*` of every parameter of the
 *   rule and of the latents, with the gradients of this rollout added. The caller frees the values
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
