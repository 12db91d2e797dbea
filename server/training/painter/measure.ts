/** x */

import type { PainterNet } from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Checkpoint } from '../../vnca/checkpoint.ts';
import type { Original } from './originals.ts';
export async function measurePainter(
  _c: Compute,
  net: PainterNet,
  { kept }: { checkpoint: Checkpoint; kept: readonly Original[] },
) {
  let sum = 0;
  for (const { small, large } of kept) {
    const owners = Uint8Array.from({ length: small.length / 4 }, (_, i) =>
      small[4 * i + 3] > 0 ? 1 : 0,
    );
    const p = paint({ cells: small, owners, width: 32, height: 32, net, scale: 8 });
    let e = 0;
    for (let i = 0; i < p.length; i++) e += ((p[i] - large[i]) / 255) ** 2;
    sum += -10 * Math.log10(e / p.length);
  }
  return { psnr: sum / kept.length };
}
