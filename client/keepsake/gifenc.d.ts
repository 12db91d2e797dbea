/** Types for the parts of gifenc that are used here. The package contains no types. */
declare module 'gifenc' {
  /** Red, green and blue of each colour, 0 to 255. */
  export type Palette = [number, number, number][];

  /** @param rgba must not be a view of a larger buffer, because gifenc reads the whole ArrayBuffer */
  export function quantize(rgba: Uint8ClampedArray, maxColors: number): Palette;

  /** @returns for each pixel, the index of the nearest colour */
  export function applyPalette(rgba: Uint8ClampedArray, palette: Palette): Uint8Array;

  export function GIFEncoder(): {
    /** @param options `palette`: global palette, only for the first frame; `delay`: in ms */
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
