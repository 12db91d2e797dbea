/** One grown seed: what the room knows of it. Its cell states live in the engine. */
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId, OrganismView, Origin, Phase } from '../../shared/vocabulary.ts';
import type { PatchId } from '../engine/engine.ts';

export interface Organism {
  readonly id: OrganismId;
  readonly patch: PatchId;
  /** Its S×S places on the grid. */
  readonly window: Rect;
  readonly latent: Float32Array;
  readonly origin: Origin;
  readonly kind: string;
  readonly parents: readonly OrganismId[];
  readonly planter: OrganismView['planter'];
  readonly born: number;
  phase: Phase;
  /** Steps taken. */
  age: number;
  stage: number;
  wounds: number;
  /** How often it has healed. */
  healed: number;
  /** Places that it held when it was wounded, while it has not healed; 0 when it had not grown by then. */
  hurt: number | undefined;
  /** Steps since grown or last touched. */
  awakeSteps: number;
  /** How often ground that fell free has woken it since something else did. */
  stirs: number;
  /** Steps in a row without a change worth seeing. */
  restTicks: number;
  /** [stage, stage, 4], what it looked like after its last step; absent before the first. */
  seen: Uint8Array | undefined;
  /** The engine does not know `seen`: it was given the states anew, and cannot say how much the next step changes. */
  isRestored: boolean;
  /** [stage, stage] cells that strokes of this tick have hit, 1 = hit. */
  woundMask: Uint8Array | undefined;
  /** [S, S], 1 = it would have a live cell there, had not another the ground; it wakes when the place falls free. */
  readonly pressing: Uint8Array;
}

type Sown = Omit<
  Organism,
  | 'phase'
  | 'age'
  | 'wounds'
  | 'healed'
  | 'hurt'
  | 'awakeSteps'
  | 'stirs'
  | 'restTicks'
  | 'seen'
  | 'isRestored'
  | 'woundMask'
  | 'pressing'
>;

/** One that has just been planted. */
export const newOrganism = (sown: Sown): Organism => ({
  ...sown,
  phase: 'growing',
  age: 0,
  wounds: 0,
  healed: 0,
  hurt: undefined,
  awakeSteps: 0,
  stirs: 0,
  restTicks: 0,
  seen: undefined,
  isRestored: false,
  woundMask: undefined,
  pressing: new Uint8Array(sown.window.width * sown.window.height),
});

export function viewOf(organism: Organism): OrganismView {
  const { id, window, stage, phase, origin, kind, parents, planter, born, wounds, healed } =
    organism;
  const hurt = organism.hurt !== undefined;
  const side = window.width;
  const x = window.x + side / 2;
  const y = window.y + side / 2;
  return {
    id,
    x,
    y,
    side,
    stage,
    phase,
    origin,
    kind,
    parents,
    planter,
    born,
    wounds,
    healed,
    hurt,
  };
}
