/** Plants organisms: gives them their ids, patches and first cells. */

import { contains, type Rect, stageRect, windowAround } from '../../shared/geometry.ts';
import { MAX_SEEDS_IN_HAND } from '../../shared/limits.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantView, SeedView } from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId } from '../engine/engine.ts';
import type { GridPlanes } from './grid-planes.ts';
import { genomesOf, type Seed } from './organisms/grafts.ts';
import { newOrganism, type Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import { SEED_SIDE, seedPlaces } from './ownership.ts';
import type { Departed, RoomState } from './room-state.ts';
import { growthStep, type Species } from './species.ts';

interface NewPlant {
  readonly seed: Seed;
  readonly window: Rect;
  readonly by: ParticipantView;
  /** Index of the plant command's answer among the answers of the tick. */
  readonly answer: number;
  /** The departed organism that is replanted, if any. */
  readonly departed?: Departed | undefined;
}

export class Planting {
  nextOrganism = 1;
  /** Organisms planted in this tick. */
  pending: (Pick<NewPlant, 'answer' | 'departed'> & { readonly organism: Organism })[] = [];

  /** @param nextPatch returns a patch id that no other room uses */
  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
    private readonly nextPatch: () => PatchId,
  ) {}

  /** Side of each organism's square window, in cells. */
  get side(): number {
    return this.species.side;
  }

  /**
   * Plants an organism. The cells of its seed must be bare.
   *
   * @param tick number of completed ticks
   */
  plant({ seed, window, by, answer, departed }: NewPlant, tick: number): void {
    const { latent, origin, kind, parents, grafts } = seed;
    const organism = newOrganism({
      ...{ window, latent, origin, kind, parents },
      ...(grafts && { grafts: structuredClone(grafts) }),
      id: this.nextOrganism++,
      patch: this.nextPatch(),
      planter: { id: by.id, name: by.name, hue: by.hue },
      born: tick,
      stage: growthStep(this.species, 0).stage,
    });
    for (const place of seedPlaces(window, this.grid)) this.grid.claim(place, organism.id);
    this.lifecycle.add(organism);
    this.pending.push({ organism, answer, departed });
  }

  /**
   * The patches that the engine must create for the organisms that were planted in this tick and
   * are still alive.
   */
  get patches(): NewPatch[] {
    const { checkpoint } = this.species;
    return this.pending
      .filter(({ organism }) => organism.phase !== 'dead')
      .map(({ organism }) => {
        const { patch, latent } = organism;
        return { patch, checkpoint, latent, genomes: genomesOf(organism) };
      });
  }

  /**
   * Removes the organisms planted in this tick.
   *
   * @returns their patches
   */
  retract(): PatchId[] {
    const organisms = this.pending.map(({ organism }) => organism);
    this.lifecycle.retract(organisms);
    return organisms.map(({ patch }) => patch);
  }
}

/**
 * Returns an organism's window around a centre.
 *
 * @throws Refusal 'off-grid' if the window does not lie completely on the grid
 */
export function windowAt(grid: GridPlanes, x: number, y: number, side: number): Rect {
  const window = windowAround(x, y, side);
  const bounds = { x: 0, y: 0, width: grid.width, height: grid.height };
  if (!Number.isInteger(x) || !Number.isInteger(y) || !contains(bounds, window)) {
    throw new Refusal('off-grid');
  }
  return window;
}

/** Checks that the cells for a seed in this window are bare. @throws Refusal 'occupied' */
export function requireBare(window: Rect, grid: GridPlanes): void {
  if (!isBare(stageRect(window, SEED_SIDE), grid)) throw new Refusal('occupied');
}

/**
 * Finds the window nearest to `corner` in which a seed can be planted. Prefers windows whose middle
 * half is bare, so that the organism has space to grow.
 *
 * @param corner preferred top left corner of the window
 * @throws Refusal 'occupied' if there is no window in which a seed can be planted
 */
export function nearestWindow(corner: Corner, side: number, grid: GridPlanes): Rect {
  const found = nearest(corner, side, side / 2, grid) ?? nearest(corner, side, SEED_SIDE, grid);
  if (!found) throw new Refusal('occupied');
  return found;
}

type Corner = Pick<Rect, 'x' | 'y'>;

/**
 * Returns the window nearest to `corner` that has a bare square of side `bare` in its middle. Among
 * equally near windows, prefers the topmost, then the leftmost.
 */
function nearest(corner: Corner, side: number, bare: number, grid: GridPlanes): Rect | undefined {
  let best: Rect | undefined;
  let least = Number.POSITIVE_INFINITY;
  const last = { x: grid.width - side, y: grid.height - side };
  const rings = Math.max(corner.x, corner.y, last.x - corner.x, last.y - corner.y);
  // Search in square rings around the corner. The windows of a ring are at least `ring` cells away,
  // so stop once `ring` exceeds the best distance.
  for (let ring = 0; ring <= rings && ring * ring <= least; ring++) {
    for (const { x, y } of ringAround(corner, ring, last)) {
      const distance = (x - corner.x) ** 2 + (y - corner.y) ** 2;
      const isFirst = best === undefined || y < best.y || (y === best.y && x < best.x);
      if (distance > least || (distance === least && !isFirst)) continue;
      const window = { x, y, width: side, height: side };
      if (!isBare(stageRect(window, bare), grid)) continue;
      least = distance;
      best = window;
    }
  }
  return best;
}

/**
 * Yields the positions on the outline of a square around a centre. Omits positions outside the
 * rectangle from (0, 0) to `last`.
 *
 * @param ring half the side of the square
 */
function* ringAround(centre: Corner, ring: number, last: Corner): Generator<Corner> {
  const top = Math.max(0, centre.y - ring);
  const bottom = Math.min(last.y, centre.y + ring);
  for (let y = top; y <= bottom; y++) {
    const isEdge = Math.abs(y - centre.y) === ring;
    const step = isEdge ? 1 : 2 * ring;
    for (let x = centre.x - ring; x <= centre.x + ring; x += step) {
      if (x >= 0 && x <= last.x) yield { x, y };
    }
  }
}

function isBare({ x, y, width, height }: Rect, grid: GridPlanes): boolean {
  for (let row = y; row < y + height; row++) {
    const from = grid.place(x, row);
    for (let place = from; place < from + width; place++) {
      if (grid.ownerAt(place) !== 0) return false;
    }
  }
  return true;
}

type SeedInventoryState = RoomState['hands'];
/** A seed that a participant holds, with its latent [Z]. */
export type HeldSeed = SeedInventoryState['held'][number]['seeds'][number];

export function viewOfSeed({ id, origin, parents }: HeldSeed): SeedView {
  return { id, origin, parents };
}

/** The seeds that each participant holds. A seed beyond the maximum number replaces the oldest. */
export class SeedInventory {
  private nextId: number;
  private readonly seeds: Map<number, HeldSeed[]>;

  constructor(from: SeedInventoryState = { nextId: 1, held: [] }) {
    this.nextId = from.nextId;
    this.seeds = new Map(from.held.map(({ participant, seeds }) => [participant, [...seeds]]));
  }

  add(participant: number, seed: Omit<HeldSeed, 'id'>): HeldSeed {
    const held = { ...seed, id: this.nextId++ };
    this.seeds.set(participant, [...this.of(participant), held].slice(-MAX_SEEDS_IN_HAND));
    return held;
  }

  skipId(): void {
    this.nextId++;
  }

  /** Returns a seed; undefined if the participant does not hold it. */
  find(participant: number, id: number): HeldSeed | undefined {
    return this.of(participant).find((seed) => seed.id === id);
  }

  /** Returns the seeds that a participant holds, oldest first. */
  of(participant: number): readonly HeldSeed[] {
    return this.seeds.get(participant) ?? [];
  }

  get participants(): number[] {
    return [...this.seeds.keys()];
  }

  export(): SeedInventoryState {
    const held = [...this.seeds].map(([participant, seeds]) => ({ participant, seeds }));
    return { nextId: this.nextId, held };
  }

  clear(participant: number): void {
    this.seeds.delete(participant);
  }
}
