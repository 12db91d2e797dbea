/** Strokes of damage: what they cover, wound and wake (rules DMG-1, DMG-2, ENE-6). */
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  contains,
  coverage,
  type Rect,
  type Stroke,
  stageRect,
  strokeBounds,
  strokeLength,
} from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import { growthStep, type Species } from './species.ts';

/** Checks that a stroke lies on the grid. @throws Refusal bad-point, stroke-too-long */
export function checkStroke({ points }: Stroke, { width, height }: GridPlanes): void {
  for (let i = 0; i < points.length; i++) {
    const limit = i % 2 === 0 ? width : height;
    if (!(points[i] >= 0 && points[i] <= limit)) throw new Refusal('bad-point', `${points[i]}`);
  }
  if (strokeLength(points) > DEFAULTS.stroke.maxLength) throw new Refusal('stroke-too-long');
}

/** Organisms that own a place near a stroke, oldest first: only these can be wounded by it. */
export function ownersNear({ points, radius }: Stroke, grid: GridPlanes): OrganismId[] {
  const { owner } = grid.planes;
  const found = new Set<OrganismId>();
  for (let i = 0; i + 1 < points.length; i += 2) {
    const from = Math.max(0, i - 2);
    const part = Array.from({ length: i + 2 - from }, (_, k) => points[from + k]);
    grid.each(within(strokeBounds({ points: part, radius }), grid), (place) => {
      if (owner[place] !== 0) found.add(owner[place]);
    });
  }
  return [...found].sort((a, b) => a - b);
}

/** Organisms that own a place in a rectangle, oldest first. @throws Refusal off-grid */
export function ownersIn(area: Rect, ground: GridPlanes): OrganismId[] {
  const grid = { x: 0, y: 0, width: ground.width, height: ground.height };
  if (!contains(grid, area)) throw new Refusal('off-grid');
  const found = new Set<OrganismId>();
  ground.each(area, (place) => found.add(ground.ownerAt(place)));
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

/** The part of a rectangle on the grid, with a margin of one place so that thin strokes count. */
export function within(rect: Rect, grid: Pick<GridPlanes, 'width' | 'height'>): Rect {
  const x = Math.max(0, rect.x - 1);
  const y = Math.max(0, rect.y - 1);
  const right = Math.min(grid.width, rect.x + rect.width + 1);
  const bottom = Math.min(grid.height, rect.y + rect.height + 1);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/** An organism that a stroke wounds. */
interface Hit {
  readonly organism: Organism;
  /** [stage, stage] cells in the coming step, 1 = covered by the stroke. */
  readonly cover: Uint8Array;
}

/**
 * The organisms that a stroke wounds. A stroke that covers none of an organism's own places does
 * not wound it.
 */
export function hitsOf(
  stroke: Stroke,
  organisms: readonly Organism[],
  species: Species,
  grid: GridPlanes,
): Hit[] {
  return organisms.flatMap((organism) => {
    const rect = stageRect(organism.window, growthStep(species, organism.age).stage);
    const cover = coverage(stroke, rect);
    if (!cover) return [];
    let hit = false;
    grid.each(rect, (place, cell) => {
      if (cover[cell] === 1 && grid.ownerAt(place) === organism.id) hit = true;
    });
    return hit ? [{ organism, cover }] : [];
  });
}

/**
 * How many organisms a stroke wakes (rule ENE-6). One that is awake counts in part: for the share of
 * its trusted steps that it takes again.
 */
export function wokenBy(hits: readonly Hit[], { trustedSteps }: Species): number {
  const steps = trustedSteps ?? DEFAULTS.life.wakingSteps;
  return hits.reduce((sum, { organism: { phase, awakeSteps } }) => {
    return sum + (phase === 'asleep' ? 1 : Math.min(1, awakeSteps / steps));
  }, 0);
}
