/**
 * One stream of a room, at one tier: what its viewers hold of each chunk, and the blocks that take them on. A chunk has a
 * version, which grows by one with each delta; who has not got the one before needs a key.
 */
import { DEFAULTS } from '../defaults.ts';
import type { Rect } from '../geometry.ts';
import { writeCoarse, writeDelta, writeKey, writeRefinement } from './block.ts';
import { type Cells, checkOf, copyCells, putCells, takeCells, wordsOf } from './cells.ts';
import { chunkRect, chunksWithin } from './chunks.ts';
import { createPlanes, type Planes } from './planes.ts';
import type { Tier } from './tiers.ts';
import type { View } from './view.ts';

/** A cell that is to be told: in its chunk, in the planes, and whether it has come to rest. */
interface Told {
  readonly cell: number;
  readonly place: number;
  readonly rests: boolean;
}

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
    const { view, tier, seen } = this;
    const rect = chunkRect(seen, chunk);
    const { told, held } = this.compare(tick, rect);
    let left = held;
    if (told.length > 0) {
      const before = takeCells(seen, rect);
      const after = copyCells(before);
      const shown = wordsOf(after);
      const exact = new Uint8Array(before.owner.length);
      for (const { cell, place, rests } of told) {
        after.owner[cell] = view.planes.owner[place];
        shown[cell] = this.live[place];
        exact[cell] = rests ? 1 : 0;
      }
      const block = writeDelta(before, after, tier.step, exact);
      const version = ++this.versions[chunk];
      this.deltas.set(chunk, block);
      const past = this.past.get(chunk) ?? [];
      this.past.set(chunk, [...past.slice(1 - DEFAULTS.codec.keptDeltas), { version, block }]);
      putCells(seen, rect, after);
      // A step may have left something over.
      for (const { cell, place } of told) left += shown[cell] === this.live[place] ? 0 : 1;
    }
    if (left === 0) this.pending.delete(chunk);
  }

  /** Which cells of a chunk are to be told, and how many are held back for now. */
  private compare(tick: number, rect: Rect): { told: Told[]; held: number } {
    const { view, tier, seen, live, shown } = this;
    const { planes, changedAt } = view;
    const told: Told[] = [];
    let held = 0;
    for (let y = 0; y < rect.height; y++) {
      let place = (rect.y + y) * planes.width + rect.x;
      for (let x = 0; x < rect.width; x++, place++) {
        const moved = seen.owner[place] !== planes.owner[place];
        if (!moved && shown[place] === live[place]) continue;
        const rests = tick - changedAt[place] >= tier.rest;
        if (moved || rests || largestDifference(seen.rgba, planes.rgba, place) > tier.hold) {
          told.push({ cell: y * rect.width + x, place, rests });
        } else held++;
      }
    }
    return { told, held };
  }
}

function largestDifference(a: Uint8Array, b: Uint8Array, place: number): number {
  let largest = 0;
  for (let i = place * 4; i < place * 4 + 4; i++) {
    const difference = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    if (difference > largest) largest = difference;
  }
  return largest;
}
