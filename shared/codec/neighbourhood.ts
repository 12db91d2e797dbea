/**
 * What was coded around a cell, from which the cell model chooses contexts: maps of one chunk with
 * a border of zeros, one cell wide.
 */

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs, ceil, clz32, min } = Math;

/** Side, in cells, of the groups that a delta skips with a single bit. */
export const GROUP = 8;
/** log₂ of `GROUP`. */
export const GROUP_BITS = 3;

/** Bits that a magnitude takes: 0 for 0, 1 for 1, 2 for 2 and 3, … */
export const lengthOf = (magnitude: number): number => 32 - clz32(magnitude);
const levelOf = (sum: number): number => (sum === 0 ? 0 : min(5, 1 + (lengthOf(sum) >> 1)));
const signOf = (x: number): number => (x === 0 ? 0 : x > 0 ? 1 : 2);

const none = new Uint8Array(0);

/** The maps of one chunk. Buffers grow with the largest chunk and are reused. */
export class Neighbourhood {
  /** Cells per row, border included. */
  stride = 0;
  /** [height + 2, width + 2] 1 where the cell has changed. */
  changed = none;
  /** [height + 2, width + 2] 1 where the owner has changed. */
  moved = none;
  /** [height + 2, width + 2] 1 where the cell is coded exactly. */
  fine = none;
  /** [rows, columns] 1 where a group has changed; no border. */
  groups = none;
  columns = 0;
  groupCount = 0;
  /** [height + 2, width + 2, 4] signed differences. */
  private differences = new Int16Array(0);

  /** Clears the maps for a chunk of this size. */
  begin(width: number, height: number): void {
    this.stride = width + 2;
    this.columns = ceil(width / GROUP);
    this.groupCount = this.columns * ceil(height / GROUP);
    const cells = this.stride * (height + 2);
    if (this.changed.length < cells) {
      [this.changed, this.moved, this.fine] = [0, 1, 2].map(() => new Uint8Array(cells));
      this.differences = new Int16Array(4 * cells);
    } else {
      for (const map of [this.changed, this.moved, this.fine, this.differences]) map.fill(0);
    }
    if (this.groups.length < this.groupCount) this.groups = new Uint8Array(this.groupCount);
    else this.groups.fill(0);
  }

  /** Index of a cell in the maps with a border. */
  indexOf(x: number, y: number): number {
    return (y + 1) * this.stride + x + 1;
  }

  /** How much the neighbours' channel differed, 0…5. */
  level(at: number, channel: number): number {
    const { differences, stride } = this;
    const left = abs(differences[(at - 1) * 4 + channel]);
    const up = abs(differences[(at - stride) * 4 + channel]);
    const upRight = abs(differences[(at - stride + 1) * 4 + channel]);
    return levelOf(2 * left + 2 * up + upRight);
  }

  /** Signs of the left neighbour's difference and of the previous channel's, 0…8. */
  signs(at: number, channel: number, previous: number): number {
    return signOf(this.differences[(at - 1) * 4 + channel]) * 3 + signOf(previous);
  }

  /** Records a cell's difference in a channel. */
  record(at: number, channel: number, difference: number): void {
    this.differences[at * 4 + channel] = difference;
  }
}
