/** Plans the rollouts of an update, one for each micro-batch; `rollout.ts` runs them. */
import type { Random } from '../../shared/random.ts';
import { type Drawn, drawnAt, type TrainingConfig } from './config.ts';
import { growthSegments, type Segment, stayingSegments } from './model/segments.ts';
import type { PoolEntry } from './pool.ts';
import { applyWound, woundMask, woundOfShare } from './wounds.ts';

/** The steps that the organisms of one micro-batch take in an update. */
export interface RolloutPlan {
  /** Indices of the target images. */
  readonly images: Uint32Array;
  /** The `look` of each `PoolEntry`; absent for new organisms. */
  readonly looks?: readonly number[];
  readonly segments: readonly Segment[];
  /** The last segments that are differentiated. */
  readonly differentiated: number;
  /** Weight of the picture after a segment, by the segment's index. */
  readonly judged: ReadonlyMap<number, number>;
  /** [N, S, S] of grown patches: 1 where the ground is open. Absent: all of it is. */
  readonly open?: Uint8Array;
  /** States to continue from, [N, S, S, C], and their ages in steps. */
  readonly states?: Float32Array;
  readonly ages?: readonly number[];
  /** Weight of the divergence: 1 or 0. */
  readonly divergence: number;
  /** Leak of the rule at this point of the run. */
  readonly leak: number;
}

/** A configuration with a pool. */
type Pooling = TrainingConfig & { readonly pool: NonNullable<TrainingConfig['pool']> };

/** The point of a run at which a rollout is planned. */
export interface Moment {
  /** Side of grown patches, cells. */
  readonly side: number;
  /** Share of the run that is done, 0…1. */
  readonly progress: number;
  /** Leak of the rule. */
  readonly leak: number;
  /**
   * Position within each range of step numbers, 0…1: equal ranges then give equal numbers. Absent:
   * each plan draws its own.
   */
  readonly chance?: number;
}

/** Shapes of the ground that neighbours occupy. */
const NEIGHBOURS = ['disc', 'half', 'bar'] as const;

/** Smaller pictures say nothing about the image, but cells may learn their positions in them. */
const SMALLEST_JUDGED = 4;

/** Draws a number of steps from a range, both ends included. */
function drawSteps(range: Drawn, { progress, chance }: Moment, random: Random): number {
  const [low, high] = drawnAt(range, progress);
  return low + Math.floor((chance ?? random.uniform()) * (high - low + 1));
}

/** Plans new organisms: growth from the seed, then the extra steps. */
export function freshPlan(
  config: TrainingConfig,
  images: Uint32Array,
  now: Moment,
  random: Random,
): RolloutPlan {
  const { growthSteps, extraSteps, segmentSteps } = config;
  const { side, leak } = now;
  const steps = growthSteps && drawSteps(growthSteps, now, random);
  const spec = { ...config, side };
  const growth = growthSegments(spec, segmentSteps, steps);
  const extra = drawSteps(extraSteps, now, random);
  const planned = [...growth, ...stayingSegments(spec, extra, segmentSteps)];
  const { pool } = config;
  const open =
    pool?.crowded && random.uniform() < pool.crowded.fresh
      ? openGrounds(random, images.length, side, pool.crowded.largest)
      : undefined;
  const segments = open ? planned.map((segment) => ({ ...segment, crowded: true })) : planned;
  const judged = new Map<number, number>();
  growth.forEach(({ stage }, i) => {
    const isStageEnd = growth[i + 1]?.stage !== stage && stage < side;
    if (isStageEnd && (config.places || stage >= SMALLEST_JUDGED)) {
      judged.set(i, config.judgeStages);
    }
  });
  judged.set(growth.length - 1, config.judgeGrown);
  judged.set(segments.length - 1, 1);
  return {
    images,
    segments,
    differentiated: segments.length,
    judged,
    divergence: 1,
    leak,
    ...(open && { open }),
  };
}

/**
 * Plans further steps of grown states, after damage to the first ones of the update.
 *
 * @param first index of the first entry among all that the update draws
 */
export function pooledPlan(
  config: Pooling,
  entries: readonly PoolEntry[],
  first: number,
  now: Moment,
  random: Random,
): RolloutPlan {
  const { channels, pool } = config;
  const states = statesOf(entries);
  const size = states.length / entries.length;
  const wounded = Math.round(pool.wounded * pool.batch);
  for (let i = 0; i < Math.min(entries.length, wounded - first); i++) {
    const kind = pool.wounds[random.integer(pool.wounds.length)];
    const mask = woundMask(random, now.side, kind, pool.largestWound);
    applyWound(states.subarray(i * size, (i + 1) * size), mask, channels);
  }
  return continued(config, entries, states, drawSteps(pool.steps, now, random), now);
}

/** Plans a few further steps of grown states, without damage. */
export function calmPlan(
  config: Pooling & { readonly pool: { readonly calm: { readonly steps: Drawn } } },
  entries: readonly PoolEntry[],
  now: Moment,
  random: Random,
): RolloutPlan {
  const steps = drawSteps(config.pool.calm.steps, now, random);
  return continued(config, entries, statesOf(entries), steps, now);
}

/** Plans further steps of grown states whose ground is partly closed, as each entry says. */
export function crowdedPlan(
  config: Pooling,
  entries: readonly PoolEntry[],
  now: Moment,
  random: Random,
): RolloutPlan {
  const cells = now.side ** 2;
  const open = new Uint8Array(entries.length * cells).fill(1);
  entries.forEach((entry, i) => {
    if (entry.open) open.set(entry.open, i * cells);
  });
  const steps = drawSteps(config.pool.steps, now, random);
  const plan = continued(config, entries, statesOf(entries), steps, now);
  const segments = plan.segments.map((segment) => ({ ...segment, crowded: true }));
  return { ...plan, segments, open };
}

/** States of entries of one size, [n, S, S, C]. */
function statesOf(entries: readonly PoolEntry[]): Float32Array {
  const size = entries[0].states.length;
  const all = new Float32Array(entries.length * size);
  entries.forEach(({ states }, i) => {
    all.set(states, i * size);
  });
  return all;
}

/** Open ground of n patches with random neighbours: [n, side, side], 1 = open. */
function openGrounds(random: Random, n: number, side: number, largest: number): Uint8Array {
  const open = new Uint8Array(n * side * side);
  for (let i = 0; i < n; i++) open.set(openGround(random, side, largest), i * side * side);
  return open;
}

/**
 * Draws the open ground of a patch beside one or two neighbours. The middle stays open, because an
 * organism can only be planted on open ground.
 *
 * @param largest share of the cells that may be closed, 0…1
 * @returns [side, side], 1 = open
 */
export function openGround(random: Random, side: number, largest: number): Uint8Array {
  const open = new Uint8Array(side * side).fill(1);
  const neighbours = 1 + random.integer(2);
  for (let i = 0; i < neighbours; i++) {
    const share = (largest / neighbours) * random.uniform();
    woundOfShare(random, side, share, NEIGHBOURS).forEach((kept, cell) => {
      open[cell] &= kept;
    });
  }
  const middle = side / 2;
  for (const y of [middle - 1, middle]) open.fill(1, y * side + middle - 1, y * side + middle + 1);
  return open;
}

/** @param states [N, S, S, C] to continue from */
function continued(
  config: Pooling,
  entries: readonly PoolEntry[],
  states: Float32Array,
  steps: number,
  { side, leak }: Moment,
): RolloutPlan {
  const { pool, segmentSteps } = config;
  const differentiated = Math.min(steps, pool.gradientSteps ?? steps);
  const spec = { ...config, side };
  const last = stayingSegments(spec, differentiated, segmentSteps);
  const segments = [...stayingSegments(spec, steps - differentiated, segmentSteps), ...last];
  return {
    images: Uint32Array.from(entries, ({ image }) => image),
    looks: entries.map(({ look = 0 }) => look),
    segments,
    differentiated: last.length,
    judged: new Map([[segments.length - 1, 1]]),
    states,
    ages: entries.map(({ age }) => age),
    divergence: pool.divergence === 'all' ? 1 : 0,
    leak,
  };
}
