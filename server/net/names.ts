/** Names that participants give themselves: shown to everybody, so cleaned first. */
import { DEFAULTS } from '../../shared/defaults.ts';

/** Letters, digits, marks, punctuation and single spaces; no control, format or private characters; cut to length. */
export function cleanName(name: string | undefined): string {
  if (!name) return '';
  const plain = name
    .normalize('NFC')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    // More than two marks on a letter spill over the lines above and below.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .trim();
  return [...plain].slice(0, DEFAULTS.net.maxNameLength).join('').trim();
}

/** Hues far from each other, however many come: steps of the golden angle. */
export function hueOf(participant: number): number {
  return Math.round((participant * 137.508 + 90) % 360);
}
