/** One organism as its room stores it. Its cell states live in the engine. */
import type { OrganismView, Phase } from '../../../shared/vocabulary.ts';
import type { PatchId } from '../../engine/engine.ts';
import { defined } from '../../platform/collections.ts';
import type { OrganismState } from '../room-state.ts';

/** An organism, alive or just dead: its stored state, and what concerns the engine. */
export interface Organism extends Omit<OrganismState, 'phase'> {
  phase: Phase;
  readonly patch: PatchId;
  /** Its states were imported, so the engine cannot compare the next step with the one before. */
  isRestored: boolean;
  /** Its next step tells the engine which latent its cells read. */
  mustExpress: boolean;
}

/** Parts of an organism that depend on the seed it grows from. */
export type Seed = Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'>;

/** Luminance and redness of each place of a window; see `flicker.ts`. */
export type FlickerState = NonNullable<Organism['flicker']>;

/** Numbers by which organisms live. */
export const LIFE = {
  /** Largest change of an RGBA8 value between steps that still counts as rest. */
  restLevel: 3,
  /** Steps of rest after which an organism sleeps. */
  restSteps: 8,
  /** Steps for which newly freed ground keeps an organism awake; halved each further time. */
  wakingSteps: 32,
  /** Times that free ground alone may wake it, until a stroke or a death resets the count. */
  maxWakings: 4,
  /** Share of its former places with which a wounded organism at rest counts as healed. */
  healedShare: 0.9,
  /** While organisms are protected: how long the stroke that wounds one may go on; seconds. */
  woundSeconds: 1,
  /** Steps in which an organism's latent moves over to that of what it turns into. */
  transformSteps: 10,
  /** Kinds that an organism has been, remembered at most. */
  maxFormer: 8,
  /** How long a stroke may pause and still go on as the same wound; seconds. */
  strokeSeconds: 60,
} as const;

const NEWBORN = {
  phase: 'growing',
  age: 0,
  wounds: 0,
  healed: 0,
  awakeSteps: 0,
  stirs: 0,
  restTicks: 0,
  isRestored: false,
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
  const { id, window, stage, phase, origin, kind, parents, planter, born } = organism;
  const { wounds, healed, hurt, was } = organism;
  const side = window.width;
  return {
    ...{ id, x: window.x + side / 2, y: window.y + side / 2, side, stage, phase, origin, kind },
    ...{ parents, planter, born, wounds, healed, hurt: hurt !== undefined },
    ...(was && { was: was.map((one) => one.kind) }),
  };
}

/** Copies what an organism showed last, which would keep what all others showed in that step. */
export function keepSeen(organism: Organism): void {
  organism.seen = organism.seen?.slice();
}

/** Ticks after which nothing remembered of flashes matters, at the highest tick rate. */
const STALE = 72;

/** Whether a memory of flashes is too old to matter, as that of a sleeping organism soon is. */
export const isStale = ({ at }: FlickerState, tick: number): boolean => tick - at > STALE;

/**
 * Copies an organism's state; later changes of the organism do not affect the copy.
 *
 * @param tick ticks completed
 */
export function exportOrganism(organism: Organism, tick: number): OrganismState {
  const { patch: _, isRestored: _engine, mustExpress: _next, ...state } = organism;
  const { phase, pressing, flicker, wait, closed, expression, transforming } = state;
  return defined({
    ...state,
    // Dead organisms are removed within a tick.
    phase: phase as Exclude<Phase, 'dead'>,
    pressing: pressing.slice(),
    flicker: flicker && !isStale(flicker, tick) ? structuredClone(flicker) : undefined,
    wait: wait || undefined,
    closed: closed?.slice(),
    expression: expression && { ...expression },
    transforming: transforming && { ...transforming },
  });
}

/** Creates an organism from its state. @param patch its new patch in the engine */
export const importOrganism = (state: OrganismState, patch: PatchId): Organism => ({
  ...state,
  patch,
  isRestored: true,
  // A patch taken over from another room may still read what its organism has just given back.
  mustExpress: state.phase !== 'asleep',
});
