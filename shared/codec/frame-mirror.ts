/** Follows an encoder elsewhere, from a copy of what it holds and its deltas since. */
import { BlockReader } from './block.ts';
import { putCells } from './cells.ts';
import { chunkRect } from './chunks.ts';
import { FrameError } from './frame.ts';
import { FrameSource } from './frame-source.ts';

/** A delta, and the version of its chunk that it leads to. */
export interface VersionedDelta {
  readonly chunk: number;
  readonly version: number;
  readonly block: Uint8Array;
}

export class FrameMirror extends FrameSource {
  private readonly reader = new BlockReader();

  /**
   * Takes over all cells and versions, from `copy` of the encoder at any later moment.
   *
   * @throws FrameError truncated: it is of another size
   */
  restore(bytes: Uint8Array): void {
    const { versions, seen } = this;
    const parts = [versions, seen.rgba, seen.owner];
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes.length !== length) throw new FrameError('truncated');
    let at = 0;
    for (const { buffer, byteOffset, byteLength } of parts) {
      new Uint8Array(buffer, byteOffset, byteLength).set(bytes.subarray(at, at + byteLength));
      at += byteLength;
    }
    // Nobody may count as holding all but the deltas of this round.
    this.beginRound(this.round + 2);
  }

  /**
   * Applies the deltas of a round. Those before one that cannot be applied count.
   *
   * @param deltas blocks are copied
   * @throws FrameError chunks: one has been missed; block, check: it is of something else
   */
  apply(deltas: readonly VersionedDelta[]): void {
    this.beginRound();
    for (const { chunk, version, block } of deltas) {
      if (version !== this.version(chunk) + 1) throw new FrameError('chunks');
      const after = this.reader.read(block, this.cells(chunk));
      putCells(this.seen, chunkRect(this.seen, chunk), after);
      this.addDelta(chunk, block.slice());
    }
  }
}
