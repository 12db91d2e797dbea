/**
 * The cell model: which bits encode the cells of a chunk, in which order and under which contexts.
 * One description serves writer and reader (`BitCoder`): a writer takes the bits from the cells, a
 * reader fills the cells in.
 *
 * Bare cells are always transparent, so their colour is not coded. Colours are coded as alpha, R,
 * G, B, each as its difference from a prediction: in deltas the cell's previous colour, in keys
 * that of its neighbours (the median edge detector of JPEG-LS, Weinberger et al. 2000). A
 * difference is coded by its length in bits, under contexts of how much the neighbours and the
 * previous channel differed.
 */
import { type Cells, recoloured } from './cells.ts';
import { CONTEXTS } from './contexts.ts';
import { GROUP, GROUP_BITS, lengthOf, Neighbourhood } from './neighbourhood.ts';
import type { BitCoder } from './range-coder.ts';

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs, max, min, round } = Math;

/** Alpha first: premultiplied channels never exceed it. */
const CHANNELS = [3, 0, 1, 2] as const;
/** What a delta does with a cell: skips it, codes it in steps, or codes it exactly. */
export const MARKS = { same: 0, coded: 1, exact: 2 } as const;

const clamp = (x: number): number => max(0, min(255, x));

/** Codes owners by their index in the list of those met so far; a new one in full, 32 bits. */
class OwnerCoder {
  private readonly known: number[] = [];
  private previous = 0;
  private hasMetAll = false;

  /** @param cells whose owners are known from the start */
  constructor(
    private readonly coder: BitCoder,
    private readonly cells?: Cells,
  ) {}

  /**
   * Adds the owners of all cells given to the constructor. A writer, whose cells do not change,
   * calls this only when an owner is coded by its index, which is rare.
   */
  meetAll(): void {
    if (this.hasMetAll || !this.cells) return;
    this.hasMetAll = true;
    const { owner } = this.cells;
    for (let cell = 0; cell < owner.length; cell++) this.meet(owner[cell]);
  }

  /** The new owner of a cell in a delta, not 0: mostly that of the cell to the left or above. */
  codeNew({ owner, width }: Cells, x: number, y: number): number {
    const cell = y * width + x;
    const { coder } = this;
    const left = x > 0 ? owner[cell - 1] : 0;
    const up = y > 0 ? owner[cell - width] : 0;
    const wanted = owner[cell];
    if (left !== 0 && coder.bit(CONTEXTS.heir, wanted === left ? 1 : 0)) return left;
    if (up !== 0 && up !== left && coder.bit(CONTEXTS.heir + 1, wanted === up ? 1 : 0)) return up;
    return this.code(wanted);
  }

  /** The owner of a cell in a key, 0 where it is bare. */
  codeKey({ owner, width }: Cells, x: number, y: number): void {
    const cell = y * width + x;
    const { coder } = this;
    const left = x > 0 ? owner[cell - 1] : 0;
    const up = y > 0 ? owner[cell - width] : 0;
    const upLeft = x > 0 && y > 0 ? owner[cell - width - 1] : 0;
    const upRight = y > 0 && x + 1 < width ? owner[cell - width + 1] : 0;
    const context =
      (left === up ? 1 : 0) +
      (left === upLeft ? 2 : 0) +
      (up === upRight ? 4 : 0) +
      (left === 0 ? 8 : 0) +
      (up === 0 ? 16 : 0);
    const wanted = owner[cell];
    if (coder.bit(CONTEXTS.sameOwner + context, wanted === left ? 1 : 0)) owner[cell] = left;
    else if (
      up !== left &&
      coder.bit(CONTEXTS.upperOwner + (up === 0 ? 1 : 0), wanted === up ? 1 : 0)
    ) {
      owner[cell] = up;
    } else if (left !== 0 && up !== 0 && coder.bit(CONTEXTS.noOwner, wanted === 0 ? 1 : 0)) {
      owner[cell] = 0;
    } else owner[cell] = this.code(wanted);
    this.meet(owner[cell]);
  }

  private meet(owner: number): void {
    // Neighbouring cells mostly have the same owner.
    if (owner === this.previous) return;
    this.previous = owner;
    if (owner !== 0 && !this.known.includes(owner)) this.known.push(owner);
  }

  /** @param owner not 0 */
  private code(owner: number): number {
    const { coder, known } = this;
    this.meetAll();
    const bits = lengthOf(known.length);
    const index = coder.plain(max(1, bits), known.indexOf(owner) + 1);
    let result = known[index - 1] ?? 0;
    if (result === 0) {
      const low = coder.plain(16, owner & 0xffff);
      result = (low | (coder.plain(16, owner >>> 16) << 16)) >>> 0;
    }
    this.meet(result);
    return result;
  }
}

/** Codes a difference, −255…255, by its length in bits, then its lower bits, then its sign. */
function codeDifference(coder: BitCoder, base: number, sign: number, difference: number): number {
  const wanted = lengthOf(abs(difference));
  let length = 0;
  while (length < 8 && coder.bit(base + length, wanted > length ? 1 : 0)) length++;
  if (length === 0) return 0;
  let magnitude = 1;
  const source = abs(difference);
  if (length > 1) {
    const second = length - 2;
    magnitude = 2 | coder.bit(CONTEXTS.mantissa + length - 2, (source >>> second) & 1);
    if (second > 0) {
      magnitude = (magnitude << second) | coder.plain(second, source & ((1 << second) - 1));
    }
  }
  return coder.bit(sign, difference < 0 ? 1 : 0) ? -magnitude : magnitude;
}

const previousLevel = (previous: number): number => min(3, lengthOf(abs(previous)));

/** The input and output of `codeDelta`. */
export interface Delta {
  /** The cells that both sides hold. */
  readonly before: Cells;
  /**
   * A writer passes the wanted cells, which become what a reader decodes; a reader passes `before`
   * itself, which is overwritten.
   */
  readonly after: Cells;
  /** Quantization step of the differences of cells that are not coded exactly. */
  readonly step: number;
  /** [cells] of `MARKS`, of a writer: every cell that differs must be marked. */
  readonly marks: Uint8Array;
  /** Working memory. */
  readonly neighbourhood: Neighbourhood;
}

/** Codes the change of a chunk's cells. */
export function codeDelta(
  coder: BitCoder,
  { before, after, step, marks, neighbourhood }: Delta,
): void {
  const { width, height } = before;
  const { reads } = coder;
  const owners = new OwnerCoder(coder, before);
  // A reader's cells change while it reads.
  if (reads) owners.meetAll();
  neighbourhood.begin(width, height);
  const { stride, changed, moved, fine, groups, columns } = neighbourhood;
  if (!reads) {
    for (let y = 0, cell = 0; y < height; y++) {
      const row = (y >> GROUP_BITS) * columns;
      for (let x = 0; x < width; x++, cell++)
        if (marks[cell] !== MARKS.same) groups[row + (x >> GROUP_BITS)] = 1;
    }
  }
  for (let i = 0; i < neighbourhood.groupCount; i++) {
    const left = i % columns > 0 ? groups[i - 1] : 0;
    const up = i >= columns ? groups[i - columns] : 0;
    groups[i] = coder.bit(CONTEXTS.group + left + up, groups[i]);
  }

  for (let y = 0; y < height; y++) {
    const row = (y >> GROUP_BITS) * columns;
    for (let x = 0; x < width; x++) {
      if (groups[row + (x >> GROUP_BITS)] === 0) {
        x |= GROUP - 1;
        continue;
      }
      const cell = y * width + x;
      const at = neighbourhood.indexOf(x, y);
      const changedNear =
        changed[at - 1] +
        changed[at - stride] +
        changed[at - stride - 1] +
        changed[at - stride + 1];
      const old = before.owner[cell];
      const alive = old === 0 ? 0 : 1;
      const isCoded = reads || marks[cell] === MARKS.same ? 0 : 1;
      if (!coder.bit(CONTEXTS.changed + changedNear * 2 + alive, isCoded)) continue;
      changed[at] = 1;
      const movedNear = moved[at - 1] + moved[at - stride];
      const hasMoved = alive
        ? coder.bit(CONTEXTS.moved + movedNear, after.owner[cell] === old ? 0 : 1)
        : 1;
      moved[at] = hasMoved;
      if (hasMoved) {
        const bare = alive
          ? coder.bit(CONTEXTS.bare + movedNear, after.owner[cell] === 0 ? 1 : 0)
          : 0;
        after.owner[cell] = bare ? 0 : owners.codeNew(after, x, y);
        if (bare) {
          after.rgba.fill(0, cell * 4, cell * 4 + 4);
          continue;
        }
      }
      const isExact = marks[cell] === MARKS.exact ? 1 : 0;
      const isFine =
        step > 1 ? coder.bit(CONTEXTS.fine + fine[at - 1] + fine[at - stride], isExact) : 1;
      fine[at] = isFine;
      const unit = isFine ? 1 : step;
      const kind = hasMoved ? 2 : isFine ? 1 : 0;
      let previous = 0;
      for (let i = 0; i < 4; i++) {
        const c = CHANNELS[i];
        const from = hasMoved ? predict(after, x, y, c) : before.rgba[cell * 4 + c];
        const difference = reads ? 0 : round((after.rgba[cell * 4 + c] - from) / unit);
        const set =
          ((kind * 3 + min(2, i)) * 6 + neighbourhood.level(at, i)) * 4 + previousLevel(previous);
        const coded = codeDifference(
          coder,
          CONTEXTS.delta + set * 8,
          CONTEXTS.deltaSign + (kind * 9 + neighbourhood.signs(at, i, previous)),
          difference,
        );
        neighbourhood.record(at, i, coded);
        previous = coded;
        after.rgba[cell * 4 + c] = clamp(from + coded * unit);
      }
    }
  }
}

/** Predicts a channel of a cell from the neighbours that are coded before it. */
function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  const corner = x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0;
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/**
 * Codes a chunk in full.
 *
 * @param cells those to write (as `coarsen` returns them, where `shift` is not 0), or empty ones to
 *   fill in
 * @param shift lowest bits of each colour to omit, 0…7
 */
export function codeKey(coder: BitCoder, cells: Cells, shift: number): void {
  const { width, height, owner, rgba } = cells;
  const owners = new OwnerCoder(coder);
  const neighbourhood = new Neighbourhood();
  neighbourhood.begin(width, height);
  // Levels in place of colours, so that predictions are levels too.
  const levels = recoloured(cells, shift === 0 ? rgba : rgba.map((v) => levelAt(v, shift)));
  const quality = shift === 0 ? 0 : 1;
  for (let y = 0, cell = 0; y < height; y++) {
    for (let x = 0; x < width; x++, cell++) {
      owners.codeKey(cells, x, y);
      if (owner[cell] === 0) continue;
      const at = neighbourhood.indexOf(x, y);
      let previous = 0;
      for (let i = 0; i < 4; i++) {
        const c = CHANNELS[i];
        const own = predict(levels, x, y, c);
        // An edge in one channel is usually an edge in the next.
        const from = max(0, min(255 >> shift, own + (i > 1 ? previous >> 1 : 0)));
        const set =
          ((quality * 3 + min(2, i)) * 6 + neighbourhood.level(at, i)) * 4 +
          previousLevel(previous);
        const coded = codeDifference(
          coder,
          CONTEXTS.key + set * 8,
          CONTEXTS.keySign + (quality * 9 + neighbourhood.signs(at, i, previous)),
          levels.rgba[cell * 4 + c] - from,
        );
        const level = clamp(from + coded);
        previous = level - own;
        neighbourhood.record(at, i, previous);
        levels.rgba[cell * 4 + c] = level;
        rgba[cell * 4 + c] = colourAt(level, shift);
      }
    }
  }
}

/** The level of a colour whose lowest `shift` bits are omitted. */
const levelAt = (value: number, shift: number): number => value >> shift;
/** The colour that stands for a level. */
const colourAt = (level: number, shift: number): number =>
  shift === 0
    ? level
    : clamp((level << shift) | (level === 255 >> shift ? (1 << shift) - 1 : 1 << (shift - 1)));

/** The cells as decoded from a coarse key. @param shift lowest bits that the key omits, 1…7 */
export function coarsen(cells: Cells, shift: number): Cells {
  const rgba = cells.rgba.slice();
  for (let i = 0; i < rgba.length; i++) {
    if (cells.owner[i >> 2] !== 0) rgba[i] = colourAt(levelAt(rgba[i], shift), shift);
  }
  return recoloured(cells, rgba);
}

/**
 * Codes the low bits that a coarse key omits.
 *
 * @param cells exact ones to write, or those decoded from the coarse key, which become exact
 * @param shift lowest bits that the key omits, 1…7
 */
export function codeRefinement(coder: BitCoder, cells: Cells, shift: number): void {
  const { owner, rgba } = cells;
  for (let cell = 0; cell < owner.length; cell++) {
    if (owner[cell] === 0) continue;
    for (let i = 0; i < 4; i++) {
      const at = cell * 4 + CHANNELS[i];
      const high = rgba[at] >> shift;
      const kind = (i === 0 ? 0 : 1) * 3 + (high === 255 >> shift ? 0 : high === 0 ? 1 : 2);
      // A tree of bits, highest first.
      let node = 1;
      for (let b = shift - 1; b >= 0; b--) {
        node = (node << 1) | coder.bit(CONTEXTS.low + kind * 256 + node, (rgba[at] >> b) & 1);
      }
      rgba[at] = (high << shift) | (node & ((1 << shift) - 1));
    }
  }
}
