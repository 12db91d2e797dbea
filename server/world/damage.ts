/** Strokes of damage (rules DMG-1 … DMG-3). */
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
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

const { woundSeconds } = DEFAULTS.life;

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

/**
 * The cells of an organism that a stroke covers. A stroke that covers none of the organism's own
 * places does not wound it.
 *
 * @param stage side in the coming step
 * @returns [stage, stage], 1 = covered; undefined if the stroke does not wound the organism
 */
export function woundOf(
  organism: Organism,
  stage: number,
  stroke: Stroke,
  grid: GridPlanes,
): Uint8Array | undefined {
  const rect = stageRect(organism.window, stage);
  const cover = coverage(stroke, rect);
  if (!cover) return undefined;
  let hit = false;
  grid.each(rect, (place, cell) => {
    if (cover[cell] === 1 && grid.ownerAt(place) === organism.id) hit = true;
  });
  return hit ? cover : undefined;
}

/** Adds a wound to those that an organism has in the coming step. */
export function addWound(organism: Organism, cover: Uint8Array): void {
  const before = organism.woundMask;
  organism.woundMask = before ? cover.map((value, cell) => value | before[cell]) : cover;
}

/**
 * Protects wounded organisms for a while (rule DMG-3). Whoever made the wound may go on with it for
 * a moment, as one movement of the hand is several strokes.
 */
export class Protection {
  /** @param pause how long an organism is protected, ticks @param tick of the stroke */
  constructor(
    private readonly pause: number,
    private readonly tickRate: number,
    private readonly tick: number,
  ) {}

  /** Whether an organism cannot be wounded now by this participant. */
  covers(organism: Organism, by: ParticipantId): boolean {
    const { cut } = organism;
    if (!cut || !this.isRecent(organism)) return false;
    return cut.by !== by || this.tick - cut.at >= woundSeconds * this.tickRate;
  }

  /** Records a wound. */
  begin(organism: Organism, by: ParticipantId): void {
    if (this.pause > 0 && !this.isRecent(organism)) organism.cut = { by, at: this.tick };
  }

  private isRecent({ cut }: Organism): boolean {
    return cut !== undefined && this.tick - cut.at < this.pause;
  }
}
