/** How far pictures are from their originals: premultiplied RGB, as on black. */
import { rounded } from '../load/figures.ts';

/** Colours up to this, of 255, count as dark. */
const DARK = 8;

export class PictureErrors {
  private squares = 0;
  private values = 0;
  /** Living places by the largest error of their channels. */
  private readonly living = new Float64Array(256);
  private worst = 0;

  /**
   * @param original [places, `stride`] of R, G, B, …
   * @param shown the same, of `shownStride`
   */
  see(original: Uint8Array, shown: Uint8Array, stride = 4, shownStride = 4): void {
    for (let a = 0, b = 0; a < original.length; a += stride, b += shownStride) {
      let largest = 0;
      let brightest = 0;
      for (let c = 0; c < 3; c++) {
        const error = Math.abs(original[a + c] - shown[b + c]);
        this.squares += error * error;
        if (error > largest) largest = error;
        if (original[a + c] > brightest) brightest = original[a + c];
      }
      this.values += 3;
      if (largest > this.worst) this.worst = largest;
      if (brightest > DARK) this.living[largest]++;
    }
  }

  /** PSNR over all places, dB; errors of 255 of living places. */
  get figures() {
    const living = this.living.reduce((sum, places) => sum + places, 0);
    let beyond = 0;
    let p999 = 255;
    for (; p999 > 0; p999--) {
      beyond += this.living[p999];
      if (beyond > living / 1000) break;
    }
    const psnr = 10 * Math.log10(255 ** 2 / (this.squares / this.values));
    return { psnr: rounded(psnr), p999, worst: this.worst };
  }
}
