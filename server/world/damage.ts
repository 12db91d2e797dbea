/** Strokes of damage (rules DMG-1, DMG-2). */
import { coverage, type Stroke, stageRect } from '../../shared/geometry.ts';
import type { Ground } from './ground.ts';
import type { Organism } from './organism.ts';

/**
 * Adds a stroke to what an organism suffers in the coming step. Only flesh can be wounded: a stroke that passes over
 * none of its own places leaves it alone.
 *
 * @param stage side in the coming step
 * @returns whether the stroke has hit it
 */
export function wound(organism: Organism, stage: number, stroke: Stroke, ground: Ground): boolean {
  const rect = stageRect(organism.window, stage);
  const cover = coverage(stroke, rect);
  if (!cover) return false;
  let hit = false;
  ground.each(rect, (place, cell) => {
    if (cover[cell] === 1 && ground.ownerAt(place) === organism.id) hit = true;
  });
  if (!hit) return false;
  const before = organism.cover;
  organism.cover = before ? cover.map((value, cell) => value | before[cell]) : cover;
  return true;
}
