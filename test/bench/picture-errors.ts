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
   * @param original [places, 4] RGBA
   * @param shown the same
   */
  see(original: Uint8Array, shown: Uint8Array): void {
    for (let at = 0; at < original.length; at += 4) {
      let largest = 0;
      let brightest = 0;
      for (let c = 0; c < 3; c++) {
        const error = Math.abs(original[at + c] - shown[at + c]);
        this.squares += error * error;
        largest = Math.max(largest, error);
        brightest = Math.max(brightest, original[at + c]);
      }
      this.values += 3;
      this.worst = Math.max(this.worst, largest);
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
