/**
 * Tracks which chunks of a room are painted in an atlas, and which must be painted. An atlas is a
 * texture divided into slots. Each slot holds one painted chunk.
 */
import type { Planes } from '../../../shared/codec/chunks.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { CHUNK } from '../shaders/paint.ts';

/** The paint of a cell depends on cells up to this distance, in cells. */
const REACH = 2;
/** If a changed chunk has not been repainted for this long, in ms, its paint fades out. */
export const STALE = 200;
/** Duration of fading the paint of a chunk in or out, in ms. */
const FADE = 400;

/** A size in chunks. */
export interface Chunks {
  readonly columns: number;
  readonly rows: number;
}

/**
 * A chunk that must be painted: its position in the room (`column`, `row`) and its slot in the
 * atlas (`slotColumn`, `slotRow`), all counted in chunks.
 */
export interface Job {
  readonly column: number;
  readonly row: number;
  readonly slotColumn: number;
  readonly slotRow: number;
}

/** Returns the chunks that overlap an area of cells, as a rectangle measured in chunks. */
export function chunksIn({ x, y, width, height }: Rect, { columns, rows }: Chunks): Rect {
  const left = Math.max(0, Math.floor(x / CHUNK));
  const top = Math.max(0, Math.floor(y / CHUNK));
  const right = Math.min(columns, Math.ceil((x + width) / CHUNK));
  const bottom = Math.min(rows, Math.ceil((y + height) / CHUNK));
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/** Tracks the painted chunks of one atlas. */
export class PaintPlan {
  readonly room: Chunks;
  /** [rows, columns] Opacity of each chunk's paint, 0…255. */
  readonly shares: Uint8Array<ArrayBuffer>;
  /** For each chunk: time at which the last colour transition of its cells ends, in ms. */
  private readonly until: Float64Array;
  /** For each chunk: time at which its paint last became outdated, in ms. */
  private readonly since: Float64Array;
  /** For each chunk: time at which it was last painted, in ms; −∞ if it has no paint. */
  private readonly painted: Float64Array;
  private readonly shown: Float32Array;
  /** For each chunk: 1 if no cell is alive inside or directly beside the chunk; otherwise 0. */
  private readonly bare: Uint8Array;
  /** For each slot of the atlas: index of the chunk that it holds; -1 if the slot is unused. */
  private readonly held: Int32Array;
  private fadedAt = 0;

  /**
   * @param size size of the room, in cells
   * @param atlas size of the atlas, in chunks
   */
  constructor(
    size: { readonly width: number; readonly height: number },
    readonly atlas: Chunks,
  ) {
    const [columns, rows] = [Math.ceil(size.width / CHUNK), Math.ceil(size.height / CHUNK)];
    this.room = { columns, rows };
    const count = columns * rows;
    this.shares = new Uint8Array(count);
    this.until = new Float64Array(count);
    this.since = new Float64Array(count);
    this.painted = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.shown = new Float32Array(count);
    this.bare = new Uint8Array(count);
    this.held = new Int32Array(atlas.columns * atlas.rows).fill(-1);
  }

  /**
   * Records that the cells of some areas have changed.
   *
   * @param until time at which the colour transitions of these cells end on screen, in ms
   */
  change(areas: readonly Rect[], until: number, now: number): void {
    for (const { x, y, width, height } of areas) {
      const reach = { x: x - REACH, y: y - REACH };
      const size = { width: width + 2 * REACH, height: height + 2 * REACH };
      for (const i of this.indices(chunksIn({ ...reach, ...size }, this.room))) {
        if (this.painted[i] >= this.until[i]) this.since[i] = now;
        this.until[i] = until;
      }
    }
  }

  /**
   * Returns the chunks that must be painted, oldest paint first. If no cell is alive inside or
   * beside a chunk, it need not be painted, unless its slot still holds old paint.
   *
   * @param seen the chunks in view
   */
  due(seen: Rect, planes: Planes, now: number): Job[] {
    const { painted, until, room, atlas, bare, held } = this;
    const due: number[] = [];
    for (const i of this.indices(seen)) {
      if (painted[i] >= until[i] && painted[i] >= 0) continue;
      const isEmpty = isBare(planes, i % room.columns, Math.floor(i / room.columns));
      // Cells that move beside an empty chunk mark it as changed again and again. Skip the chunk
      // while its paint is invisible.
      if (isEmpty && now < until[i] && this.shown[i] === 0) {
        painted[i] = Math.max(painted[i], 0);
        continue;
      }
      const slot = this.slotOf(i);
      const isClear = held[slot] === -1 || (held[slot] === i && bare[i] === 1);
      bare[i] = isEmpty && now >= until[i] ? 1 : 0;
      if (bare[i] === 1 && isClear) {
        held[slot] = i;
        painted[i] = now;
        continue;
      }
      due.push(i);
    }
    due.sort((a, b) => painted[a] - painted[b]);
    return due.map((i) => {
      const [column, row] = [i % room.columns, Math.floor(i / room.columns)];
      return { column, row, slotColumn: column % atlas.columns, slotRow: row % atlas.rows };
    });
  }

  /**
   * Records that a chunk has been painted into its slot. The previous chunk in this slot has lost
   * its paint.
   */
  paint({ column, row, slotColumn, slotRow }: Job, now: number): void {
    const { held, painted, shown } = this;
    const slot = slotRow * this.atlas.columns + slotColumn;
    const chunk = row * this.room.columns + column;
    const before = held[slot];
    if (before >= 0 && before !== chunk) {
      painted[before] = Number.NEGATIVE_INFINITY;
      shown[before] = 0;
    }
    held[slot] = chunk;
    painted[chunk] = now;
  }

  /** Returns whether every chunk in view has been painted at least once. */
  covers(seen: Rect): boolean {
    for (const i of this.indices(seen)) if (this.painted[i] < 0) return false;
    return true;
  }

  /**
   * Copies the opacity of each chunk's paint from another plan. Call this when the atlas of `other`
   * is replaced with the atlas of this plan.
   */
  takeOver(other: PaintPlan): void {
    this.shown.set(other.shown);
    this.fadedAt = other.fadedAt;
  }

  /**
   * Advances the fading of paint to time `now`, and updates `shares`.
   *
   * @returns whether the paint of any chunk is still fading
   */
  fade(now: number): boolean {
    const step = Math.min(64, now - this.fadedAt) / FADE;
    this.fadedAt = now;
    const { painted, until, since, shown, bare, shares } = this;
    let moves = false;
    for (let i = 0; i < shown.length; i++) {
      const age = painted[i] >= until[i] ? 0 : now - Math.max(painted[i], since[i]);
      const held = painted[i] >= 0 && bare[i] === 0 && this.held[this.slotOf(i)] === i;
      const goal = held && age < STALE ? 1 : 0;
      shown[i] = held ? shown[i] + Math.max(-step, Math.min(step, goal - shown[i])) : 0;
      moves ||= shown[i] !== goal;
      shares[i] = Math.round(255 * shown[i]);
    }
    return moves;
  }

  private slotOf(chunk: number): number {
    const { atlas, room } = this;
    const [column, row] = [chunk % room.columns, Math.floor(chunk / room.columns)];
    return (row % atlas.rows) * atlas.columns + (column % atlas.columns);
  }

  private *indices({ x, y, width, height }: Rect): Generator<number> {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) yield row * this.room.columns + column;
    }
  }
}

/** Returns true if no cell is alive inside a chunk or directly beside it. */
function isBare({ width, height, rgba }: Planes, column: number, row: number): boolean {
  const [left, top] = [column * CHUNK, row * CHUNK];
  for (let y = Math.max(0, top - 1); y < Math.min(height, top + CHUNK + 1); y++) {
    const end = y * width + Math.min(width, left + CHUNK + 1);
    for (let i = y * width + Math.max(0, left - 1); i < end; i++)
      if (rgba[4 * i + 3] > 0) return false;
  }
  return true;
}
