/** Creates the growth previews and the drawing encoder of a checkpoint. */
import { setImmediate } from 'node:timers/promises';
import { inSlices } from '../../shared/painter/still.ts';
import { MAX_DRAWING } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { canRefine, type Refinement } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { FairQueue } from '../platform/queues.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { createEncoder, type Encoder } from '../vnca/encoder.ts';
import {
  GrowthPreviews,
  type GrowthPreviewsOptions,
  PREVIEWS,
  type PreviewSettings,
} from './growth-previews.ts';
import { LatentRefiner } from './latent-refiner.ts';

interface WaitingDrawing {
  readonly image: Float32Array;
  resolve(latent: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * Encodes drawings to latents, one at a time and in short time slices, to avoid delaying other
 * work. Then refines the latents, if there is time.
 */
export class DrawingEncoder {
  private readonly waiting: FairQueue<WaitingDrawing>;
  private busy = false;
  /** When the last drawing arrived (ms). */
  private cameAt = 0;

  /**
   * @param options.refine refines the latent of an encoded drawing; if absent, latents stay as
   *   encoded
   * @param options.now returns the current time, in ms
   * @param options.pause yields to the event loop between time slices
   */
  constructor(
    private readonly options: {
      readonly encoder: Encoder;
      readonly settings: Pick<
        PreviewSettings,
        'maxDrawings' | 'slice' | 'refining' | 'refiningAll'
      >;
      readonly refine?: (refinement: Refinement) => Promise<Float32Array>;
      readonly now: () => number;
      readonly pause: () => Promise<void>;
    },
  ) {
    this.waiting = new FairQueue(options.settings.maxDrawings);
  }

  /**
   * Encodes a drawing.
   *
   * @param pixels [side, side, channels], one byte each
   * @param source identifies the sender, for example by network address; sources take turns
   * @returns the drawing's latent [Z]
   * @throws Refusal bad-drawing: wrong size, or empty; room-busy: too many drawings are waiting;
   * shutting-down
   */
  async encode(pixels: Uint8Array, source = ''): Promise<Float32Array> {
    const { encoder } = this.options;
    if (pixels.length !== encoder.size) {
      throw new Refusal('bad-drawing', `${pixels.length} bytes, not ${encoder.size}`);
    }
    if (pixels.every((value) => value === 0)) throw new Refusal('bad-drawing', 'nothing is drawn');
    const image = Float32Array.from(pixels, (byte) => byte / 255);
    this.cameAt = this.options.now();
    return new Promise((resolve, reject) => {
      const dropped = this.waiting.add(source, { image, resolve, reject });
      dropped?.reject(new Refusal('room-busy', 'drawings'));
      void this.encodeWaiting();
    });
  }

  /** Rejects all waiting drawings. */
  stop(): void {
    for (const { reject } of this.waiting.take()) reject(new Refusal('shutting-down'));
  }

  private async encodeWaiting(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let [next] = this.waiting.take(1); next; [next] = this.waiting.take(1)) {
      await this.latentOf(next.image).then(next.resolve, next.reject);
    }
    this.busy = false;
  }

  private async latentOf(image: Float32Array): Promise<Float32Array> {
    const { encoder, settings, refine, now, pause } = this.options;
    const { slice } = settings;
    const latent = await inSlices(encoder.encode(image), { slice, now, pause });
    if (!refine) return latent;
    const left = this.cameAt + settings.refiningAll - now();
    const budget = Math.min(settings.refining, left / (1 + this.waiting.size));
    return budget > 0 ? refine({ image, latent, budget }) : latent;
  }
}

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
  const { latentBounds: bounds } = context.species;
  const onFailure = (why: string): void =>
    log.warn('drawing-not-refined', `A drawing grows without refinement: ${why}.`);
  const refiner = canRefine(checkpoint.card)
    ? new LatentRefiner(checkpoint, { clock, bounds, patience: settings.refiningAll, onFailure })
    : undefined;
  const drawings = new DrawingEncoder({
    ...{ encoder, settings, now: () => performance.now(), pause: setImmediate },
    ...(refiner && { refine: (refinement) => refiner.refine(refinement) }),
  });
  return {
    ...{ growth, grow, draws: encoder.channels === 1 ? 'ink' : 'colour' },
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
