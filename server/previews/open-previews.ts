/** Creates the growth previews and the drawing encoder of a checkpoint. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Engine, PatchId } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { createEncoder } from '../vnca/encoder.ts';
import type { Species } from '../world/species.ts';
import { DrawingEncoder } from './drawing-encoder.ts';
import type { GrowthFilm } from './growth-film.ts';
import { GrowthPreviews } from './growth-previews.ts';

/** What visitors can preview. */
export interface SeedPreviews {
  readonly growth: GrowthPreviews;
  /** The kind of drawings that the checkpoint can encode, if any. */
  readonly draws: 'ink' | 'colour' | undefined;
  grow(latent: Float32Array): Promise<GrowthFilm>;
  encode?(pixels: Uint8Array): Promise<Float32Array>;
}

interface PreviewContext {
  readonly species: Species;
  readonly engine: Engine;
  readonly newPatch: () => PatchId;
  readonly clock: Clock;
}

/** Creates the previews of a checkpoint. */
export function openSeedPreviews(checkpoint: Checkpoint, context: PreviewContext): SeedPreviews {
  const { species, engine, newPatch, clock } = context;
  const { maxDrawing, maxDrawings, slice } = DEFAULTS.nursery;
  const now = (): number => clock.now();
  const growthPreviews = new GrowthPreviews({
    engine,
    species,
    newPatch,
    now,
    settings: DEFAULTS.nursery,
  });
  const grow = (latent: Float32Array): Promise<GrowthFilm> => growthPreviews.grow(latent);
  const encoder = createEncoder(checkpoint);
  // An RGB encoder is for photographs.
  if (!encoder || encoder.channels === 3 || encoder.size > maxDrawing) {
    return { growth: growthPreviews, draws: undefined, grow };
  }
  const drawingEncoder = new DrawingEncoder({
    encoder,
    maxWaiting: maxDrawings,
    slice,
    now: () => performance.now(),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const draws = encoder.channels === 1 ? 'ink' : 'colour';
  return { growth: growthPreviews, draws, grow, encode: (pixels) => drawingEncoder.encode(pixels) };
}
