/** The energy ring: beads around the pointer show the energy left during a stroke. */
import type { Rgb } from '../style/oklch.ts';
import type { Point } from './camera.ts';
import type { MarkList } from './marks.ts';

const BEADS = 30;
const NO: Rgb = [1, 0.48, 0.42];

export interface EnergyRing {
  /** Energy left, 0…1. */
  readonly share: number;
  /** Whether the current stroke costs more than the energy left. */
  readonly refused: boolean;
  /** The visitor's colour. */
  readonly color: Rgb;
  /** Radius around the pointer that the finger covers, CSS pixels. */
  readonly finger: number;
}

/** The pointer and the radius of its stroke in cells, and CSS pixels per cell. */
interface Place {
  readonly at: Point;
  readonly radius: number;
  readonly zoom: number;
}

/** Draws the ring. */
export function drawEnergyRing(
  { share, refused, color, finger }: EnergyRing,
  { at, radius, zoom }: Place,
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
