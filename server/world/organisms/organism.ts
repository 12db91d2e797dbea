/** One organism as its room stores it. Its cell states live in the engine. */
import type { OrganismView, Phase } from '../../../shared/vocabulary.ts';
import type { PatchId } from '../../engine/engine.ts';
import { defined } from '../../platform/collections.ts';
import type { OrganismState } from '../room-state.ts';
import { partsOf } from './grafts.ts';

/**
 * An organism, alive or just dead: its stored state, its patch in the engine, and flags for its
 * next step.
 */
export interface Organism extends Omit<OrganismState, 'phase'> {
  phase: Phase;
  readonly patch: PatchId;
  /**
   * Whether its cell states were imported. If so, the engine cannot compare the next step with the
   * last one.
   */
  isRestored: boolean;
  /** Whether the engine must be sent the genomes that the cells read, with the next step. */
  mustExpress: boolean;
}

/** Those properties of an organism that depend on the seed it grows from. */
export type Seed = Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'> &
  Pick<OrganismState, 'grafts'>;

/** Luminance and redness of each cell of an organism's window: see `flicker.ts`. */
export type FlickerState = NonNullable<Organism['flicker']>;

/** When organisms rest, sleep and wake. */
export const LIFE = {
  /** Maximum change of an RGBA8 value between two steps at which an organism counts as resting. */
  restLevel: 3,
  /** Number of consecutive resting steps after which an organism sleeps. */
  restSteps: 8,
  /**
   * Maximum number of steps for which an organism stays awake after freed ground has woken it. Each
   * further waking halves this number.
   */
  wakingSteps: 32,
  /** How often freed ground can wake an organism before a stroke or a death resets the count. */
  maxWakings: 4,
  /** Maximum number of organisms that one report of a sensor reaches. */
  maxSensed: 8,
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

export const newOrganism = (
  fields: Omit<Organism, keyof typeof NEWBORN | 'pressing'>,
): Organism => ({
  ...fields,
  ...NEWBORN,
  pressing: new Uint8Array(fields.window.width * fields.window.height),
});

/** Returns the public view of an organism; x and y are the centre of its window. */
export function viewOf(organism: Organism): OrganismView {
  const { id, window, stage, phase, origin, kind, parents, planter, born } = organism;
  const { wounds, healed, hurt, was } = organism;
  const side = window.width;
  const parts = partsOf(organism);
  return {
    ...{ id, x: window.x + side / 2, y: window.y + side / 2, side, stage, phase, origin, kind },
    ...{ parents, planter, born, wounds, healed, hurt: hurt !== undefined },
    ...(was && { was: was.map((one) => one.kind) }),
    ...(parts && { parts }),
  };
}

/**
 * Copies an organism's last picture, so that the memory of all pictures of that step can be freed.
 */
export function keepSeen(organism: Organism): void {
  organism.seen = organism.seen?.slice();
}

/**
 * Number of ticks after which measurements of flashes no longer matter, even at the highest tick
 * rate.
 */
const STALE = 72;

/** Returns whether measurements of flashes are too old to matter, as for sleeping organisms. */
export const isStale = ({ at }: FlickerState, tick: number): boolean => tick - at > STALE;

/**
 * Copies an organism's state, so that later changes do not affect the copy.
 *
 * @param tick number of completed ticks
 */
export function exportOrganism(organism: Organism, tick: number): OrganismState {
  const { patch: _, isRestored: _engine, mustExpress: _next, ...state } = organism;
  const { phase, pressing, flicker, wait, closed, expression, transforming, grafts } = state;
  return defined({
    ...state,
    // Dead organisms are removed within a tick, so no dead organism is ever exported.
    phase: phase as Exclude<Phase, 'dead'>,
    pressing: pressing.slice(),
    flicker: flicker && !isStale(flicker, tick) ? structuredClone(flicker) : undefined,
    wait: wait || undefined,
    closed: closed?.slice(),
    expression: expression && { ...expression },
    transforming: transforming && { ...transforming },
    grafts: grafts && structuredClone(grafts),
  });
}

/** Creates an organism from its state. @param patch its new patch in the engine */
export const importOrganism = (state: OrganismState, patch: PatchId): Organism => ({
  ...state,
  patch,
  isRestored: true,
  // Send the latent again, because a patch taken over from another room may still read a latent
  // that its organism no longer has.
  mustExpress: state.phase !== 'asleep',
});
