/**
 * Tracks which chunks of a room an atlas holds, which chunks must be painted, and how much of each
 * chunk's paint shows. A chunk's position in the atlas is its position in the room modulo the
 * atlas's size, so neighbours stay neighbours.
 */
import type { Planes } from '../../../shared/codec/chunks.ts';
import type { Rect } from '../../../shared/geometry.ts';
import { CHUNK } from '../shaders/paint.ts';

/** Distance up to which a cell's paint depends on other cells, in cells. */
const REACH = 2;
/** Time, in ms, after which paint fades away if its cells have changed since it was painted. */
export const STALE = 200;
/** Time in which a chunk's paint fades in or out, in ms. */
const FADE = 400;

/** Size in chunks. */
export interface Chunks {
  readonly columns: number;
  readonly rows: number;
}

/** A chunk to paint: its position in the room and its slot in the atlas, both in chunks. */
export interface Job {
  readonly column: number;
  readonly row: number;
  readonly slotColumn: number;
  readonly slotRow: number;
}

/** Returns the rectangle of chunks, in chunks, that an area of cells touches. */
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
  /** [rows, columns] How much each chunk's paint shows, 0…255. */
  readonly shares: Uint8Array<ArrayBuffer>;
  /** When each chunk's cells will stop moving, in ms. */
  private readonly until: Float64Array;
  /** When each chunk began to differ from its paint, in ms. */
  private readonly since: Float64Array;
  /** When each chunk was last painted, in ms; −∞ if never. */
  private readonly painted: Float64Array;
  private readonly shown: Float32Array;
  /** 1 for chunks without living cells, whose paint does not show. */
  private readonly bare: Uint8Array;
  /** Index of the chunk that each slot holds; -1 if it holds none. */
  private readonly held: Int32Array;
  private fadedAt = 0;

  /**
   * @param size size of the room, cells
   * @param atlas size of the atlas, at least that of the largest view
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
   * Records that areas change.
   *
   * @param until when their movement ends, in ms
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
   * Returns the chunks to paint, oldest paint first. A bare chunk, with no living cells in it or
   * right beside it, is painted only once, and only if its slot still holds paint, because the old
   * paint would blend into neighbouring chunks.
   *
   * @param seen chunks in view
   */
  due(seen: Rect, planes: Planes, now: number): Job[] {
    const { painted, until, room, atlas, bare, held } = this;
    const due: number[] = [];
    for (const i of this.indices(seen)) {
      if (painted[i] >= until[i] && painted[i] >= 0) continue;
      const isEmpty = isBare(planes, i % room.columns, Math.floor(i / room.columns));
      // An empty chunk beside moving cells may keep changing forever, so do not paint it if it
      // shows no paint.
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

  /** Records that a chunk has been painted, replacing the chunk that its slot held. */
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

  /** Shows each chunk's paint as strongly as the atlas that this one replaces. */
  takeOver(other: PaintPlan): void {
    this.shown.set(other.shown);
    this.fadedAt = other.fadedAt;
  }

  /** Updates `shares`. @returns whether the fading is unfinished */
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

/** Returns whether a chunk and the cells right beside it are empty. */
function isBare({ width, height, rgba }: Planes, column: number, row: number): boolean {
  const [left, top] = [column * CHUNK, row * CHUNK];
  for (let y = Math.max(0, top - 1); y < Math.min(height, top + CHUNK + 1); y++) {
    const end = y * width + Math.min(width, left + CHUNK + 1);
    for (let i = y * width + Math.max(0, left - 1); i < end; i++)
      if (rgba[4 * i + 3] > 0) return false;
  }
  return true;
}
