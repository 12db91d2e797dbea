/** Who holds which place after a step (rules OWN-1 … OWN-5). Each tick goes over each cell of the awake, so loops are plain. */
import { type Rect, stageRect } from '../../shared/geometry.ts';
import type { Readout } from '../engine/engine.ts';
import { coloursOf, type GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/** Side of the ground in the middle of its window that a growing organism holds whatever it looks like. */
const SEED_SIDE = 2;

/** The places that a growing organism holds from its planting on. */
export function seedPlaces(window: Rect, grid: GridPlanes): number[] {
  const places: number[] = [];
  grid.each(stageRect(window, SEED_SIDE), (place) => places.push(place));
  return places;
}

export interface Stepped {
  readonly organism: Organism;
  readonly readout: Readout;
}

/**
 * Settles the ground after a step.
 *
 * @param stepped organisms in order of age, oldest first, with what their cells now look like
 * @param threshold least presence, 0…255, that claims a place; half of it keeps one, so that borders do not flicker
 * @returns how many places each of them holds now
 */
export function settle(grid: GridPlanes, stepped: readonly Stepped[], threshold: number): number[] {
  // All let go before any takes, so that an older organism gets no more than the tie.
  for (const one of stepped) letGo(grid, one, threshold);
  return stepped.map((one) => take(grid, one, threshold));
}

function letGo(grid: GridPlanes, { organism, readout }: Stepped, threshold: number): void {
  const { id, window, phase } = organism;
  const { stage, presence } = readout;
  const { owner } = grid.planes;
  const held = phase === 'growing' ? seedPlaces(window, grid) : [];
  const { x, y } = stageRect(window, stage);
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    for (let place = from; place < from + stage; place++, cell++) {
      if (owner[place] !== id || presence[cell] >= threshold / 2 || held.includes(place)) continue;
      grid.release(place);
    }
  }
}

function take(grid: GridPlanes, { organism, readout }: Stepped, threshold: number): number {
  const { id, window, pressing } = organism;
  const { stage, presence } = readout;
  const { owner } = grid.planes;
  const colours = coloursOf(readout.rgba);
  const { x, y } = stageRect(window, stage);
  let holds = 0;
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    let inWindow = (y - window.y + row) * window.width + x - window.x;
    for (let place = from; place < from + stage; place++, cell++, inWindow++) {
      const live = presence[cell] >= threshold;
      if (live && owner[place] === 0) grid.claim(place, id);
      if (owner[place] === id) {
        grid.paint(place, colours[cell]);
        pressing[inWindow] = 0;
        holds++;
      } else if (owner[place] === 0) pressing[inWindow] = 0;
      // It stays pressed for when the cells there, cut back each tick, no longer reach the threshold.
      else if (live) pressing[inWindow] = 1;
    }
  }
  return holds;
}

/**
 * Which cells may keep their state in the coming step: not those that a stroke has hit, nor those on
 * another's ground.
 *
 * @param stage side in the coming step
 * @returns keep [stage, stage], absent when all may; and whether any cell is left
 */
export function keepMask(
  grid: GridPlanes,
  { id, window, woundMask: cover }: Organism,
  stage: number,
): { keep: Uint8Array | undefined; alive: boolean } {
  const { owner } = grid.planes;
  const { x, y } = stageRect(window, stage);
  let keep: Uint8Array | undefined;
  let kept = stage * stage;
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    for (let place = from; place < from + stage; place++, cell++) {
      const closed = owner[place] !== 0 && owner[place] !== id;
      if (!closed && cover?.[cell] !== 1) continue;
      keep ??= new Uint8Array(stage * stage).fill(1);
      keep[cell] = 0;
      kept--;
    }
  }
  return { keep, alive: kept > 0 };
}
