/** Where drawings become latents: one after another, a little at a time, between everything else. */

import { Refusal } from '../../shared/protocol/reasons.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Encoder } from '../vnca/encoder.ts';

export interface DrawingEncoderOptions {
  readonly encoder: Encoder;
  /** Drawings that may wait. */
  readonly maxWaiting: number;
  /** So long it works before others have their turn, ms. */
  readonly slice: number;
  /** ms */
  readonly now: () => number;
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>;
}

export class DrawingEncoder {
  private waiting = 0;
  private readonly mutex = new Mutex();

  constructor(private readonly options: DrawingEncoderOptions) {}

  /**
   * @param pixels [side, side, channels], a byte each; what is unlike any picture is encoded as well as can be
   * @returns the latent's mean [Z]
   * @throws Refusal bad-drawing: of another size; room-busy: too many wait
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
