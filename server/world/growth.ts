/** When an organism divides, and how large it is at each age. */
import type { Species } from './species.ts';

export interface GrowthStep {
  /** Every cell divides before this step. */
  readonly divide: boolean;
  /** Side during and after this step. */
  readonly stage: number;
}

/** Steps from seed to grown: 8 a stage for a doubling VNCA, e.g. 40 for side 32. */
export function growthSteps(species: Species): number {
  const { growth, side } = species;
  if (growth.kind === 'uniform') return growth.steps;
  return (Math.log2(side / growth.seedSide) + 1) * growth.stepsPerStage;
}

/**
 * What the step does that an organism takes at an age.
 *
 * @param age steps it has taken before
 */
export function growthStep(species: Species, age: number): GrowthStep {
  const { growth, side } = species;
  if (growth.kind === 'uniform') return { divide: false, stage: side };
  const { seedSide, stepsPerStage } = growth;
  const stage = Math.min(side, seedSide * 2 ** Math.floor(age / stepsPerStage));
  const divide = age > 0 && age < growthSteps(species) && age % stepsPerStage === 0;
  return { divide, stage };
}
