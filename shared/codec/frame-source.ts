/**
 * Keeps the cells as viewers with one scale and tier have them, and the blocks that update these
 * cells. Each delta increases its chunk's version by one. A viewer that has missed too many deltas
 * needs a key, which contains the whole chunk.
 */
import type { Rect } from '../geometry.ts';
import { BlockReader, BlockWriter } from './block.ts';
import {
  type Cells,
  chunkCount,
  chunkRect,
  chunksWithin,
  type Planes,
  putCells,
  sumOf,
  takeCells,
} from './chunks.ts';
import { type FrameBlock, FrameError } from './frame.ts';

/**
 * Number of low bits of each colour value that coarse keys omit. Without these bits, a viewer's
 * first picture arrives sooner.
 */
export const COARSE_SHIFT = 3;

/** Number of recent deltas stored per chunk for viewers that have missed some. */
const KEPT_DELTAS = 12;

/** Maximum number of results that `within` caches. */
const MAX_LISTS = 1_000;

export class FrameSource {
  /** The cells as viewers have them after they have received all deltas. */
  readonly seen: Planes;
  /** The bytes of `versions` and `seen`, in the format of `copy`. */
  protected readonly state: Uint8Array;
  protected readonly versions: Uint32Array;
  protected readonly writer = new BlockWriter();
  /** Number of the current round. A round is the set of deltas encoded in one tick. */
  round = 0;
  private deltas = new Map<number, Uint8Array>();
  /** Up to `KEPT_DELTAS` recent deltas of each chunk, oldest first. */
  private readonly deltaHistory = new Map<
    number,
    readonly { readonly version: number; readonly value: Uint8Array }[]
  >();
  /** Results of `cached`, by result name and chunk index. */
  private readonly cache = new Map<string, { readonly version: number; readonly value: unknown }>();
  private readonly lists = new Map<string, readonly number[]>();

  /**
   * @param size number of streamed cells in each direction
   * @param scale each streamed cell covers `scale`×`scale` cells of the room. 0 for the empty
   *   placeholder of a viewer that has no real source yet
   */
  constructor(
    { width, height }: Pick<Planes, 'width' | 'height'>,
    readonly scale: number,
  ) {
    const cells = width * height;
    const chunks = chunkCount({ width, height });
    this.state = new Uint8Array(4 * (chunks + 2 * cells));
    const { buffer } = this.state;
    this.versions = new Uint32Array(buffer, 0, chunks).fill(1);
    const rgba = new Uint8Array(buffer, 4 * chunks, 4 * cells);
    const owner = new Uint32Array(buffer, 4 * (chunks + cells), cells);
    this.seen = { width, height, rgba, owner };
  }

  get chunks(): number {
    return this.versions.length;
  }

  /**
   * Returns the indices of the chunks that a rectangle touches. Calls with the same result return
   * the same array, as long as it is cached.
   */
  within(rect: Rect): readonly number[] {
    const chunks = chunksWithin(this.seen, rect);
    const key = `${chunks[0]} ${chunks[chunks.length - 1]}`;
    const known = this.lists.get(key);
    if (known) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    this.lists.set(key, chunks);
    return chunks;
  }

  /** Returns a chunk's version, which begins at 1 and never decreases. */
  version(chunk: number): number {
    return this.versions[chunk];
  }

  /** Indices of the chunks that have a delta in the current round. */
  get changed(): Iterable<number> {
    return this.deltas.keys();
  }

  /** Returns a chunk's delta in the current round; undefined if there is none. */
  delta(chunk: number): Uint8Array | undefined {
    return this.deltas.get(chunk);
  }

  /**
   * Returns the deltas from an earlier version of a chunk to the current one, oldest first;
   * undefined if some of these deltas are no longer stored.
   */
  since(chunk: number, version: number): readonly Uint8Array[] | undefined {
    const deltas = this.deltaHistory.get(chunk)?.filter((delta) => delta.version > version);
    return deltas?.length === this.versions[chunk] - version
      ? deltas.map(({ value }) => value)
      : undefined;
  }

  /** Returns a block that contains the whole chunk. */
  key(chunk: number): Uint8Array {
    return this.cached('key', chunk, (cells) => this.writer.key(cells));
  }

  /** Returns a block that contains the whole chunk, without the low bits of its colours. */
  coarseKey(chunk: number): Uint8Array {
    return this.cached('coarse', chunk, (cells) => this.writer.coarse(cells, COARSE_SHIFT));
  }

  /** Returns a block with the low bits that `coarseKey` omits. */
  refinement(chunk: number): Uint8Array {
    return this.cached('refinement', chunk, (cells) => this.writer.refinement(cells, COARSE_SHIFT));
  }

  /** Returns the checksum (`sumOf`) of a chunk's cells as viewers have them. */
  check(chunk: number): number {
    return this.cached('check', chunk, sumOf);
  }

  /** Returns a copy of a chunk's cells as viewers have them. */
  cells(chunk: number): Cells {
    return takeCells(this.seen, chunkRect(this.seen, chunk));
  }

  /**
   * Returns a copy of the state: a version per chunk (u32), an RGBA colour per cell, and an owner
   * per cell (u32).
   */
  copy(): Uint8Array {
    return this.state.slice();
  }

  /** Begins a new round, without the deltas of the previous round. */
  protected beginRound(round = this.round + 1): void {
    this.round = round;
    this.deltas = new Map();
  }

  /** Adds a delta to the current round, and increases the chunk's version. */
  protected addDelta(chunk: number, value: Uint8Array): void {
    const version = ++this.versions[chunk];
    this.deltas.set(chunk, value);
    const history = this.deltaHistory.get(chunk) ?? [];
    this.deltaHistory.set(chunk, [...history.slice(1 - KEPT_DELTAS), { version, value }]);
  }

  private cached<T>(name: string, chunk: number, compute: (cells: Cells) => T): T {
    const version = this.versions[chunk];
    const known = this.cache.get(`${name} ${chunk}`);
    if (known?.version === version) return known.value as T;
    const value = compute(this.cells(chunk));
    this.cache.set(`${name} ${chunk}`, { version, value });
    return value;
  }
}

export class FrameMirror extends FrameSource {
  private readonly reader = new BlockReader();

  /**
   * Replaces all cells and versions with those of an encoder.
   *
   * @param bytes the result of the encoder's `copy`
   * @throws FrameError 'truncated' if `bytes` does not have the expected length
   */
  restore(bytes: Uint8Array): void {
    if (bytes.length !== this.state.length) throw new FrameError('truncated');
    this.state.set(bytes);
    // Skip a round number. Otherwise, a viewer that has received the previous round would be sent
    // only the next round's deltas, and would never get the cells replaced here.
    this.beginRound(this.round + 2);
  }

  /**
   * Applies the deltas of a round in order. If a delta cannot be applied, the deltas before it stay
   * applied.
   *
   * @param deltas `version`: the chunk's version after the delta
   * @throws FrameError 'chunks' if an earlier delta of the chunk is missing; 'block' or 'check' if
   *   a delta is malformed or does not fit the chunk's cells
   */
  apply(deltas: readonly (FrameBlock & { readonly version: number })[]): void {
    this.beginRound();
    for (const { chunk, version, block } of deltas) {
      if (version !== this.version(chunk) + 1) throw new FrameError('chunks');
      const after = this.reader.read(block, this.cells(chunk));
      putCells(this.seen, chunkRect(this.seen, chunk), after);
      this.addDelta(chunk, block.slice());
    }
  }
}
