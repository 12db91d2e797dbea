/**
 * Encodes a room at one scale and tier: the state that viewers hold of each chunk, and the blocks
 * that update it. A chunk's version grows by one with each delta; a viewer that missed one needs a
 * key.
 */

import type { Rect } from '../geometry.ts';
import { PAGE_DEFAULTS } from '../page-defaults.ts';
import { BlockWriter } from './block.ts';
import { type Cells, checkOf, createCells, takeCells, wordsOf } from './cells.ts';
import { chunkRect, chunksWithin } from './chunks.ts';
import { MARKS } from './delta-model.ts';
import { createPlanes, type Planes } from './planes.ts';
import type { Tier } from './tiers.ts';
import type { View } from './view.ts';

/** Working memory for the delta of one chunk. */
type Draft = ReturnType<typeof createDraft>;

const createDraft = (size: { width: number; height: number }) => ({
  /** What viewers hold. */
  before: createCells(size),
  /** What they are to hold. */
  after: createCells(size),
  /**
   * [cells] of `MARKS`: changing cells are coded in steps, those that have come to rest exactly.
   */
  marks: new Uint8Array(size.width * size.height),
});

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs } = Math;

/** Rectangles whose chunk lists are cached. */
const MAX_LISTS = 1_000;

/** A value and the chunk version it was made for. */
interface Versioned<T> {
  readonly version: number;
  readonly value: T;
}
type VersionedBlocks = Map<number, Versioned<Uint8Array>>;

/**
 * See the top of the file. Blocks are encoded on request and cached until the chunk's next version.
 */
export class FrameEncoder {
  /** What viewers that are up to date hold. */
  readonly seen: Planes;
  /** Colours of the view, one number each. */
  private readonly live: Uint32Array;
  /** Colours of `seen`, one number each. */
  private readonly shown: Uint32Array;
  private readonly versions: Uint32Array;
  /** Chunks in which `seen` may differ from the view. */
  private readonly pending = new Set<number>();
  /** Number of calls of `advance`. */
  round = 0;
  private deltas = new Map<number, Uint8Array>();
  /** The latest deltas of each chunk, oldest first. */
  private readonly deltaHistory = new Map<number, Versioned<Uint8Array>[]>();
  private readonly keys: VersionedBlocks = new Map();
  private readonly coarseKeys: VersionedBlocks = new Map();
  private readonly refinements: VersionedBlocks = new Map();
  private readonly lists = new Map<string, readonly number[]>();
  private readonly checks = new Map<number, Versioned<number>>();
  private readonly writer = new BlockWriter();
  private draft = createDraft({ width: 0, height: 0 });

  constructor(
    readonly view: View,
    readonly tier: Tier,
  ) {
    const { planes } = view;
    this.seen = createPlanes(planes.width, planes.height);
    this.seen.rgba.set(planes.rgba);
    this.seen.owner.set(planes.owner);
    this.live = wordsOf(planes);
    this.shown = wordsOf(this.seen);
    this.versions = new Uint32Array(view.chunks).fill(1);
  }

  get chunks(): number {
    return this.versions.length;
  }

  /** The chunks that a rectangle touches. Equal lists are the same object while cached. */
  within(rect: Rect): readonly number[] {
    const chunks = chunksWithin(this.seen, rect);
    const key = `${chunks[0]} ${chunks[chunks.length - 1]}`;
    const known = this.lists.get(key);
    if (known) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    this.lists.set(key, chunks);
    return chunks;
  }

  /** A chunk's version, from 1; never decreases. */
  version(chunk: number): number {
    return this.versions[chunk];
  }

  /** Reports that a chunk of the view has changed. */
  touch(chunk: number): void {
    this.pending.add(chunk);
  }

  /**
   * Encodes the deltas of a tick.
   *
   * @param wanted whether a chunk has viewers; others are not encoded until they have
   */
  advance(tick: number, wanted: (chunk: number) => boolean): void {
    this.round++;
    this.deltas = new Map();
    for (const chunk of this.pending) if (wanted(chunk)) this.step(tick, chunk);
  }

  /** The delta to the current version, if the last `advance` made one. */
  delta(chunk: number): Uint8Array | undefined {
    return this.deltas.get(chunk);
  }

  /** The deltas from a version to the current one; undefined if they are no longer all stored. */
  since(chunk: number, version: number): readonly Uint8Array[] | undefined {
    const deltas = this.deltaHistory.get(chunk)?.filter((delta) => delta.version > version);
    return deltas?.length === this.versions[chunk] - version
      ? deltas.map(({ value }) => value)
      : undefined;
  }

  /** The chunk in full. */
  key(chunk: number): Uint8Array {
    return this.cached(this.keys, chunk, (cells) => this.writer.key(cells));
  }

  /** The chunk in full, without the lowest bits of its colours. */
  coarseKey(chunk: number): Uint8Array {
    return this.cached(this.coarseKeys, chunk, (cells) =>
      this.writer.coarse(cells, PAGE_DEFAULTS.codec.coarseShift),
    );
  }

  /** The bits that the coarse key of the current version omits. */
  refinement(chunk: number): Uint8Array {
    return this.cached(this.refinements, chunk, (cells) =>
      this.writer.refinement(cells, PAGE_DEFAULTS.codec.coarseShift),
    );
  }

  /** Checksum of what viewers hold of a chunk. */
  check(chunk: number): number {
    return this.cached(this.checks, chunk, checkOf);
  }

  /** What viewers hold of a chunk. */
  cells(chunk: number): Cells {
    return takeCells(this.seen, chunkRect(this.seen, chunk));
  }

  private cached<T>(cache: Map<number, Versioned<T>>, chunk: number, make: (cells: Cells) => T): T {
    const version = this.versions[chunk];
    let entry = cache.get(chunk);
    if (entry?.version !== version) {
      entry = { version, value: make(this.cells(chunk)) };
      cache.set(chunk, entry);
    }
    return entry.value;
  }

  private step(tick: number, chunk: number): void {
    const { tier, seen } = this;
    const rect = chunkRect(seen, chunk);
    const draft = this.draftFor(rect);
    const { coded, held } = this.compare(tick, rect, draft);
    let inexact = held;
    if (coded > 0) {
      const value = this.writer.delta(draft.before, draft.after, tier.step, draft.marks);
      const version = ++this.versions[chunk];
      this.deltas.set(chunk, value);
      const history = this.deltaHistory.get(chunk) ?? [];
      this.deltaHistory.set(chunk, [
        ...history.slice(1 - PAGE_DEFAULTS.codec.keptDeltas),
        { version, value },
      ]);
      inexact += this.commit(rect, draft);
    }
    if (inexact === 0) this.pending.delete(chunk);
  }

  /** The draft is reused: chunks are encoded one after another, and most have the same size. */
  private draftFor({ width, height }: Rect): Draft {
    const { before } = this.draft;
    if (before.width !== width || before.height !== height) {
      this.draft = createDraft({ width, height });
    }
    return this.draft;
  }

  /**
   * Fills the draft: cells to code with their new values, those held back for now with their old.
   */
  private compare(tick: number, rect: Rect, draft: Draft): { coded: number; held: number } {
    const { view, tier, seen, live, shown } = this;
    const { planes, changedAt } = view;
    const { before, after, marks } = draft;
    const [was, becomes] = [wordsOf(before), wordsOf(after)];
    let coded = 0;
    let held = 0;
    for (let y = 0, cell = 0; y < rect.height; y++) {
      let place = (rect.y + y) * planes.width + rect.x;
      for (let x = 0; x < rect.width; x++, cell++, place++) {
        const colour = shown[place];
        const owner = seen.owner[place];
        was[cell] = becomes[cell] = colour;
        before.owner[cell] = after.owner[cell] = owner;
        marks[cell] = MARKS.same;
        const moved = owner !== planes.owner[place];
        if (!moved && colour === live[place]) continue;
        const rests = tick - changedAt[place] >= tier.rest;
        if (moved || rests || largestDifference(colour, live[place]) > tier.hold) {
          after.owner[cell] = planes.owner[place];
          becomes[cell] = live[place];
          marks[cell] = rests ? MARKS.exact : MARKS.coded;
          coded++;
        } else held++;
      }
    }
    return { coded, held };
  }

  /** Writes the coded cells to `seen`. @returns how many of them quantization has left inexact */
  private commit({ x, y, width, height }: Rect, { after, marks }: Draft): number {
    const { seen, live, shown } = this;
    const becomes = wordsOf(after);
    let inexact = 0;
    for (let j = 0, cell = 0; j < height; j++) {
      let place = (y + j) * seen.width + x;
      for (let i = 0; i < width; i++, cell++, place++) {
        if (marks[cell] === MARKS.same) continue;
        seen.owner[place] = after.owner[cell];
        shown[place] = becomes[cell];
        if (shown[place] !== live[place]) inexact++;
      }
    }
    return inexact;
  }
}

/** The largest difference of a channel between two colours of four bytes each, 0…255. */
function largestDifference(a: number, b: number): number {
  let largest = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const difference = abs(((a >>> shift) & 0xff) - ((b >>> shift) & 0xff));
    if (difference > largest) largest = difference;
  }
  return largest;
}
