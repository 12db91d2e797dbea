/** Creates the growth previews and the drawing encoder of a checkpoint. */

import { setImmediate } from 'node:timers/promises';
import { MAX_DRAWING } from '../../shared/protocol/commands.ts';
import { canRefine } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { createEncoder } from '../vnca/encoder.ts';
import { DrawingEncoder } from './drawing-encoder.ts';
import { GrowthPreviews, type GrowthPreviewsOptions, PREVIEWS } from './growth-previews.ts';
import { LatentRefiner } from './latent-refiner.ts';

/** Previews for visitors who choose or draw a seed. */
export interface SeedPreviews {
  readonly growth: GrowthPreviews;
  /** Type of drawings that the checkpoint can encode, or undefined if it can encode none. */
  readonly draws: 'ink' | 'colour' | undefined;
  grow: GrowthPreviews['grow'];
  encode?: DrawingEncoder['encode'];
  prepareToDraw?(): void;
  /** Rejects pending seeds and drawings. Resolves when no seed is growing. */
  stop(): Promise<void>;
  /** Waits, after `stop`, until the thread that refines drawings has exited. */
  close(): Promise<void>;
}

export function openSeedPreviews(
  checkpoint: Checkpoint,
  {
    clock,
    log,
    ...context
  }: Pick<GrowthPreviewsOptions, 'species' | 'engine' | 'newPatch'> & {
    readonly clock: Clock;
    readonly log: Log;
  },
): SeedPreviews {
  const settings = PREVIEWS;
  const growth = new GrowthPreviews({ ...context, settings, now: () => clock.now() });
  const grow = growth.grow.bind(growth);
  const encoder = createEncoder(checkpoint);
  // Do not offer drawing if the encoder has three channels: it is meant for photographs.
  if (!encoder || encoder.channels === 3 || encoder.size > MAX_DRAWING) {
    return { growth, draws: undefined, grow, stop: () => growth.stop(), close: async () => {} };
  }
  const refiner = canRefine(checkpoint.card)
    ? new LatentRefiner(checkpoint, {
        clock,
        bounds: context.species.latentBounds,
        patience: settings.refiningAll,
        onFailure: (why) =>
          log.warn('drawing-not-refined', `A drawing grows without refinement: ${why}.`),
      })
    : undefined;
  const drawings = new DrawingEncoder({
    encoder,
    settings,
    ...(refiner && { refine: (refinement) => refiner.refine(refinement) }),
    now: () => performance.now(),
    pause: setImmediate,
  });
  return {
    growth,
    draws: encoder.channels === 1 ? 'ink' : 'colour',
    grow,
    encode: drawings.encode.bind(drawings),
    prepareToDraw: () => void refiner?.prepare(),
    stop: async () => {
      drawings.stop();
      refiner?.stop();
      await growth.stop();
    },
    close: async () => refiner?.close(),
  };
}
