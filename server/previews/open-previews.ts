/** Creates the growth previews and the drawing encoder of a checkpoint. */
import { setImmediate } from 'node:timers/promises';
import { DEFAULTS } from '../../shared/defaults.ts';
import { canRefine } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { createEncoder } from '../vnca/encoder.ts';
import { DrawingEncoder } from './drawing-encoder.ts';
import { type GrowthFilm, GrowthPreviews, type GrowthPreviewsOptions } from './growth-previews.ts';
import { createLatentRefiner } from './latent-refiner.ts';

/** What visitors can preview. */
export interface SeedPreviews {
  readonly growth: GrowthPreviews;
  /** The kind of drawings that the checkpoint can encode, if any. */
  readonly draws: 'ink' | 'colour' | undefined;
  grow(latent: Float32Array, source?: string): Promise<GrowthFilm>;
  encode?(pixels: Uint8Array, source?: string): Promise<Float32Array>;
  prepareToDraw?(): void;
  /** Rejects what grows or waits; resolves when nothing grows any more. */
  stop(): Promise<void>;
  /** Waits, once stopped, for the thread that refines drawings. */
  close(): Promise<void>;
}

type PreviewContext = Pick<GrowthPreviewsOptions, 'species' | 'engine' | 'newPatch'> & {
  readonly clock: Clock;
  readonly log: Log;
};

/** Creates the previews of a checkpoint. */
export function openSeedPreviews(
  checkpoint: Checkpoint,
  { clock, log, ...context }: PreviewContext,
): SeedPreviews {
  const { maxDrawing, maxDrawings: maxWaiting, slice, refining, refiningAll } = DEFAULTS.preview;
  const settings = DEFAULTS.preview;
  const growth = new GrowthPreviews({ ...context, settings, now: () => clock.now() });
  const grow: SeedPreviews['grow'] = (latent, source) => growth.grow(latent, source);
  const encoder = createEncoder(checkpoint);
  // An RGB encoder is for photographs.
  if (!encoder || encoder.channels === 3 || encoder.size > maxDrawing) {
    const close = async () => {};
    return { growth, draws: undefined, grow, stop: () => growth.stop(), close };
  }
  const now = () => performance.now();
  const refiner = canRefine(checkpoint.card)
    ? createLatentRefiner(checkpoint, {
        clock,
        bounds: context.species.latentBounds,
        patience: refiningAll,
        onFailure: (why) =>
          log.warn('drawing-not-refined', `A drawing grows as it was encoded: ${why}.`),
      })
    : undefined;
  const drawingEncoder = new DrawingEncoder({
    encoder,
    maxWaiting,
    slice,
    refining,
    refiningAll,
    ...(refiner && { refine: (refinement) => refiner.refine(refinement) }),
    now,
    pause: setImmediate,
  });
  const draws = encoder.channels === 1 ? 'ink' : 'colour';
  const encode = drawingEncoder.encode.bind(drawingEncoder);
  const stop = async () => {
    drawingEncoder.stop();
    refiner?.stop();
    await growth.stop();
  };
  const close = async () => refiner?.close();
  const prepareToDraw = () => void refiner?.prepare();
  return { growth, draws, grow, encode, prepareToDraw, stop, close };
}
