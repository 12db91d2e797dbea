/**
 * Plans the rollouts of an update. A plan says from which states a micro-batch of organisms starts,
 * how many steps the organisms take, and when their pictures are compared with target images.
 */
import type { Random } from '../../../shared/random.ts';
import { type Drawn, drawnAt, type TrainingConfig } from '../config.ts';
import { growthSegments, type Segment, stayingSegments } from '../model/segments.ts';
import type { RunState } from '../run/run-state.ts';
import type { PoolEntry } from './pools.ts';
import { applyWound, openGround, woundMask } from './wounds.ts';

/** The steps of one micro-batch of organisms in an update. */
export interface RolloutPlan {
  /** Index of each organism's target image in the data set. */
  readonly images: Uint32Array;
  /**
   * Random seed of each target image's augmentation. Absent for new organisms: the rollout then
   * chooses these random seeds.
   */
  readonly looks?: readonly number[];
  readonly segments: readonly Segment[];
  /** Number of segments to differentiate, counted from the end. */
  readonly differentiated: number;
  /**
   * The segments after which the picture is compared with the target image: index of the segment →
   * weight of the comparison in the training loss.
   */
  readonly judged: ReadonlyMap<number, number>;
  /** [N, S, S] 0 for cells occupied by neighbours, else 1. Absent if there are no neighbours. */
  readonly open?: Uint8Array;
  /** [N, S, S] Number of steps until each cell can live again. Absent if no organism is wounded. */
  readonly closed?: Uint8Array;
  /** [N, S, S, C] Cell states from which organisms continue. Absent for new organisms. */
  readonly states?: Float32Array;
  readonly ages?: readonly number[];
  /** 1 if the KL divergence counts in the training loss, else 0. */
  readonly divergence: number;
  /** Share of a cell state that decays in each step, 0…1. */
  readonly leak: number;
}

/** Values from which all rollout plans of one training update are made. */
export interface Moment {
  /** Side of grown patches, in cells. */
  readonly side: number;
  /** Share of the run that is done, 0…1. */
  readonly progress: number;
  /** Share of a cell state that decays in each step, 0…1. */
  readonly leak: number;
  /**
   * Random number, at least 0 and below 1, that selects a number of steps from a range. All plans
   * of the update share this number. If absent, each selection draws its own number.
   */
  readonly chance?: number;
  readonly random: Random;
}

/**
 * Minimum side, in cells, at which the picture of a growing patch is compared with the target
 * image. Smaller pictures are too coarse. If cells also learn their positions (`places` in the
 * configuration), there is no minimum.
 */
const SMALLEST_JUDGED = 4;

/** Draws a random number of steps from a range, including both ends. */
function drawSteps(range: Drawn, { progress, chance, random }: Moment): number {
  const [low, high] = drawnAt(range, progress);
  return low + Math.floor((chance ?? random.uniform()) * (high - low + 1));
}

/** Plans new organisms: growth from the seed, then `extraSteps` further steps. */
export function freshPlan(config: TrainingConfig, images: Uint32Array, now: Moment): RolloutPlan {
  const { growthSteps, extraSteps, segmentSteps } = config;
  const { side, leak, random } = now;
  const steps = growthSteps && drawSteps(growthSteps, now);
  const spec = { ...config, side };
  const growth = growthSegments(spec, segmentSteps, steps);
  const extra = drawSteps(extraSteps, now);
  const planned = [...growth, ...stayingSegments(spec, extra, segmentSteps)];
  const { pool } = config;
  const crowded = pool?.crowded && random.uniform() < pool.crowded.fresh && pool.crowded;
  const grounds = crowded
    ? Array.from(images, () => openGround(random, side, crowded.largest))
    : undefined;
  const judged = new Map<number, number>();
  growth.forEach(({ stage }, i) => {
    const isStageEnd = growth[i + 1]?.stage !== stage && stage < side;
    if (isStageEnd && (config.places || stage >= SMALLEST_JUDGED)) {
      judged.set(i, config.judgeStages);
    }
  });
  judged.set(growth.length - 1, config.judgeGrown);
  judged.set(planned.length - 1, 1);
  return {
    images,
    ...onGround(planned, grounds),
    differentiated: planned.length,
    judged,
    divergence: 1,
    leak,
  };
}

/**
 * Plans further steps of pooled organisms. Organisms with neighbours keep their neighbours.
 *
 * @param further `steps`: range of the number of steps; `wounded`: number of organisms that are
 *   damaged before their steps (the first ones in `entries`); `rest`: whether the loss penalises
 *   changes in the last step
 */
export function pooledPlan(
  config: TrainingConfig,
  entries: readonly PoolEntry[],
  further: { readonly steps: Drawn; readonly wounded: number; readonly rest?: boolean },
  now: Moment,
): RolloutPlan {
  const { channels, segmentSteps } = config;
  const pool = config.pool!;
  const { side, random } = now;
  const common = planOfEntries(config, entries, now);
  const size = side * side * channels;
  for (let i = 0; i < Math.min(further.wounded, entries.length); i++) {
    const kind = pool.wounds[random.integer(pool.wounds.length)];
    const mask = woundMask(random, side, kind, pool.largestWound);
    applyWound(common.states.subarray(i * size, (i + 1) * size), mask, channels);
  }
  const steps = drawSteps(further.steps, now);
  const differentiated = Math.min(steps, pool.gradientSteps ?? steps);
  const spec = { ...config, side };
  const last = stayingSegments(spec, differentiated, segmentSteps);
  if (further.rest) last.push({ ...last.pop()!, rest: true });
  const segments = [...stayingSegments(spec, steps - differentiated, segmentSteps), ...last];
  return {
    ...common,
    ...onGround(segments, entries[0].open && entries.map(({ open }) => open!)),
    differentiated: last.length,
    judged: new Map([[segments.length - 1, 1]]),
  };
}

/**
 * Plans further steps of patients (organisms that heal). Their pictures are compared with target
 * images halfway and at the end.
 */
export function patientPlan(
  config: TrainingConfig,
  entries: readonly PoolEntry[],
  steps: Drawn,
  now: Moment,
): RolloutPlan {
  const count = drawSteps(steps, now);
  const spec = { ...config, side: now.side };
  const parts = [count - (count >> 1), count >> 1].map((part) =>
    stayingSegments(spec, part, config.segmentSteps),
  );
  const segments = parts.flat().map((segment) => ({ ...segment, rim: true }));
  const isCrowded = entries.some(({ open }) => open!.includes(0));
  return {
    ...planOfEntries(config, entries, now),
    ...onGround(segments, isCrowded ? entries.map(({ open }) => open!) : undefined),
    closed: Uint8Array.from(entries.flatMap(({ closed }) => [...closed!])),
    differentiated: segments.length,
    judged: new Map([
      [parts[0].length - 1, config.judgeGrown],
      [segments.length - 1, 1],
    ]),
  };
}

function planOfEntries(config: TrainingConfig, entries: readonly PoolEntry[], { leak }: Moment) {
  const { length: size } = entries[0].states;
  const states = new Float32Array(entries.length * size);
  entries.forEach((entry, i) => {
    states.set(entry.states, i * size);
  });
  return {
    states,
    images: Uint32Array.from(entries, ({ image }) => image),
    looks: entries.map(({ look = 0 }) => look),
    ages: entries.map(({ age }) => age),
    divergence: config.pool!.divergence === 'all' ? 1 : 0,
    leak,
  };
}

/**
 * Marks planned segments as crowded (with neighbours), and joins the organisms' masks into one
 * array. If there are no neighbours, returns the segments unchanged.
 *
 * @param grounds [S, S] for each organism: 0 for cells occupied by neighbours, else 1
 */
function onGround(
  segments: readonly Segment[],
  grounds: readonly Uint8Array[] | undefined,
): Pick<RolloutPlan, 'segments' | 'open'> {
  if (!grounds) return { segments };
  return {
    segments: segments.map((segment) => ({ ...segment, crowded: true })),
    open: Uint8Array.from(grounds.flatMap((open) => [...open])),
  };
}

/**
 * Returns the progress of a run, 0…1, which determines the size of patches, the leak and the number
 * of steps. Progress never decreases, even if a resumed run has more updates in total.
 *
 * @param updates number of updates in the complete run
 */
export const progressOf = (
  { update, reached }: Pick<RunState, 'update' | 'reached'>,
  updates: number,
): number => Math.max(reached, update / updates);

/** Returns the side of grown patches, in cells. @param progress progress of the run, 0…1 */
export function sideAt(
  { curriculum, side }: Pick<TrainingConfig, 'curriculum' | 'side'>,
  progress: number,
): number {
  return curriculum.find(({ until }) => progress < until)?.side ?? side;
}

/**
 * Returns the leak of the rule, which rises from zero to its final value during the leak ramp.
 *
 * @param progress progress of the run, 0…1
 */
export function leakAt(
  { leakRamp, update: { leak } }: Pick<TrainingConfig, 'leakRamp' | 'update'>,
  progress: number,
): number {
  if (!leakRamp) return leak;
  const [from, to] = leakRamp;
  if (progress >= to) return leak;
  return (leak * Math.max(0, progress - from)) / (to - from);
}

/**
 * Returns the progress, 0…1, at which a run begins if it starts from a checkpoint's rule.
 *
 * - If the run has a leak ramp (the leak rises from zero) and the checkpoint has no leak: 0.
 * - If the run has a leak ramp and the checkpoint has a smaller leak than the run: the progress at
 *   which the ramp reaches the checkpoint's leak.
 * - In all other cases: the lowest progress with the final leak and full-size patches.
 *
 * @param known leak of the checkpoint
 */
export function pointOf(
  {
    curriculum,
    leakRamp,
    update: { leak },
  }: Pick<TrainingConfig, 'curriculum' | 'leakRamp' | 'update'>,
  known: number,
): number {
  const [from, to] = leakRamp ?? [0, 0];
  if (leakRamp && known < leak) return known > 0 ? from + ((to - from) * known) / leak : 0;
  return Math.max(to, ...curriculum.map(({ until }) => until));
}
