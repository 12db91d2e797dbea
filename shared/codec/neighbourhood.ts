/** What was told around a cell, by which contexts are chosen: maps of a chunk with a rim of one cell, which is zero. */

/** Looked up once: where globals live in a sandbox, each look costs more than the sum. */
const { abs, ceil, clz32, min } = Math;

/** Side of the groups of a delta that are passed over as one, and its log₂. */
export const GROUP = 8;
export const GROUP_BITS = 3;

export const lengthOf = (magnitude: number): number => 32 - clz32(magnitude);
const levelOf = (sum: number): number => (sum === 0 ? 0 : min(5, 1 + (lengthOf(sum) >> 1)));
const signOf = (x: number): number => (x === 0 ? 0 : x > 0 ? 1 : 2);

const none = new Uint8Array(0);

export class Neighbourhood {
  /** Cells of a row, with its rim. */
  stride = 0;
  /** [height + 2, width + 2] 1 where a cell has changed, has another owner, is told to the last bit. */
  changed = none;
  moved = none;
  fine = none;
  /** [rows, columns] 1 where a group has changed; no rim. */
  groups = none;
  columns = 0;
  groupCount = 0;
  /** [height + 2, width + 2, 4] signed differences. */
  private told = new Int16Array(0);

  /** Nothing has been told of a chunk of this size yet. What was made for a larger one is used again. */
  begin(width: number, height: number): void {
    this.stride = width + 2;
    this.columns = ceil(width / GROUP);
    this.groupCount = this.columns * ceil(height / GROUP);
    const cells = this.stride * (height + 2);
    if (this.changed.length < cells) {
      [this.changed, this.moved, this.fine] = [0, 1, 2].map(() => new Uint8Array(cells));
      this.told = new Int16Array(4 * cells);
    } else {
      for (const map of [this.changed, this.moved, this.fine, this.told]) map.fill(0);
    }
    if (this.groups.length < this.groupCount) this.groups = new Uint8Array(this.groupCount);
    else this.groups.fill(0);
  }

  at(x: number, y: number): number {
    return (y + 1) * this.stride + x + 1;
  }

  level(at: number, channel: number): number {
    const { told, stride } = this;
    const left = abs(told[(at - 1) * 4 + channel]);
    const up = abs(told[(at - stride) * 4 + channel]);
    const other = abs(told[(at - stride + 1) * 4 + channel]);
    return levelOf(2 * left + 2 * up + other);
  }

  signs(at: number, channel: number, before: number): number {
    return signOf(this.told[(at - 1) * 4 + channel]) * 3 + signOf(before);
  }

  note(at: number, channel: number, difference: number): void {
    this.told[at * 4 + channel] = difference;
  }
}
