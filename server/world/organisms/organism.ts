/** One organism as its room stores it. Its cell states live in the engine. */
import type { OrganismView, Phase } from '../../../shared/vocabulary.ts';
import type { PatchId } from '../../engine/engine.ts';
import { defined } from '../../platform/collections.ts';
import type { OrganismState } from '../room-state.ts';

/** An organism, alive or just dead: its stored state, its patch and flags for the engine. */
export interface Organism extends Omit<OrganismState, 'phase'> {
  phase: Phase;
  readonly patch: PatchId;
  /** Whether its states were imported: the engine cannot compare the next step with the last. */
  isRestored: boolean;
  /** Whether the next step must send the engine the latent that the cells read. */
  mustExpress: boolean;
}

/** Parts of an organism that depend on the seed it grows from. */
export type Seed = Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'>;

/** Luminance and redness of each cell of a window; see `flicker.ts`. */
export type FlickerState = NonNullable<Organism['flicker']>;

/** Constants of an organism's life. */
export const LIFE = {
  /** Maximum change of an RGBA8 value between steps that counts as rest. */
  restLevel: 3,
  /** Number of resting steps after which an organism sleeps. */
  restSteps: 8,
  /** Maximum steps awake after freed ground has woken it; halved at each further waking. */
  wakingSteps: 32,
  /** Maximum number of wakings by freed ground, until a stroke or a death resets the count. */
  maxWakings: 4,
  /** Share of its former cells that a resting organism needs to count as healed. */
  healedShare: 0.9,
  /** If organisms are protected: how long the stroke that wounds one may continue, in seconds. */
  woundSeconds: 1,
  /** Number of steps over which a transformation changes the latent that the cells read. */
  transformSteps: 10,
  /** Maximum number of former kinds that an organism remembers. */
  maxFormer: 8,
  /** Maximum pause within a stroke that still counts as the same wound, in seconds. */
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
  return {
    ...{ id, x: window.x + side / 2, y: window.y + side / 2, side, stage, phase, origin, kind },
    ...{ parents, planter, born, wounds, healed, hurt: hurt !== undefined },
    ...(was && { was: was.map((one) => one.kind) }),
  };
}

/** Copies an organism's last picture, so that the other pictures of that step can be freed. */
export function keepSeen(organism: Organism): void {
  organism.seen = organism.seen?.slice();
}

/** Age in ticks at which measurements of flashes cease to matter, at the highest tick rate. */
const STALE = 72;

/** Returns whether measurements of flashes are too old to matter, as for sleeping organisms. */
export const isStale = ({ at }: FlickerState, tick: number): boolean => tick - at > STALE;

/** Copies an organism's state; later changes do not affect the copy. @param tick ticks completed */
export function exportOrganism(organism: Organism, tick: number): OrganismState {
  const { patch: _, isRestored: _engine, mustExpress: _next, ...state } = organism;
  const { phase, pressing, flicker, wait, closed, expression, transforming } = state;
  return defined({
    ...state,
    // Dead organisms are removed within a tick, so none is exported.
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
  // A patch taken over from another room may still read a latent that its organism has just lost.
  mustExpress: state.phase !== 'asleep',
});
