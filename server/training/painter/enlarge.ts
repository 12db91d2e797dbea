/** The smooth enlargement that painters start from, without a painter. */
import { INPUTS, type PainterNet, RAMP } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';

/** A net that adds nothing. */
const NOTHING = [
  { inputs: INPUTS, outputs: 4, kernel: new Float32Array(INPUTS * 4), bias: new Float32Array(4) },
  { inputs: 4, outputs: 4, kernel: new Float32Array(16), bias: new Float32Array(4) },
  { inputs: 4, outputs: RAMP, kernel: new Float32Array(4 * RAMP), bias: new Float32Array(RAMP) },
] as const satisfies PainterNet;

/**
 * Catmull-Rom of premultiplied RGBA, clamped.
 *
 * @param cells [side, side, 4], 0…255
 * @returns [scale·side, scale·side, 4]
 */
export function enlarged(cells: Uint8Array, side: number, scale: number): Uint8Array {
  const owners = new Uint8Array(side * side);
  const pixels = paint({ cells, owners, width: side, height: side, net: NOTHING, scale });
  return new Uint8Array(pixels.buffer);
}
