/** Beads around the blade: what energy is left while one cuts. Around a finger they stand clear of it. */
import type { Rgb } from '../style/oklch.ts';
import type { MarkList } from './marks.ts';

const BEADS = 30;
const NO: Rgb = [1, 0.48, 0.42];

export interface EnergyRing {
  /** Energy left, 0…1. */
  readonly share: number;
  /** Whether what is being drawn is more than that. */
  readonly refused: boolean;
  /** Of the visitor. */
  readonly color: Rgb;
  /** CSS pixels from the pointer that its finger covers. */
  readonly finger: number;
}

/**
 * @param at cells
 * @param radius of the blade, cells
 * @param zoom CSS pixels a cell
 */
export function drawEnergyRing(
  { share, refused, color, finger }: EnergyRing,
  at: { readonly x: number; readonly y: number },
  radius: number,
  zoom: number,
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
