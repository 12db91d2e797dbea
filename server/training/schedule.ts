/** Values that change over a run. */
import type { TrainingConfig } from './config.ts';
import type { RunState } from './run-state.ts';

/**
 * The point of a run, 0…1, by which patches grow, the leak rises and ranges change. With more
 * updates in all it waits where it is: at smaller patches the pool would be lost.
 *
 * @param updates of the whole run
 */
export const progressOf = (
  { update, reached }: Pick<RunState, 'update' | 'reached'>,
  updates: number,
): number => Math.max(reached, update / updates);

/** Side of grown patches at a point of a run, 0…1. */
export function sideAt(
  { curriculum, side }: Pick<TrainingConfig, 'curriculum' | 'side'>,
  progress: number,
): number {
  return curriculum.find(({ until }) => progress < until)?.side ?? side;
}

/** Leak of the rule at a point of a run, 0…1: rises from zero to the model's leak. */
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
 * The point at which a run begins whose rule is that of a checkpoint. What a rule starts with, a leak
 * that rises and smaller patches, is behind one that is trained with the whole leak. One that was
 * written while its leak rose goes on from there.
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

/**
 * Learning rate of an update (the first is 1): rises over the warm-up, is constant, falls over the
 * last share.
 */
export function rateAt(
  optimiser: TrainingConfig['optimiser'],
  update: number,
  updates: number,
): number {
  const { learningRate, warmup, decay, finalRate } = optimiser;
  const rise = warmup > 0 ? Math.min(1, update / warmup) : 1;
  const left = (updates - update) / (updates * decay);
  const fall = decay > 0 ? Math.min(1, Math.max(0, left) * (1 - finalRate) + finalRate) : 1;
  return learningRate * rise * fall;
}
