/**
 * Types for the parts of the package gifenc that are used here. The package has no types of its
 * own.
 */
declare module 'gifenc' {
  /** Red, green and blue of each colour, 0 to 255. */
  export type Palette = [number, number, number][];

  /** @param rgba must cover its whole ArrayBuffer, because gifenc reads the whole ArrayBuffer */
  export function quantize(rgba: Uint8ClampedArray, maxColors: number): Palette;

  /** @returns for each pixel, the index of the nearest colour */
  export function applyPalette(rgba: Uint8ClampedArray, palette: Palette): Uint8Array;

  export function GIFEncoder(): {
    /**
     * @param options `palette`: the palette of the whole file, passed only with the first frame;
     *   `delay`: how long to show the frame, in ms
     */
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
