/** Encodes the genomes that pages need to draw organisms with the painter. */
import * as v from 'valibot';
import { fromHalf, toHalf } from '../half-floats.ts';
import type { PaintedGenomes } from '../painter/genome-map.ts';

/** `PaintedGenomes` (the genomes that the cells of an organism read) as a message. */
export const packedGenomes = v.object({
  /** The latents, as little-endian 16-bit floats. */
  latents: v.pipe(v.array(v.instance(Uint8Array)), v.minLength(1), v.maxLength(4)),
  labels: v.optional(v.instance(Uint8Array)),
});
export type PackedGenomes = v.InferOutput<typeof packedGenomes>;

export function packGenomes({ latents, labels }: PaintedGenomes): PackedGenomes {
  const packed = latents.map((latent) => new Uint8Array(toHalf(latent).buffer));
  return { latents: packed, ...(labels && { labels: new Uint8Array(labels) }) };
}

export const unpackGenomes = ({ latents, labels }: PackedGenomes): PaintedGenomes => ({
  latents: latents.map((bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Float32Array.from({ length: bytes.length >> 1 }, (_, i) =>
      fromHalf(view.getUint16(2 * i, true)),
    );
  }),
  labels,
});
