/**
 * One stream of a room, at one tier: what its viewers hold of each chunk, and the blocks that take them on. A chunk has a
 * version, which grows by one with each delta; who has not got the one before needs a key.
 */
import { DEFAULTS } from '../defaults.ts';
import type { Rect } from '../geometry.ts';
import { writeCoarse, writeDelta, writeKey, writeRefinement } from './block.ts';
import { type Cells, checkOf, copyCells, putCells, takeCells } from './cells.ts';
import { chunkRect, chunksWithin } from './chunks.ts';
import { createPlanes, type Planes } from './planes.ts';
import type { Tier } from './tiers.ts';
import type { View } from './view.ts';

/** More looks than that are not worth remembering. */
const MAX_LISTS = 1_000;

/** A block and the version it was made for. */
interface Kept {
  readonly version: number;
  readonly block: Uint8Array;
}

export class Cast {
  /** What viewers who are in step hold. */
  readonly seen: Planes;
  private readonly versions: Uint32Array;
  /** Chunks in which `seen` may differ from the view. */
  private readonly pending = new Set<number>();
  /** Times that it was brought to a tick. */
  round = 0;
  private deltas = new Map<number, Uint8Array>();
  private readonly keys = new Map<number, Kept>();
  private readonly coarse = new Map<number, Kept>();
  private readonly refinements = new Map<number, Kept>();
  private readonly lists = new Map<string, readonly number[]>();
  private readonly checks = new Map<number, { readonly version: number; readonly check: number }>();

  constructor(
    readonly view: View,
    readonly tier: Tier,
  ) {
    const { planes } = view;
    this.seen = createPlanes(planes.width, planes.height);
    this.seen.rgba.set(planes.rgba);
    this.seen.owner.set(planes.owner);
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

  /** All of the chunk. */
  key(chunk: number): Uint8Array {
    return this.kept(this.keys, chunk, writeKey);
  }

  /** All of the chunk, without the lowest bits of its colours. */
  coarseKey(chunk: number): Uint8Array {
    return this.kept(this.coarse, chunk, (cells) => writeCoarse(cells, DEFAULTS.codec.coarseShift));
  }

  /** Makes the coarse key of the present version exact. */
  refinement(chunk: number): Uint8Array {
    return this.kept(this.refinements, chunk, (cells) =>
      writeRefinement(cells, DEFAULTS.codec.coarseShift),
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
    const { view, tier } = this;
    const rect = chunkRect(this.seen, chunk);
    const before = takeCells(this.seen, rect);
    const now = takeCells(view.planes, rect);
    const after = copyCells(before);
    const exact = new Uint8Array(before.owner.length);
    const [was, is] = [before, now].map(({ rgba }) => new Uint32Array(rgba.buffer));
    const shown = new Uint32Array(after.rgba.buffer);
    let told = 0;
    let left = 0;
    for (let cell = 0; cell < exact.length; cell++) {
      const moved = before.owner[cell] !== now.owner[cell];
      if (!moved && was[cell] === is[cell]) continue;
      const x = cell % rect.width;
      const place = (rect.y + (cell - x) / rect.width) * view.planes.width + rect.x + x;
      const rests = tick - view.changedAt[place] >= tier.rest;
      if (!moved && !rests && largestDifference(before.rgba, now.rgba, cell) <= tier.hold) {
        left++;
        continue;
      }
      after.owner[cell] = now.owner[cell];
      shown[cell] = is[cell];
      exact[cell] = rests ? 1 : 0;
      told++;
    }
    if (told > 0) {
      this.deltas.set(chunk, writeDelta(before, after, tier.step, exact));
      this.versions[chunk]++;
      putCells(this.seen, rect, after);
      // A step may have left something over.
      for (let cell = 0; cell < exact.length; cell++) left += shown[cell] === is[cell] ? 0 : 1;
    }
    if (left === 0) this.pending.delete(chunk);
  }
}

function largestDifference(a: Uint8Array, b: Uint8Array, cell: number): number {
  let largest = 0;
  for (let i = cell * 4; i < cell * 4 + 4; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}
