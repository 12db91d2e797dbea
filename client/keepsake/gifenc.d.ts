/** Types for the parts of gifenc that we use; the package ships none. */
declare module 'gifenc' {
  /** Red, green and blue of each colour. */
  export type Palette = [number, number, number][];

  /** @param rgba must span its whole buffer: gifenc reads the underlying ArrayBuffer */
  export function quantize(rgba: Uint8ClampedArray, maxColors: number): Palette;

  /** @returns the index of the nearest colour for each pixel */
  export function applyPalette(rgba: Uint8ClampedArray, palette: Palette): Uint8Array;

  export function GIFEncoder(): {
    /** @param options `palette`: global, passed with the first frame; `delay`: in ms */
    writeFrame(
      pixels: Uint8Array,
      width: number,
      height: number,
      options: { palette?: Palette; delay?: number },
    ): void;
    finish(): void;
    readonly stream: {
      writeByte(byte: number): void;
      writeBytes(bytes: readonly number[]): void;
    };
    bytes(): Uint8Array<ArrayBuffer>;
  };
}
