/** Plans the rollouts of an update, one per micro-batch. `rollout.ts` runs them. */
import type { Random } from '../../../shared/random.ts';
import { type Drawn, drawnAt, type TrainingConfig } from '../config.ts';
import { growthSegments, type Segment, stayingSegments } from '../model/segments.ts';
import type { RunState } from '../run/run-state.ts';
import type { PoolEntry } from './pools.ts';
import { applyWound, openGround, woundMask } from './wounds.ts';

/** The steps that the organisms of one micro-batch take in an update. */
export interface RolloutPlan {
  /** Indices of the target images. */
  readonly images: Uint32Array;
  /** Random seed of each image's augmentation. Absent for new organisms. */
  readonly looks?: readonly number[];
  readonly segments: readonly Segment[];
  /** Number of segments to differentiate, counted from the end. */
  readonly differentiated: number;
  /** Index of a judged segment → weight in the loss of the picture after this segment. */
  readonly judged: ReadonlyMap<number, number>;
  /** Shape [N, S, S], for grown patches: 1 = open ground. If absent, all ground is open. */
  readonly open?: Uint8Array;
  /** Shape [N, S, S], for patients: number of steps until each cell opens. */
  readonly closed?: Uint8Array;
  /** States to continue from, [N, S, S, C], and their ages in steps. */
  readonly states?: Float32Array;
  readonly ages?: readonly number[];
  /** Weight of the divergence: 1 or 0. */
  readonly divergence: number;
  /** Leak of the rule at this point of the run. */
  readonly leak: number;
}

/** The point of a run at which a rollout is planned. */
export interface Moment {
  /** Side of grown patches, in cells. */
  readonly side: number;
  /** Share of the run that is done, 0…1. */
  readonly progress: number;
  /** Leak of the rule. */
  readonly leak: number;
  /**
   * Position of the chosen number of steps within its range, 0…1. Plans with equal ranges then take
   * equal numbers of steps. If absent, each plan draws its own number of steps.
   */
  readonly chance?: number;
  readonly random: Random;
}

/**
 * Side of the smallest stage that is compared with the image. Smaller pictures say nothing about
 * the image, but in smaller stages cells may already learn their positions.
 */
const SMALLEST_JUDGED = 4;

/** Draws a number of steps from a range, both ends included. */
function drawSteps(range: Drawn, { progress, chance, random }: Moment): number {
  const [low, high] = drawnAt(range, progress);
  return low + Math.floor((chance ?? random.uniform()) * (high - low + 1));
}

/** Plans the rollout of new organisms: growth from the seed, then the extra steps. */
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
 * Plans further steps of grown states. States with neighbours keep their open ground.
 *
 * @param further `steps`, the range of step numbers; `wounded`, how many of the first states are
 * damaged before the steps; `rest`, whether the last step should change nothing
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

/** Plans further steps of patients. The loss judges their pictures halfway and at the end. */
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

/** Returns the fields common to all plans of pooled states. */
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

/** Restricts segments to the open ground of each patch. Without `grounds`, all ground is open. */
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
 * Returns the point of a run, 0…1, that determines the size of patches, the leak and the ranges of
 * step numbers. If the total number of updates is raised, this point does not move back but waits,
 * because a return to smaller patches would discard the pool.
 *
 * @param updates number of updates of the whole run
 */
export const progressOf = (
  { update, reached }: Pick<RunState, 'update' | 'reached'>,
  updates: number,
): number => Math.max(reached, update / updates);

/** Returns the side of grown patches at a point of a run, 0…1. */
export function sideAt(
  { curriculum, side }: Pick<TrainingConfig, 'curriculum' | 'side'>,
  progress: number,
): number {
  return curriculum.find(({ until }) => progress < until)?.side ?? side;
}

/**
 * Returns the leak of the rule at a point of a run, 0…1. The leak rises from zero to the model's
 * leak.
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
 * Returns the point at which a run starts if its rule comes from a checkpoint. If the rule was
 * trained with the whole leak, the run starts after the leak ramp and the smaller patches. If the
 * checkpoint was written during the leak ramp, the run starts at the point where the ramp reaches
 * that checkpoint's leak.
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

/** The learning rate at the end of a run with decay, as a share of the rate before. */
const FINAL_RATE = 0.05;

/**
 * Returns the learning rate of an update, counted from 1. The rate rises during the warm-up, then
 * stays constant, and falls during the last share of the run.
 */
export function rateAt(
  optimiser: TrainingConfig['optimiser'],
  update: number,
  updates: number,
): number {
  const { learningRate, warmup, decay } = optimiser;
  const rise = warmup > 0 ? Math.min(1, update / warmup) : 1;
  const left = (updates - update) / (updates * decay);
  const fall = decay > 0 ? Math.min(1, Math.max(0, left) * (1 - FINAL_RATE) + FINAL_RATE) : 1;
  return learningRate * rise * fall;
}
