/** What the organisms of a micro-batch go through in one update: planned here, run in `rollout.ts`. */
import type { Random } from '../../shared/random.ts';
import { type Drawn, drawnAt, type TrainingConfig } from './config.ts';
import { growthSegments, type Segment, stayingSegments } from './model/segments.ts';
import type { PoolEntry } from './pool.ts';
import { applyWound, woundMask, woundOfShare } from './wounds.ts';

export interface RolloutPlan {
  /** Indices of the images that shall be shown. */
  readonly images: Uint32Array;
  /** As `PoolEntry`'s `look`, of each; absent: of organisms that are new. */
  readonly looks?: readonly number[];
  readonly segments: readonly Segment[];
  /** How many of the last segments are differentiated. */
  readonly differentiated: number;
  /** What the picture after a segment counts, by the segment's index. */
  readonly judged: ReadonlyMap<number, number>;
  /** [N, S, S] of grown patches: 1 where the ground is open. Absent: all of it is. */
  readonly open?: Uint8Array;
  /** [N, S, S, C] of a life that goes on, and how old they are. */
  readonly states?: Float32Array;
  readonly ages?: readonly number[];
  /** 1 where the divergence counts, 0 where it does not. */
  readonly divergence: number;
  /** The rule's, at this moment of the run. */
  readonly leak: number;
}

/** A configuration with a pool. */
type Pooling = TrainingConfig & { readonly pool: NonNullable<TrainingConfig['pool']> };

/** When in a run a life is planned. */
export interface Moment {
  /** Of grown patches, now. */
  readonly side: number;
  /** Share of the run that is behind, 0…1. */
  readonly progress: number;
  /** The rule's, now. */
  readonly leak: number;
  /** Where in its range each number of steps lies, 0…1, so that equal ranges give equal numbers. Absent: each life draws its own. */
  readonly chance?: number;
}

/** Shapes of the ground that neighbours hold. */
const NEIGHBOURS = ['disc', 'half', 'bar'] as const;

/** Smaller pictures tell nothing, but cells may learn their places there. */
const SMALLEST_JUDGED = 4;

/** Steps from a range that may change in the course of a run, both ends included. */
function drawSteps(range: Drawn, { progress, chance }: Moment, random: Random): number {
  const [low, high] = drawnAt(range, progress);
  return low + Math.floor((chance ?? random.uniform()) * (high - low + 1));
}

/** From the seed to the grown patch, and some steps on. */
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
    if (isStageEnd && (config.places || stage >= SMALLEST_JUDGED))
      judged.set(i, config.judgeStages);
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
 * Grown states go on; the first of an update's are wounded before.
 *
 * @param place of the first entry among all that the update draws
 */
export function pooledPlan(
  config: Pooling,
  entries: readonly PoolEntry[],
  place: number,
  now: Moment,
  random: Random,
): RolloutPlan {
  const { channels, pool } = config;
  const { side } = now;
  const size = side * side * channels;
  const states = new Float32Array(entries.length * size);
  const wounded = Math.round(pool.wounded * pool.batch);
  entries.forEach((entry, i) => {
    const own = states.subarray(i * size, (i + 1) * size);
    own.set(entry.states);
    if (place + i >= wounded) return;
    const kind = pool.wounds[random.integer(pool.wounds.length)];
    applyWound(own, woundMask(random, side, kind, pool.largestWound), channels);
  });
  return goOn(config, entries, states, drawSteps(pool.steps, now, random), now);
}

/** Grown states go on a few steps, as they are. */
export function calmPlan(
  config: Pooling & { readonly pool: { readonly calm: { readonly steps: Drawn } } },
  entries: readonly PoolEntry[],
  now: Moment,
  random: Random,
): RolloutPlan {
  const [{ states: first }] = entries;
  const states = new Float32Array(entries.length * first.length);
  entries.forEach((entry, i) => {
    states.set(entry.states, i * first.length);
  });
  const { steps } = config.pool.calm;
  return goOn(config, entries, states, drawSteps(steps, now, random), now);
}

/** Grown states go on with a part of their ground closed, each as its entry says. */
export function crowdedPlan(
  config: Pooling,
  entries: readonly PoolEntry[],
  now: Moment,
  random: Random,
): RolloutPlan {
  const cells = now.side ** 2;
  const open = new Uint8Array(entries.length * cells).fill(1);
  const states = new Float32Array(cells * config.channels * entries.length);
  entries.forEach((entry, i) => {
    states.set(entry.states, i * entry.states.length);
    if (entry.open) open.set(entry.open, i * cells);
  });
  const steps = drawSteps(config.pool.steps, now, random);
  const life = goOn(config, entries, states, steps, now);
  const segments = life.segments.map((segment) => ({ ...segment, crowded: true }));
  return { ...life, segments, open };
}

/** [n, side, side], 1 = open: what neighbours of many shapes leave to each. */
function openGrounds(random: Random, n: number, side: number, largest: number): Uint8Array {
  const open = new Uint8Array(n * side * side);
  for (let i = 0; i < n; i++) open.set(openGround(random, side, largest), i * side * side);
  return open;
}

/** One or two neighbours, [side, side], 1 = open. The middle stays open: nothing can be planted on another's ground. */
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

/** @param states [N, S, S, C] to go on from */
function goOn(
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
