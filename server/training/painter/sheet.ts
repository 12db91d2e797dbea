/** Draws creatures that a painter was not trained on, side by side: originals, today's, painted. */
import type { PainterNet } from '../../../shared/painter/net.ts';
import { drawSheet, straight } from '../pictures/sheet.ts';
import { evenly } from '../run-state.ts';
import { drawings, type KeptCreature, paintAlone } from './measure.ts';
import { ENLARGED } from './originals.ts';

const ROWS = 8;

/** @returns a PNG file: a row for each of some creatures */
export async function drawPainterSheet(
  net: PainterNet,
  kept: readonly KeptCreature[],
  side: number,
): Promise<Buffer> {
  const tile = (rgba: Uint8Array) => ({ side: ENLARGED * side, rgba: straight(rgba) });
  const chosen = evenly(kept.length, Math.min(ROWS, kept.length));
  const rows = Array.from(chosen, (i) => {
    const { original, grown } = kept[i];
    const { painted, bicubic, shader } = drawings(net, original.small, side);
    const ofGrown = drawings(net, grown, side);
    const wounded = paintAlone(net, withoutDisc(grown, side), side);
    return [
      ...[original.large, bicubic, shader, painted],
      ...[ofGrown.shader, ofGrown.painted, wounded],
    ].map(tile);
  });
  const columns = [
    ...['original', 'bicubic', 'shader', 'painted'],
    ...['grown: shader', 'grown: painted', 'wounded: painted'],
  ];
  return drawSheet(rows, { scale: 1, columns });
}

/** Cells without a disc to the right of the middle. */
export function withoutDisc(cells: Uint8Array, side: number): Uint8Array {
  const radius = side / 8;
  return cells.map((value, at) => {
    const i = at >> 2;
    const [x, y] = [(i % side) + 0.5 - 0.6 * side, Math.floor(i / side) + 0.5 - side / 2];
    return Math.hypot(x, y) <= radius ? 0 : value;
  });
}
