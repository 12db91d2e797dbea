/** Predicts the colours of a cell from the neighbours that are coded before it. */
import type { Cells } from './cells.ts';

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { max, min } = Math;

/** Alpha first: premultiplied channels never exceed it. */
export const CHANNELS = [3, 0, 1, 2] as const;

export const clamp = (x: number): number => max(0, min(255, x));

/** The median edge detector of JPEG-LS (Weinberger et al. 2000). @param c channel of RGBA, 0…3 */
export function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  const corner = x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0;
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}
