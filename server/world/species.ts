import type { MapPoint } from '../../shared/latent-map.ts';
import type { GrowthStep } from '../vnca/growth.ts';

/** What a room must know of a checkpoint to grow organisms from it; nothing of tensors. */
export interface Species {
  /** Name under which the engine has the checkpoint. */
  readonly checkpoint: string;
  /** Full side S; even. */
  readonly side: number;
  /** Length Z of a latent. */
  readonly latentSize: number;
  /** Every step from the seed to the grown organism. */
  readonly schedule: readonly GrowthStep[];
  /** Least presence, 0…255, of a cell that claims its place. */
  readonly threshold: number;
  /** Awake steps since grown or last touched after which an organism sleeps; absent: as many as it likes. */
  readonly trustedSteps?: number | undefined;
  readonly gallery: readonly {
    readonly name: string;
    /** What sort of thing it is: animal, plant, … */
    readonly kind?: string;
    readonly latent: Float32Array;
  }[];
  /** Where each of the gallery lies on the latent map, 0…1; absent: there is none. */
  readonly map?: readonly MapPoint[] | undefined;
}

/**
 * What the step does that an organism takes at an age.
 *
 * @param age steps it has taken before
 */
export function growthStep({ schedule, side }: Species, age: number): GrowthStep {
  return schedule[age] ?? { divide: false, stage: side };
}
