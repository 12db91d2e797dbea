/**
 * Organisms as a room stores them, and an index of a room's organisms. The engine stores the cell
 * states.
 */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { OrganismId, OrganismView, Phase } from '../../../shared/vocabulary.ts';
import type { PatchId } from '../../engine/engine.ts';
import { defined, getOrAdd } from '../../platform/collections.ts';
import type { GridPlanes } from '../grid-planes.ts';
import type { OrganismState } from '../room-state.ts';
import { type Changing, partsOf } from './grafts.ts';

/**
 * An organism that is alive or has just died: its stored state, its patch in the engine, and flags
 * for the next step.
 */
export interface Organism extends Changing {
  phase: Phase;
  readonly patch: PatchId;
  /**
   * Whether the cell states were imported after the last step. The engine then lacks the previous
   * picture, so it cannot measure how much the next step changes the picture.
   */
  isRestored: boolean;
}

/** How often each cell of an organism's window has flashed: see `flicker.ts`. */
export type FlickerState = NonNullable<Organism['flicker']>;

export const LIFE = {
  /**
   * A step counts as resting if it changes no RGBA8 value of the organism's picture by more than
   * this.
   */
  restLevel: 3,
  /** Number of consecutive resting steps after which an organism sleeps. */
  restSteps: 8,
  /**
   * If cells that blocked an organism become bare, the organism wakes. It then stays awake for at
   * most this number of steps; for half as many the second time, a quarter the third time, and so
   * on.
   */
  wakingSteps: 32,
  /**
   * Maximum number of times that an organism wakes because cells that blocked it have become bare.
   * A stroke on the organism, for example, restarts the count.
   */
  maxWakings: 4,
  /** Maximum number of organisms that react to one report of a sensor. */
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

/** Returns the public view of an organism; x and y are the centre of its window, in cells. */
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
 * Age, in ticks, above which a measurement of flashes is ignored. Only flashes within a second
 * count, and this age exceeds a second at every tick rate.
 */
const STALE = 72;

/** Returns whether an organism's last measurement of flashes is too old to matter. */
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
    // Dead organisms are removed within a tick, so an exported organism is never dead.
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

/**
 * Creates an organism from its stored state.
 *
 * @param patch the organism's new patch in the engine
 */
export const importOrganism = (state: OrganismState, patch: PatchId): Organism => ({
  ...state,
  patch,
  isRestored: true,
  // Send the genomes to the engine again. If the patch belonged to another room before (see
  // `World.merge`), its cells may still read an earlier latent.
  mustExpress: state.phase !== 'asleep',
});

/**
 * The living organisms of a room, and an index of the cells on which sleeping organisms are
 * blocked. An organism is blocked on a cell if it would have a live cell there, but another
 * organism owns the cell.
 */
export class Population {
  /**
   * Living organisms by id. Iteration begins with the oldest, because ids only increase and a Map
   * keeps its insertion order.
   */
  private readonly living = new Map<OrganismId, Organism>();
  /** For each grid cell, the sleeping organisms that are blocked on it. */
  private readonly sleepersByPlace = new Map<number, Set<Organism>>();

  constructor(private readonly grid: GridPlanes) {}

  get all(): IterableIterator<Organism> {
    return this.living.values();
  }

  /** Growing or awake organisms, oldest first. */
  get awake(): Organism[] {
    return [...this.all].filter(({ phase }) => phase === 'growing' || phase === 'awake');
  }

  get departing(): Organism[] {
    return [...this.all].filter(({ phase }) => phase === 'departing');
  }

  /** Living organisms that are not departing, oldest first. */
  get staying(): Organism[] {
    return [...this.all].filter(({ phase }) => phase !== 'departing');
  }

  find(id: OrganismId): Organism | undefined {
    return this.living.get(id);
  }

  /** Returns a living organism by its id. @throws Refusal 'no-such-organism' */
  require(id: OrganismId): Organism {
    const organism = this.living.get(id);
    if (!organism) throw new Refusal('no-such-organism', `organism ${id}`);
    return organism;
  }

  /**
   * Adds an organism in its current phase. The organism must be younger than all other organisms.
   */
  add(organism: Organism): void {
    this.living.set(organism.id, organism);
    if (organism.phase === 'asleep') this.indexSleeper(organism);
  }

  setPhase(organism: Organism, phase: Phase): void {
    const wasAsleep = organism.phase === 'asleep';
    organism.phase = phase;
    if (phase === 'dead') this.living.delete(organism.id);
    // The last picture is part of a large buffer that also holds the pictures of other organisms.
    // Copy it, so that the buffer can be freed.
    if (phase === 'asleep' || phase === 'departing') organism.seen = organism.seen?.slice();
    if (wasAsleep !== (phase === 'asleep')) this.indexSleeper(organism);
  }

  /** Returns the sleeping organisms that are blocked on any of these cells, oldest first. */
  pressingOn(places: readonly number[]): Organism[] {
    const found = new Set<Organism>();
    for (const place of places) {
      for (const organism of this.sleepersByPlace.get(place) ?? []) found.add(organism);
    }
    return [...found].sort((a, b) => a.id - b.id);
  }

  /**
   * Adds an organism to `sleepersByPlace` if it sleeps, and otherwise removes it. While an organism
   * sleeps, its `pressing` stays the same, because it takes no steps.
   */
  private indexSleeper(organism: Organism): void {
    const { window, pressing, phase } = organism;
    this.grid.each(window, (place, cell) => {
      if (pressing[cell] === 0) return;
      const sleepers = getOrAdd(this.sleepersByPlace, place, () => new Set());
      if (phase === 'asleep') sleepers.add(organism);
      else sleepers.delete(organism);
      if (sleepers.size === 0) this.sleepersByPlace.delete(place);
    });
  }
}
