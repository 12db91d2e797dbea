/** One organism as its room stores it. Its cell states live in the engine. */
import type { Rect } from '../../../shared/geometry.ts';
import type {
  OrganismId,
  OrganismView,
  Origin,
  ParticipantId,
  Phase,
} from '../../../shared/vocabulary.ts';
import type { PatchId } from '../../engine/engine.ts';

/** What is remembered of each place of a window; see `flicker.ts`. */
export interface FlickerState {
  /** [S, S, 2] highest or lowest luminance and red since the last turn, in 255ths. */
  readonly levels: Uint8Array;
  /** [S, S] where the two are going. */
  readonly going: Uint8Array;
  /** [S, S] turns in each slot of the last second. */
  readonly turns: Uint32Array;
  /** Tick of the last measurement. */
  at: number;
}

/** A loan of a relative's latent; see `expressions.ts`. */
export interface Expression {
  /** [Z]. What its cells read: the relative's latent, or its own again on the way home. */
  latent: Float32Array;
  /** Steps until it gets its own back. */
  stepsLeft: number;
  /** Places that it owned before; absent until it wakes for it. */
  held?: number | undefined;
}

/** The way from what an organism was to what it turns into; see `transformation.ts`. */
export interface Transformation {
  /** [Z]. What its cells read when it began. */
  readonly from: Float32Array;
  /** Steps until its cells read its own latent. */
  stepsLeft: number;
}

/** What an organism has been. */
export interface Former extends Pick<OrganismView, 'kind' | 'origin'> {
  /** Tick at which it became something else. */
  readonly until: number;
}

/** The full record of an organism, alive or just dead. */
export interface Organism {
  readonly id: OrganismId;
  readonly patch: PatchId;
  /** Its S×S square of the grid. */
  readonly window: Rect;
  /** This and the three below change when it turns into something else. */
  latent: Float32Array;
  origin: Origin;
  kind: string;
  parents: readonly OrganismId[];
  readonly planter: OrganismView['planter'];
  readonly born: number;
  /** Tick at which its planter last renewed it; undefined: never. */
  renewed: number | undefined;
  phase: Phase;
  /** Ticks until it is gone; undefined unless it departs. */
  dissolving: number | undefined;
  /** Whether its planter cannot renew it; undefined unless it departs. */
  isFinal: true | undefined;
  /** Steps taken. */
  age: number;
  stage: number;
  wounds: number;
  /** Number of times it has healed. */
  healed: number;
  /** Places it owned when it was wounded, until it heals; 0 if it was still growing. */
  hurt: number | undefined;
  /** Who made its latest wound, and the tick of its first stroke; only in protecting rooms. */
  cut: { readonly by: ParticipantId; readonly at: number } | undefined;
  /** Steps since it was grown or last woken. */
  awakeSteps: number;
  /** Times that freed places have woken it since a stroke or a neighbour's death. */
  stirs: number;
  /** Consecutive steps without visible change. */
  restTicks: number;
  /** [stage, stage, 4] RGBA after its last step; absent before the first. */
  seen: Uint8Array | undefined;
  flicker: FlickerState | undefined;
  /** Ticks until its next step; undefined unless it is slowed because it flashes. */
  pause: number | undefined;
  /** Ticks until its next step, by its own pace; undefined: none. */
  wait: number | undefined;
  /** Its states were imported, so the engine cannot compare the next step with the one before. */
  isRestored: boolean;
  /** [stage, stage] cells of the coming step hit by strokes since the last one, 1 = hit. */
  woundMask: Uint8Array | undefined;
  /** [S, S]. Where a cell was killed: steps until it can live again; else 0. See `closing.ts`. */
  closed: Uint8Array | undefined;
  /** Undefined unless it expresses a relative, or is on its way home from that. */
  expression: Expression | undefined;
  /** Undefined unless it turns into what it is now, until it rests. */
  transforming: Transformation | undefined;
  /** What it has been, oldest first; undefined: nothing else. */
  was: readonly Former[] | undefined;
  /** Its next step tells the engine which latent its cells read. */
  mustExpress: boolean;
  /**
   * [S, S], 1 = a live cell here is blocked by another owner; the organism wakes when it is freed.
   */
  readonly pressing: Uint8Array;
}

const NEWBORN = {
  renewed: undefined,
  phase: 'growing',
  dissolving: undefined,
  isFinal: undefined,
  age: 0,
  wounds: 0,
  healed: 0,
  hurt: undefined,
  cut: undefined,
  awakeSteps: 0,
  stirs: 0,
  restTicks: 0,
  seen: undefined,
  flicker: undefined,
  pause: undefined,
  wait: undefined,
  isRestored: false,
  woundMask: undefined,
  closed: undefined,
  expression: undefined,
  transforming: undefined,
  was: undefined,
  mustExpress: false,
} as const satisfies Partial<Organism>;

/** Creates a just planted organism. */
export const newOrganism = (
  fields: Omit<Organism, keyof typeof NEWBORN | 'pressing'>,
): Organism => ({
  ...fields,
  ...NEWBORN,
  pressing: new Uint8Array(fields.window.width * fields.window.height),
});

/** The public view of an organism; x and y are the centre of its window. */
export function viewOf(organism: Organism): OrganismView {
  const { id, window, stage, phase, origin, kind, parents, planter, born, wounds, healed } =
    organism;
  const hurt = organism.hurt !== undefined;
  const was = organism.was?.map((one) => one.kind);
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
    ...(was && { was }),
  };
}

/** Copies what an organism showed last, which would keep what all others showed in that step. */
export function keepSeen(organism: Organism): void {
  organism.seen = organism.seen?.slice();
}
