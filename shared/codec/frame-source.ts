/**
 * The cells that viewers hold at one scale and tier, and the blocks that update them. A chunk's
 * version grows by one with each delta. A viewer that has missed too many deltas needs a key. Keys
 * are encoded on request, and cached until the chunk's next version.
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
import { FrameError } from './frame.ts';

/** Number of low bits of colours that a first picture may omit, to arrive sooner. */
export const COARSE_SHIFT = 3;

/** Number of deltas kept per chunk for viewers that missed some. */
const KEPT_DELTAS = 12;

/** Maximum number of rectangles whose chunk lists are cached. */
const MAX_LISTS = 1_000;

export class FrameSource {
  /** The cells that up-to-date viewers hold. */
  readonly seen: Planes;
  /** The buffer behind `versions` and `seen`, in the format of `copy`. */
  protected readonly state: Uint8Array;
  /** [chunks] Version of each chunk. */
  protected readonly versions: Uint32Array;
  protected readonly writer = new BlockWriter();
  /**
   * Sequence number of the latest round of deltas. A new round drops the deltas of the previous
   * one.
   */
  round = 0;
  private deltas = new Map<number, Uint8Array>();
  /** The latest deltas of each chunk, oldest first. */
  private readonly deltaHistory = new Map<
    number,
    readonly { readonly version: number; readonly value: Uint8Array }[]
  >();
  /** What was computed for the current version of a chunk, by name and chunk. */
  private readonly cache = new Map<string, { readonly version: number; readonly value: unknown }>();
  private readonly lists = new Map<string, readonly number[]>();

  /**
   * @param size size in streamed cells
   * @param scale cells of the room per side of a streamed cell; 0 if the source has no content
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
   * Returns the chunks that a rectangle touches. Equal lists are the same array while they are
   * cached.
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

  /** Returns a chunk's version. It begins at 1 and never decreases. */
  version(chunk: number): number {
    return this.versions[chunk];
  }

  /** Chunks with deltas in the latest round. */
  get changed(): Iterable<number> {
    return this.deltas.keys();
  }

  /** Returns the delta to the current version, if the latest round made one. */
  delta(chunk: number): Uint8Array | undefined {
    return this.deltas.get(chunk);
  }

  /** Returns the deltas since a version; undefined if some of them are no longer stored. */
  since(chunk: number, version: number): readonly Uint8Array[] | undefined {
    const deltas = this.deltaHistory.get(chunk)?.filter((delta) => delta.version > version);
    return deltas?.length === this.versions[chunk] - version
      ? deltas.map(({ value }) => value)
      : undefined;
  }

  /** Returns a block that encodes the chunk in full. */
  key(chunk: number): Uint8Array {
    return this.cached('key', chunk, (cells) => this.writer.key(cells));
  }

  /** Returns a block that encodes the chunk in full, without the lowest bits of its colours. */
  coarseKey(chunk: number): Uint8Array {
    return this.cached('coarse', chunk, (cells) => this.writer.coarse(cells, COARSE_SHIFT));
  }

  /** Returns a block with the bits that the coarse key of the current version omits. */
  refinement(chunk: number): Uint8Array {
    return this.cached('refinement', chunk, (cells) => this.writer.refinement(cells, COARSE_SHIFT));
  }

  /** Returns the checksum (`sumOf`) of a chunk's cells as viewers hold them. */
  check(chunk: number): number {
    return this.cached('check', chunk, sumOf);
  }

  /** Copies a chunk's cells as viewers hold them. */
  cells(chunk: number): Cells {
    return takeCells(this.seen, chunkRect(this.seen, chunk));
  }

  /** Copies the whole state that viewers hold: versions (u32 each), colours, owners (u32 each). */
  copy(): Uint8Array {
    return this.state.slice();
  }

  /** Begins a new round, without deltas so far. */
  protected beginRound(round = this.round + 1): void {
    this.round = round;
    this.deltas = new Map();
  }

  /** Adds a delta to the round, and increases the chunk's version. */
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

/** A delta, and the version that its chunk has after it. */
interface VersionedDelta {
  readonly chunk: number;
  readonly version: number;
  readonly block: Uint8Array;
}

export class FrameMirror extends FrameSource {
  private readonly reader = new BlockReader();

  /**
   * Replaces all cells and versions.
   *
   * @param bytes a current `copy` of the encoder's state
   * @throws FrameError truncated: the copy has another size
   */
  restore(bytes: Uint8Array): void {
    if (bytes.length !== this.state.length) throw new FrameError('truncated');
    this.state.set(bytes);
    // Skip a round number, so that no viewer seems to lack only the deltas of the new round.
    this.beginRound(this.round + 2);
  }

  /**
   * Applies the deltas of a round. If one cannot be applied, the deltas before it stay applied.
   *
   * @param deltas their blocks are copied
   * @throws FrameError chunks: an earlier delta was missed; block, check: the delta does not fit
   *   the chunk's cells
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
