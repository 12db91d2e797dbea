/**
 * One stream of a room, at one tier: what its viewers hold of each chunk, and the blocks that take them on. A chunk has a
 * version, which grows by one with each delta; who has not got the one before needs a key.
 */
import { DEFAULTS } from '../defaults.ts';
import type { Rect } from '../geometry.ts';
import { BlockWriter } from './block.ts';
import { MARKS } from './cell-model.ts';
import { type Cells, checkOf, createCells, takeCells, wordsOf } from './cells.ts';
import { chunkRect, chunksWithin } from './chunks.ts';
import { createPlanes, type Planes } from './planes.ts';
import type { Tier } from './tiers.ts';
import type { View } from './view.ts';

/** A chunk, while its delta is made. */
interface Draft {
  /** What viewers hold. */
  readonly before: Cells;
  /** What they shall hold. */
  readonly after: Cells;
  /** [cells] of `MARKS`: what is told, and of that what has come to rest, and must be told to the last bit. */
  readonly marks: Uint8Array;
}

const createDraft = (size: { width: number; height: number }): Draft => ({
  before: createCells(size),
  after: createCells(size),
  marks: new Uint8Array(size.width * size.height),
});

/** Looked up once: where globals live in a sandbox, each look costs more than the sum. */
const { abs } = Math;

/** More looks than that are not worth remembering. */
const MAX_LISTS = 1_000;

/** A block and the version it was made for. */
interface Kept {
  readonly version: number;
  readonly block: Uint8Array;
}

export class FrameEncoder {
  /** What viewers who are in step hold. */
  readonly seen: Planes;
  /** Colours as one number each: of the view, and of what viewers hold. */
  private readonly live: Uint32Array;
  private readonly shown: Uint32Array;
  private readonly versions: Uint32Array;
  /** Chunks in which `seen` may differ from the view. */
  private readonly pending = new Set<number>();
  /** Times that it was brought to a tick. */
  round = 0;
  private deltas = new Map<number, Uint8Array>();
  /** The last deltas of each chunk, oldest first. */
  private readonly past = new Map<number, Kept[]>();
  private readonly keys = new Map<number, Kept>();
  private readonly coarse = new Map<number, Kept>();
  private readonly refinements = new Map<number, Kept>();
  private readonly lists = new Map<string, readonly number[]>();
  private readonly checks = new Map<number, { readonly version: number; readonly check: number }>();
  private readonly writer = new BlockWriter();
  private drafted = createDraft({ width: 0, height: 0 });

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

  /** The chunks that a rectangle lies in; equal ones are the same list. */
  within(rect: Rect): readonly number[] {
    const chunks = chunksWithin(this.seen, rect);
    const key = `${chunks[0]} ${chunks[chunks.length - 1]}`;
    const known = this.lists.get(key);
    if (known) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    this.lists.set(key, chunks);
    return chunks;
  }

  /** 1…; never goes back. */
  version(chunk: number): number {
    return this.versions[chunk];
  }

  /** A chunk of the view has changed. */
  touch(chunk: number): void {
    this.pending.add(chunk);
  }

  /**
   * Brings what viewers hold to a tick.
   *
   * @param wanted whether anybody looks at a chunk; others wait, at no cost
   */
  advance(tick: number, wanted: (chunk: number) => boolean): void {
    this.round++;
    this.deltas = new Map();
    for (const chunk of this.pending) if (wanted(chunk)) this.step(tick, chunk);
  }

  /** From the version before to the present one, if that came with the last advance. */
  delta(chunk: number): Uint8Array | undefined {
    return this.deltas.get(chunk);
  }

  /** The deltas that lead from a version to the present one, or undefined when they are not all kept. */
  since(chunk: number, version: number): readonly Uint8Array[] | undefined {
    const kept = this.past.get(chunk)?.filter((delta) => delta.version > version);
    return kept?.length === this.versions[chunk] - version
      ? kept.map(({ block }) => block)
      : undefined;
  }

  /** All of the chunk. */
  key(chunk: number): Uint8Array {
    return this.kept(this.keys, chunk, (cells) => this.writer.key(cells));
  }

  /** All of the chunk, without the lowest bits of its colours. */
  coarseKey(chunk: number): Uint8Array {
    return this.kept(this.coarse, chunk, (cells) =>
      this.writer.coarse(cells, DEFAULTS.codec.coarseShift),
    );
  }

  /** Makes the coarse key of the present version exact. */
  refinement(chunk: number): Uint8Array {
    return this.kept(this.refinements, chunk, (cells) =>
      this.writer.refinement(cells, DEFAULTS.codec.coarseShift),
    );
  }

  /** Of what viewers hold of a chunk. */
  check(chunk: number): number {
    const version = this.versions[chunk];
    let kept = this.checks.get(chunk);
    if (kept?.version !== version) {
      kept = { version, check: checkOf(this.cells(chunk)) };
      this.checks.set(chunk, kept);
    }
    return kept.check;
  }

  /** What viewers hold of a chunk. */
  cells(chunk: number): Cells {
    return takeCells(this.seen, chunkRect(this.seen, chunk));
  }

  private kept(store: Map<number, Kept>, chunk: number, make: (cells: Cells) => Uint8Array) {
    const version = this.versions[chunk];
    let kept = store.get(chunk);
    if (kept?.version !== version) {
      kept = { version, block: make(this.cells(chunk)) };
      store.set(chunk, kept);
    }
    return kept.block;
  }

  private step(tick: number, chunk: number): void {
    const { tier, seen } = this;
    const rect = chunkRect(seen, chunk);
    const draft = this.draft(rect);
    const { told, held } = this.compare(tick, rect, draft);
    let left = held;
    if (told > 0) {
      const block = this.writer.delta(draft.before, draft.after, tier.step, draft.marks);
      const version = ++this.versions[chunk];
      this.deltas.set(chunk, block);
      const past = this.past.get(chunk) ?? [];
      this.past.set(chunk, [...past.slice(1 - DEFAULTS.codec.keptDeltas), { version, block }]);
      left += this.settle(rect, draft);
    }
    if (left === 0) this.pending.delete(chunk);
  }

  /** Chunks are worked on one after the other, and most are of one size: what is made for one serves the next. */
  private draft({ width, height }: Rect): Draft {
    const { before } = this.drafted;
    if (before.width !== width || before.height !== height) {
      this.drafted = createDraft({ width, height });
    }
    return this.drafted;
  }

  /** Drafts what a chunk is to become: cells that are to be told as they are, others as they were, to be told later. */
  private compare(tick: number, rect: Rect, draft: Draft): { told: number; held: number } {
    const { view, tier, seen, live, shown } = this;
    const { planes, changedAt } = view;
    const { before, after, marks } = draft;
    const [was, becomes] = [wordsOf(before), wordsOf(after)];
    let told = 0;
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
          marks[cell] = rests ? MARKS.exact : MARKS.told;
          told++;
        } else held++;
      }
    }
    return { told, held };
  }

  /** Viewers hold what was told of a chunk. @returns cells of which a step has left something over */
  private settle({ x, y, width, height }: Rect, { after, marks }: Draft): number {
    const { seen, live, shown } = this;
    const becomes = wordsOf(after);
    let left = 0;
    for (let j = 0, cell = 0; j < height; j++) {
      let place = (y + j) * seen.width + x;
      for (let i = 0; i < width; i++, cell++, place++) {
        if (marks[cell] === MARKS.same) continue;
        seen.owner[place] = after.owner[cell];
        shown[place] = becomes[cell];
        if (shown[place] !== live[place]) left++;
      }
    }
    return left;
  }
}

/** Of two colours, each four bytes in one number: by how much they differ in the channel in which they do most. */
function largestDifference(a: number, b: number): number {
  let largest = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const difference = abs(((a >>> shift) & 0xff) - ((b >>> shift) & 0xff));
    if (difference > largest) largest = difference;
  }
  return largest;
}
