/**
 * Enlarges and reduces pictures without a painter, for comparison with painted pictures and as
 * material for examples. All pixels are premultiplied RGBA.
 */
import { INPUTS, type PainterNet, RAMP } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';

/** A painter net that adds nothing to the enlarged cells. */
const NOTHING = [
  { inputs: INPUTS, outputs: 4, kernel: new Float32Array(INPUTS * 4), bias: new Float32Array(4) },
  { inputs: 4, outputs: 4, kernel: new Float32Array(16), bias: new Float32Array(4) },
  { inputs: 4, outputs: RAMP, kernel: new Float32Array(4 * RAMP), bias: new Float32Array(RAMP) },
] as const satisfies PainterNet;

/**
 * Enlarges cells by Catmull-Rom interpolation of premultiplied RGBA, clamped.
 *
 * @param cells [side, side, 4], 0…255
 * @param scale pixels per cell
 * @returns [scale·side, scale·side, 4]
 */
export function enlarged(cells: Uint8Array, side: number, scale: number): Uint8Array {
  const owners = new Uint8Array(side * side);
  const pixels = paint({ cells, owners, width: side, height: side, net: NOTHING, scale });
  return new Uint8Array(pixels.buffer);
}

/**
 * sinc(x)·sinc(x / 2) for |x| < 2, else 0: the kernel that also makes the pictures of training
 * sets.
 */
const lanczos2 = (x: number): number => {
  if (x === 0) return 1;
  const p = Math.PI * x;
  return Math.abs(x) >= 2 ? 0 : (2 * Math.sin(p) * Math.sin(p / 2)) / (p * p);
};

/**
 * Reduces a picture by a whole factor, with a Lanczos kernel of two lobes.
 *
 * @param pixels [side, side, 4] premultiplied
 * @returns [side / factor, side / factor, 4], colour never above alpha
 */
export function reduced(pixels: Uint8Array, side: number, factor: number): Uint8Array {
  const small = side / factor;
  const taps = Array.from({ length: 4 * factor }, (_, k) =>
    lanczos2((k + 0.5 - 2 * factor) / factor),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const rows = new Float32Array(small * side * 4);
  for (let y = 0; y < small; y++) {
    taps.forEach((tap, k) => {
      const from = y * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      const [to, at] = [y * side * 4, from * side * 4];
      for (let i = 0; i < side * 4; i++) rows[to + i] += (tap / total) * pixels[at + i];
    });
  }
  const result = new Uint8Array(small * small * 4);
  const sum = new Float32Array(4);
  for (let i = 0; i < small * small; i++) {
    const [x, y] = [i % small, Math.floor(i / small)];
    sum.fill(0);
    taps.forEach((tap, k) => {
      const from = x * factor - 1.5 * factor + k;
      if (from < 0 || from >= side) return;
      for (let c = 0; c < 4; c++) sum[c] += (tap / total) * rows[4 * (y * side + from) + c];
    });
    const alpha = Math.min(255, Math.max(0, Math.round(sum[3])));
    for (let c = 0; c < 3; c++) {
      result[4 * i + c] = Math.min(alpha, Math.max(0, Math.round(sum[c])));
    }
    result[4 * i + 3] = alpha;
  }
  return result;
}
