/**
 * Encodes drawings to latents, one at a time and in short time slices, to avoid delaying other
 * work. Then refines the latents, if there is time.
 */
import { inSlices } from '../../shared/painter/still.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Refinement } from '../autodiff/refine-latent.ts';
import { FairQueue } from '../platform/queues.ts';
import type { Encoder } from '../vnca/encoder.ts';

export interface DrawingEncoderOptions {
  readonly encoder: Encoder;
  readonly settings: Readonly<Record<'maxDrawings' | 'slice' | 'refining' | 'refiningAll', number>>;
  /** Refines the latent of an encoded drawing. If absent, latents stay as encoded. */
  readonly refine?: (refinement: Refinement) => Promise<Float32Array>;
  /** Returns the current time, in ms. */
  readonly now: () => number;
  /** Yields to the event loop between time slices. */
  readonly pause: () => Promise<void>;
}

interface WaitingDrawing {
  readonly image: Float32Array;
  resolve(latent: Float32Array): void;
  reject(error: unknown): void;
}

export class DrawingEncoder {
  private readonly waiting: FairQueue<WaitingDrawing>;
  private busy = false;
  /** When the last drawing arrived (ms). */
  private cameAt = 0;

  constructor(private readonly options: DrawingEncoderOptions) {
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
