/** What the organisms of a micro-batch go through in one update: planned here, run in `living.ts`. */
import type { Random } from '../../shared/random.ts';
import { type Drawn, drawnAt, type TrainingConfig } from './config.ts';
import { growthSegments, type Segment, stayingSegments } from './model/segments.ts';
import type { PoolEntry } from './pool.ts';
import { applyWound, woundMask } from './wounds.ts';

export interface Life {
  /** Indices of the images that shall be shown. */
  readonly images: Uint32Array;
  readonly segments: readonly Segment[];
  /** How many of the last segments are differentiated. */
  readonly differentiated: number;
  /** What the picture after a segment counts, by the segment's index. */
  readonly judged: ReadonlyMap<number, number>;
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
}

/** Smaller pictures tell nothing, but cells may learn their places there. */
const SMALLEST_JUDGED = 4;

const draw = (random: Random, [low, high]: readonly [number, number]): number =>
  low + random.integer(high - low + 1);

/** From the seed to the grown patch, and some steps on. */
export function freshLife(
  config: TrainingConfig,
  images: Uint32Array,
  { side, progress, leak }: Moment,
  random: Random,
): Life {
  const { growthSteps, extraSteps, segmentSteps } = config;
  const steps = growthSteps && draw(random, drawnAt(growthSteps, progress));
  const spec = { ...config, side };
  const growth = growthSegments(spec, segmentSteps, steps);
  const extra = draw(random, drawnAt(extraSteps, progress));
  const segments = [...growth, ...stayingSegments(spec, extra, segmentSteps)];
  const judged = new Map<number, number>();
  growth.forEach(({ stage }, i) => {
    const isStageEnd = growth[i + 1]?.stage !== stage && stage < side;
    if (isStageEnd && (config.places || stage >= SMALLEST_JUDGED))
      judged.set(i, config.judgeStages);
  });
  judged.set(growth.length - 1, config.judgeGrown);
  judged.set(segments.length - 1, 1);
  return { images, segments, differentiated: segments.length, judged, divergence: 1, leak };
}

/**
 * Grown states go on; the first of an update's are wounded before.
 *
 * @param place of the first entry among all that the update draws
 */
export function pooledLife(
  config: Pooling,
  entries: readonly PoolEntry[],
  place: number,
  now: Moment,
  random: Random,
): Life {
  const { channels, pool } = config;
  const { side, progress } = now;
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
  return goOn(config, entries, states, draw(random, drawnAt(pool.steps, progress)), now);
}

/** Grown states go on a few steps, as they are. */
export function calmLife(
  config: Pooling & { readonly pool: { readonly calm: { readonly steps: Drawn } } },
  entries: readonly PoolEntry[],
  now: Moment,
  random: Random,
): Life {
  const [{ states: first }] = entries;
  const states = new Float32Array(entries.length * first.length);
  entries.forEach((entry, i) => {
    states.set(entry.states, i * first.length);
  });
  const { steps } = config.pool.calm;
  return goOn(config, entries, states, draw(random, drawnAt(steps, now.progress)), now);
}

/** @param states [N, S, S, C] to go on from */
function goOn(
  config: Pooling,
  entries: readonly PoolEntry[],
  states: Float32Array,
  steps: number,
  { side, leak }: Moment,
): Life {
  const { pool, segmentSteps } = config;
  const differentiated = Math.min(steps, pool.gradientSteps ?? steps);
  const spec = { ...config, side };
  const last = stayingSegments(spec, differentiated, segmentSteps);
  const segments = [...stayingSegments(spec, steps - differentiated, segmentSteps), ...last];
  return {
    images: Uint32Array.from(entries, ({ image }) => image),
    segments,
    differentiated: last.length,
    judged: new Map([[segments.length - 1, 1]]),
    states,
    ages: entries.map(({ age }) => age),
    divergence: pool.divergence === 'all' ? 1 : 0,
    leak,
  };
}
