/**
 * Encodes drawings to latents, one at a time and in short slices, so that nothing else is delayed.
 */
import { Refusal } from '../../shared/protocol/reasons.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Encoder } from '../vnca/encoder.ts';

/** Options of a `DrawingEncoder`. */
export interface DrawingEncoderOptions {
  readonly encoder: Encoder;
  /** Maximum number of waiting drawings. */
  readonly maxWaiting: number;
  /** Length of a slice, ms. */
  readonly slice: number;
  /** Clock, ms. */
  readonly now: () => number;
  /** Yields to the event loop between slices. */
  readonly pause: () => Promise<void>;
}

/** A queue of drawings for one encoder. */
export class DrawingEncoder {
  private waiting = 0;
  private readonly mutex = new Mutex();

  constructor(private readonly options: DrawingEncoderOptions) {}

  /**
   * Encodes a drawing.
   *
   * @param pixels [side, side, channels], a byte each
   * @returns the latent's mean [Z]
   * @throws Refusal bad-drawing: another size, or empty; room-busy: too many drawings are waiting
   */
  async encode(pixels: Uint8Array): Promise<Float32Array> {
    const { encoder, maxWaiting } = this.options;
    if (pixels.length !== encoder.size) {
      throw new Refusal('bad-drawing', `${pixels.length} bytes, not ${encoder.size}`);
    }
    if (pixels.every((value) => value === 0)) throw new Refusal('bad-drawing', 'nothing is drawn');
    if (this.waiting >= maxWaiting) throw new Refusal('room-busy', 'drawings');
    this.waiting++;
    try {
      return await this.mutex.runExclusive(() =>
        this.work(Float32Array.from(pixels, (byte) => byte / 255)),
      );
    } finally {
      this.waiting--;
    }
  }

  private async work(image: Float32Array): Promise<Float32Array> {
    const { encoder, slice, now, pause } = this.options;
    const steps = encoder.encode(image);
    for (;;) {
      const until = now() + slice;
      do {
        const { done, value } = steps.next();
        if (done) return value;
      } while (now() < until);
      await pause();
    }
  }
}
