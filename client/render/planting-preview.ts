/**
 * Draws the marks under the visitor's own pointer: a preview of the seed, the ring of the brush, or
 * beads that show the energy left during a stroke.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import { clampCentre } from '../../shared/geometry.ts';
import type { RoomModel } from '../room/room-model.ts';
import { type InteractionState, isBrush } from '../state/interaction-state.ts';
import type { Rgb } from '../style/fragments.ts';
import type { Point } from './camera.ts';
import type { MarkList } from './marks.ts';

const CALM: Rgb = [0.74, 0.94, 0.86];
const NO: Rgb = [1, 0.48, 0.42];
const BRUSH: Rgb = [0.98, 0.9, 0.78];
/** Number of beads of a full energy ring. */
const BEADS = 30;

/** Returns whether an organism already owns one of the four cells of a new seed. */
export function isOccupied(planes: Planes, x: number, y: number): boolean {
  for (let j = y - 1; j <= y; j++) {
    for (let i = x - 1; i <= x; i++) {
      if (planes.owner[j * planes.width + i] !== 0) return true;
    }
  }
  return false;
}

export interface Pointer extends Point {
  readonly pressed: boolean;
}

/** Draws a preview of the tool's effect at the pointer. @param pointer cells */
export function drawPreview(
  { planes, checkpoint }: Pick<RoomModel, 'planes' | 'checkpoint'>,
  { tool, radius, held }: InteractionState['state'],
  pointer: Pointer,
  marks: MarkList,
): void {
  if (!planes || !checkpoint) return;
  const { pressed } = pointer;
  const margin = isBrush(tool) ? radius : 6;
  const off =
    pointer.x < -margin ||
    pointer.y < -margin ||
    pointer.x > planes.width + margin ||
    pointer.y > planes.height + margin;
  if (off) return;
  const picture = (at: Point, reach: number, alpha: number): void => {
    if (held.from !== 'gallery') return;
    const { columns } = checkpoint.sheet;
    const tile = { ...at, x2: held.index % columns, y2: Math.floor(held.index / columns) };
    marks.add({ kind: 'picture', ...tile, radius: reach, color: CALM, alpha });
  };
  if (isBrush(tool)) {
    const { x, y } = pointer;
    const alpha = pressed ? 0.95 : 0.65;
    marks.add({ kind: 'disc', x, y, radius, softness: 1, color: BRUSH, alpha: 0.05, glow: 1 });
    marks.add({ kind: 'ring', x, y, radius, line: 1.25, color: BRUSH, alpha });
    if (tool === 'graft' && !pressed) picture({ x, y }, radius, 0.5);
    return;
  }
  if (tool !== 'plant') return;
  const { x, y } = clampCentre(pointer.x, pointer.y, checkpoint.side, planes);
  const half = checkpoint.side / 2;
  if (isOccupied(planes, x, y)) {
    const ring = { kind: 'ring', x, y, color: NO } as const;
    marks.add({ ...ring, radius: half * 0.9, line: 1, softness: 1, alpha: 0.4 });
    marks.add({ ...ring, radius: 2.2, line: 1.5, alpha: 0.9 });
    const d = 1.55;
    const way = { x: x - d, y: y + d, x2: x + d, y2: y - d };
    marks.add({ kind: 'disc', ...way, radius: 0.16, color: NO, alpha: 0.9 });
    return;
  }
  picture({ x, y }, half, pressed ? 0.42 : 0.26);
  marks.add({ kind: 'glow', x, y, radius: half * 1.15, color: CALM, alpha: 0.1, glow: 1 });
  marks.add({ kind: 'ring', x, y, radius: half, line: 1, softness: 0.6, color: CALM, alpha: 0.34 });
  marks.add({ kind: 'disc', x, y, radius: 0.5, softness: 1, color: CALM, alpha: 0.85 });
}

export interface EnergyRing {
  /** Energy left, 0…1. */
  readonly share: number;
  /** Whether the current stroke costs more than the energy left. */
  readonly refused: boolean;
  /** The visitor's colour. */
  readonly color: Rgb;
  /** Radius of the area around the pointer that the finger hides, in CSS pixels. */
  readonly finger: number;
}

/**
 * Draws beads around the pointer. The share of lit beads is the share of energy left.
 *
 * @param at the pointer, cells
 * @param radius of the stroke, cells
 * @param zoom CSS pixels per cell
 */
export function drawEnergyRing(
  { share, refused, color, finger }: EnergyRing,
  { at, radius, zoom }: { readonly at: Point; readonly radius: number; readonly zoom: number },
  marks: MarkList,
): void {
  const reach = Math.max(radius + 9 / zoom, finger / zoom);
  const lit = share * BEADS;
  for (let i = 0; i < BEADS; i++) {
    const angle = (2 * Math.PI * i) / BEADS - Math.PI / 2;
    const full = Math.max(0, Math.min(1, lit - i));
    marks.add({
      kind: 'disc',
      x: at.x + reach * Math.cos(angle),
      y: at.y + reach * Math.sin(angle),
      radius: (1.1 + 0.7 * full) / zoom,
      softness: 1,
      color: refused ? NO : color,
      alpha: refused ? 0.85 : 0.16 + 0.74 * full,
    });
  }
}
