/** Reads frames into the planes that a page draws. Never trusts a length it has not checked; what fails its check is left as it was. */
import type { Rect } from '../geometry.ts';
import { BlockReader, readBlockHeader } from './block.ts';
import { checkOf, putCells, takeCells } from './cells.ts';
import { chunkCount, chunkRect } from './chunks.ts';
import { FrameError, type FrameHeader, readBlocks, readHeader } from './frame.ts';
import { createPlanes, type Planes } from './planes.ts';

export interface DecodedFrame {
  readonly header: FrameHeader;
  /** What has changed of the planes. */
  readonly changed: readonly Rect[];
  /** Those of them that were told anew, whatever was there before. */
  readonly replaced: readonly Rect[];
  /** Chunks, at the frame's scale, that are out of step: they need a key. */
  readonly lost: readonly number[];
}

export class FrameDecoder {
  private readonly reader = new BlockReader();
  /** Cells of the last frame's scale, where that is not one of places. */
  private small: { readonly scale: number; readonly planes: Planes } | undefined;

  /** @param planes are drawn on */
  constructor(readonly planes: Planes) {}

  /** @throws FrameError when it is no frame at all; the planes are then as they were */
  decode(frame: Uint8Array): DecodedFrame {
    const header = readHeader(frame);
    const cells = this.cellsAt(header.scale);
    const blocks = readBlocks(frame, chunkCount(cells));
    const changed: Rect[] = [];
    const anew: Rect[] = [];
    const lost: number[] = [];
    for (const { chunk, block } of blocks) {
      const rect = chunkRect(cells, chunk);
      try {
        const after = this.reader.read(block, takeCells(cells, rect));
        putCells(cells, rect, after);
        if (header.scale > 1) putCells(this.planes, rect, after, header.scale);
        const places = this.placesOf(rect, header.scale);
        changed.push(places);
        if (readBlockHeader(block).kind !== 'delta') anew.push(places);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        lost.push(chunk);
      }
    }
    return { header, changed, replaced: anew, lost };
  }

  /**
   * What the planes hold, for a server that may know it: the check of each chunk, two bytes each, lowest first. Absent: they show
   * less than their own scale.
   */
  holds(): Uint8Array<ArrayBuffer> | undefined {
    if (this.small) return undefined;
    const checks = Array.from({ length: chunkCount(this.planes) }, (_, chunk) =>
      checkOf(takeCells(this.planes, chunkRect(this.planes, chunk))),
    );
    return Uint8Array.from(checks.flatMap((check) => [check & 0xff, check >>> 8]));
  }

  private cellsAt(scale: number): Planes {
    if (scale === 1) {
      this.small = undefined;
      return this.planes;
    }
    if (this.small?.scale !== scale) {
      const [width, height] = [this.planes.width, this.planes.height].map((n) =>
        Math.ceil(n / scale),
      );
      this.small = { scale, planes: createPlanes(width, height) };
    }
    return this.small.planes;
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
