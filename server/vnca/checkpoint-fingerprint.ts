/** Identifies a checkpoint by its content, whatever its name. */
import { createHash } from 'node:crypto';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import type { Card } from './card.ts';

/** A model as far as it is identified: see `checkpoint.ts`. */
interface Identified {
  readonly card: Card;
  readonly tensors: ReadonlyMap<string, Float32Tensor>;
}

/** SHA-256 of the weights and of the card's properties that affect a room's cells; hexadecimal. */
export function fingerprint({ card, tensors }: Identified): string {
  const { side, channels, latentSize, growth, update, readout, presence, trustedSteps } = card;
  const size = { side, channels, latentSize };
  const names = card.gallery.map(({ name }) => name);
  const use = { ...size, growth, update, readout, presence, trustedSteps, names };
  const hash = createHash('sha256').update(JSON.stringify(use));
  for (const [name, { shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${shape}`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** The identity of weights, as cards and tokens have it: the first 8 digits of the fingerprint. */
export const identityOf = (model: Identified): string => fingerprint(model).slice(0, 8);
