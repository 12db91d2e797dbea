/**
 * How a latent becomes a grown patch (Palm et al. 2022, sections 3 and 4): by doubling, or
 * uniformly in place. States are [s, s, C], row-major.
 */
import type { Card } from './card.ts';

/** The part of a card that growth depends on. */
export type Growth = Pick<Card, 'growth' | 'side'>;

/** A step of a growth schedule. */
export interface GrowthStep {
  /** Every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /** Side of the patch in this step, cells. */
  readonly stage: number;
}

/** Side of a newly planted patch, cells. */
export function firstStage({ growth, side }: Growth): number {
  return growth.kind === 'doubling' ? growth.seedSide : side;
}

/** The steps from the seed to the grown patch, in order. */
export function growthSchedule(card: Growth): GrowthStep[] {
  const { growth, side } = card;
  if (growth.kind === 'uniform') {
    return Array.from({ length: growth.steps }, () => ({ divide: false, stage: side }));
  }
  const schedule: GrowthStep[] = [];
  for (let stage = growth.seedSide; stage <= side; stage *= 2) {
    for (let i = 0; i < growth.stepsPerStage; i++) {
      schedule.push({ divide: i === 0 && stage > growth.seedSide, stage });
    }
  }
  return schedule;
}

/**
 * The state of a newly planted patch, [s, s, C]: the first C numbers of the latent in every cell.
 *
 * @param latent [Z], Z ≥ C
 */
export function seedState(latent: Float32Array, stage: number, channels: number): Float32Array {
  const cell = latent.subarray(0, channels);
  const state = new Float32Array(stage * stage * channels);
  for (let at = 0; at < state.length; at += channels) state.set(cell, at);
  return state;
}

/**
 * Divides every cell into a 2×2 block of copies of itself.
 *
 * @param target receives [2s, 2s, C] from `offset` on
 * @param source [s, s, C]
 */
export function divideInto(
  target: Float32Array,
  offset: number,
  source: Float32Array,
  channels: number,
): void {
  const stage = Math.sqrt(source.length / channels);
  const row = 2 * stage * channels;
  for (let j = 0; j < stage; j++) {
    const upper = offset + 2 * j * row;
    for (let i = 0; i < stage; i++) {
      const from = (j * stage + i) * channels;
      const to = upper + 2 * i * channels;
      for (let c = 0; c < channels; c++) {
        const value = source[from + c];
        target[to + c] = value;
        target[to + channels + c] = value;
      }
    }
    target.copyWithin(upper + row, upper, upper + row);
  }
}

/** Divides every cell: [s, s, C] → [2s, 2s, C]. */
export function divide(state: Float32Array, channels: number): Float32Array {
  const divided = new Float32Array(4 * state.length);
  divideInto(divided, 0, state, channels);
  return divided;
}
