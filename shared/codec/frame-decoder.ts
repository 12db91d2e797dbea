/**
 * Decodes frames into planes (the colours and owners of cells). If a chunk cannot be decoded, its
 * earlier cells stay.
 */
import type { Rect } from '../geometry.ts';
import { BlockReader, readBlockHeader } from './block.ts';
import {
  chunkCount,
  chunkRect,
  createPlanes,
  type Planes,
  putCells,
  sumOf,
  takeCells,
} from './chunks.ts';
import { FrameError, readBlocks, readHeader } from './frame.ts';

export class FrameDecoder {
  private readonly reader = new BlockReader();
  /**
   * The streamed cells if frames have a scale above 1. At scale 1, undefined, because `planes` then
   * contains the streamed cells.
   */
  private scaled: { readonly scale: number; readonly planes: Planes } | undefined;

  /** @param planes planes of the room, which `decode` updates */
  constructor(readonly planes: Planes) {}

  /**
   * Decodes a frame.
   *
   * @returns `header`: the frame's header; `changed`: rectangles of room cells that have changed;
   *   `replaced`: the rectangles in `changed` whose cells were not sent as a delta; `lost`: chunks
   *   that could not be decoded
   * @throws FrameError if the whole frame is malformed; the planes then stay unchanged
   */
  decode(frame: Uint8Array) {
    const header = readHeader(frame);
    const cells = this.cellsAt(header.scale);
    const blocks = readBlocks(frame, chunkCount(cells));
    this.scaled = header.scale === 1 ? undefined : { scale: header.scale, planes: cells };
    const changed: Rect[] = [];
    const replaced: Rect[] = [];
    // Chunks that could not be decoded. The server must send them again in full.
    const lost: number[] = [];
    for (const { chunk, block } of blocks) {
      const rect = chunkRect(cells, chunk);
      try {
        const after = this.reader.read(block, takeCells(cells, rect));
        putCells(cells, rect, after);
        if (header.scale > 1) putCells(this.planes, rect, after, header.scale);
        const places = this.placesOf(rect, header.scale);
        changed.push(places);
        if (readBlockHeader(block).kind !== 'delta') replaced.push(places);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        lost.push(chunk);
      }
    }
    return { header, changed, replaced, lost };
  }

  /**
   * Computes a checksum of each chunk. The server need not send chunks whose checksums show that
   * they are up to date.
   *
   * @returns [chunks] 32-bit little-endian checksums; undefined if the last frame had a scale
   *   above 1
   */
  holds(): Uint8Array<ArrayBuffer> | undefined {
    if (this.scaled) return undefined;
    const sums = Array.from({ length: chunkCount(this.planes) }, (_, chunk) =>
      sumOf(takeCells(this.planes, chunkRect(this.planes, chunk))),
    );
    return Uint8Array.from(sums.flatMap((sum) => [sum, sum >>> 8, sum >>> 16, sum >>> 24]));
  }

  private cellsAt(scale: number): Planes {
    if (scale === 1) return this.planes;
    if (this.scaled?.scale === scale) return this.scaled.planes;
    const { width, height } = this.planes;
    return createPlanes(Math.ceil(width / scale), Math.ceil(height / scale));
  }

  private placesOf({ x, y, width, height }: Rect, scale: number): Rect {
    return {
      x: x * scale,
      y: y * scale,
      width: Math.min(this.planes.width - x * scale, width * scale),
      height: Math.min(this.planes.height - y * scale, height * scale),
    };
  }
}
