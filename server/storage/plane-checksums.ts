/** Checksums of the planes, which verify a replay. */
import { crc32 } from 'node:zlib';
import { chunkColumns, chunkCount, chunkRect } from '../../shared/codec/chunks.ts';
import type { Planes } from '../../shared/codec/planes.ts';

/** CRC-32 of the colours and owners. */
export function checksumOf({ rgba, owner }: Planes): number {
  const owners = new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength);
  return crc32(owners, crc32(rgba));
}

/** CRC-32 of the checksums of consecutive ticks. */
export interface EachTick {
  /** First tick. */
  readonly since: number;
  readonly sum: number;
}

const foldOf = (sums: readonly number[]): number =>
  crc32(new Uint8Array(Uint32Array.from(sums).buffer));

/**
 * Computes a checksum of the planes after each tick at low cost: one per row of chunks, recomputed
 * only for rows with a changed chunk.
 */
export class TickSums {
  private readonly bands: number[] = [];
  private first = 0;
  /** After each tick from `first` on. */
  private sums: number[] = [];

  constructor(private readonly planes: Planes) {}

  /** Adds a tick. @param changed at least the chunks that have changed */
  ticked(tick: number, changed: readonly number[]): void {
    if (tick !== this.first + this.sums.length) this.restart(tick);
    const columns = chunkColumns(this.planes);
    const rows = chunkCount(this.planes) / columns;
    const stale = new Set(changed.map((chunk) => Math.floor(chunk / columns)));
    for (let row = 0; row < rows; row++) {
      if (stale.has(row) || this.bands[row] === undefined) this.bands[row] = this.sumOf(row);
    }
    const last = this.sums.at(-1);
    this.sums.push(last === undefined || stale.size > 0 ? foldOf(this.bands) : last);
  }

  /** Whether a checksum of consecutive ticks matches; undefined if some of them were not added. */
  proves({ since, sum }: EachTick): boolean | undefined {
    if (since < this.first || since >= this.first + this.sums.length) return undefined;
    return foldOf(this.sums.slice(since - this.first)) === sum;
  }

  /** Takes the checksum of the ticks added since the last call. */
  take(): EachTick {
    const each = { since: this.first, sum: foldOf(this.sums) };
    this.restart(this.first + this.sums.length);
    return each;
  }

  private restart(first: number): void {
    this.first = first;
    this.sums = [];
  }

  private sumOf(row: number): number {
    const { width, rgba, owner } = this.planes;
    const { y, height } = chunkRect(this.planes, row * chunkColumns(this.planes));
    const [from, to] = [y * width, (y + height) * width];
    const owners = owner.subarray(from, to);
    const bytes = new Uint8Array(owners.buffer, owners.byteOffset, owners.byteLength);
    return crc32(bytes, crc32(rgba.subarray(4 * from, 4 * to)));
  }
}
