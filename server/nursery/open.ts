/** The nursery and the atelier of a checkpoint, put together. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Engine, PatchId } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { createEncoder } from '../vnca/encoder.ts';
import type { Species } from '../world/species.ts';
import { Atelier } from './atelier.ts';
import type { Film } from './film.ts';
import { Nursery } from './nursery.ts';

export interface SeedWorks {
  readonly nursery: Nursery;
  /** What drawings are made of, where the checkpoint can grow any. */
  readonly draws: 'ink' | 'colour' | undefined;
  grow(latent: Float32Array): Promise<Film>;
  encode?(pixels: Uint8Array): Promise<Float32Array>;
}

interface Place {
  readonly species: Species;
  readonly engine: Engine;
  readonly newPatch: () => PatchId;
  readonly clock: Clock;
}

export function openSeedWorks(checkpoint: Checkpoint, place: Place): SeedWorks {
  const { species, engine, newPatch, clock } = place;
  const { maxDrawing, maxDrawings, slice } = DEFAULTS.nursery;
  const now = (): number => clock.now();
  const nursery = new Nursery({ engine, species, newPatch, now, settings: DEFAULTS.nursery });
  const grow = (latent: Float32Array): Promise<Film> => nursery.grow(latent);
  const encoder = createEncoder(checkpoint);
  // Photographs are no drawings.
  if (!encoder || encoder.channels === 3 || encoder.size > maxDrawing) {
    return { nursery, draws: undefined, grow };
  }
  const atelier = new Atelier({
    encoder,
    maxWaiting: maxDrawings,
    slice,
    now: () => performance.now(),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const draws = encoder.channels === 1 ? 'ink' : 'colour';
  return { nursery, draws, grow, encode: (pixels) => atelier.encode(pixels) };
}
