/**
 * How the cells of a chunk are told: which bits are asked in which order under which context. One description serves writer and
 * reader (`BitCoder`): what a reader is asked fills the cells in, what a writer is asked is taken from them.
 *
 * Bare places are always clear, so their colour is never told. Colours are told as alpha, R, G, B, each as its difference from
 * what is foreseen: in deltas what the place held before, in keys what its neighbours hold (the median edge detector of
 * JPEG-LS, Weinberger et al. 2000). Differences are told by their length in bits, under contexts of how much the neighbours
 * and the channel before differed.
 */
import { type Cells, recoloured } from './cells.ts';
import { CONTEXTS } from './contexts.ts';
import { GROUP, GROUP_BITS, lengthOf, Neighbourhood } from './neighbourhood.ts';
import type { BitCoder } from './range-coder.ts';

/** Looked up once: where globals live in a sandbox, each look costs more than the sum. */
const { abs, max, min, round } = Math;

/** Alpha first: the others never exceed it. */
const CHANNELS = [3, 0, 1, 2] as const;
/** What becomes of a cell in a delta: nothing; it is told; it is told to the last bit. */
export const MARKS = { same: 0, told: 1, exact: 2 } as const;

const clamp = (x: number): number => max(0, min(255, x));

/** Tells owners by their place in a list of those already met; newcomers in full. */
class Owners {
  private readonly known: number[] = [];
  private last = 0;
  private hasMetAll = false;

  /** @param cells whose owners are known from the start */
  constructor(
    private readonly coder: BitCoder,
    private readonly cells?: Cells,
  ) {}

  /** Seldom is one told by its place: a writer, whose cells stay as they are, looks for them only then. */
  meetAll(): void {
    if (this.hasMetAll || !this.cells) return;
    this.hasMetAll = true;
    const { owner } = this.cells;
    for (let cell = 0; cell < owner.length; cell++) this.meet(owner[cell]);
  }

  meet(owner: number): void {
    // Neighbours mostly belong to one.
    if (owner === this.last) return;
    this.last = owner;
    if (owner !== 0 && !this.known.includes(owner)) this.known.push(owner);
  }

  /** @param owner not 0 */
  code(owner: number): number {
    const { coder, known } = this;
    this.meetAll();
    const bits = lengthOf(known.length);
    const told = coder.plain(max(1, bits), known.indexOf(owner) + 1);
    let result = known[told - 1] ?? 0;
    if (result === 0) {
      const low = coder.plain(16, owner & 0xffff);
      result = (low | (coder.plain(16, owner >>> 16) << 16)) >>> 0;
    }
    this.meet(result);
    return result;
  }
}

/** A difference, −255…255, told by its length, then its lower bits, then its sign. */
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

const beforeLevel = (before: number): number => min(3, lengthOf(abs(before)));

/**
 * Tells what has become of cells.
 *
 * @param before what both sides know
 * @param after a writer's is told, a reader's is filled in; it begins as a copy of `before`, or, a reader's, as `before` itself
 * @param step differences are told in such steps, but for cells that shall become exact: `after` of a writer then holds what
 *   comes of that
 * @param marks [cells] of `MARKS`, of a writer: what is told, which is all that differs
 * @param around room to work in
 */
export function codeDelta(
  coder: BitCoder,
  before: Cells,
  after: Cells,
  step: number,
  marks: Uint8Array,
  around: Neighbourhood,
): void {
  const { width, height } = before;
  const { reads } = coder;
  const owners = new Owners(coder, before);
  // A reader's cells change while it reads.
  if (reads) owners.meetAll();
  around.begin(width, height);
  const { stride, changed, moved, fine, groups, columns } = around;
  if (!reads) {
    for (let y = 0, cell = 0; y < height; y++) {
      const row = (y >> GROUP_BITS) * columns;
      for (let x = 0; x < width; x++, cell++)
        if (marks[cell] !== MARKS.same) groups[row + (x >> GROUP_BITS)] = 1;
    }
  }
  for (let i = 0; i < around.groupCount; i++) {
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
      const at = around.at(x, y);
      const near =
        changed[at - 1] +
        changed[at - stride] +
        changed[at - stride - 1] +
        changed[at - stride + 1];
      const old = before.owner[cell];
      const alive = old === 0 ? 0 : 1;
      const known = near * 2 + alive;
      const isTold = reads || marks[cell] === MARKS.same ? 0 : 1;
      if (!coder.bit(CONTEXTS.changed + known, isTold)) continue;
      changed[at] = 1;
      const owned = moved[at - 1] + moved[at - stride];
      const takes = alive
        ? coder.bit(CONTEXTS.moved + owned, after.owner[cell] === old ? 0 : 1)
        : 1;
      moved[at] = takes;
      if (takes) {
        const bare = alive ? coder.bit(CONTEXTS.bare + owned, after.owner[cell] === 0 ? 1 : 0) : 0;
        after.owner[cell] = bare ? 0 : codeNewOwner(coder, owners, after, cell, x, y);
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
      const kind = takes ? 2 : isFine ? 1 : 0;
      let last = 0;
      for (let i = 0; i < 4; i++) {
        const c = CHANNELS[i];
        const from = takes ? foresee(after, cell, x, y, c) : before.rgba[cell * 4 + c];
        const difference = reads ? 0 : round((after.rgba[cell * 4 + c] - from) / unit);
        const set = ((kind * 3 + min(2, i)) * 6 + around.level(at, i)) * 4 + beforeLevel(last);
        const told = codeDifference(
          coder,
          CONTEXTS.delta + set * 8,
          CONTEXTS.deltaSign + (kind * 9 + around.signs(at, i, last)),
          difference,
        );
        around.note(at, i, told);
        last = told;
        after.rgba[cell * 4 + c] = clamp(from + told * unit);
      }
    }
  }
}

/** A newcomer is mostly that of the place to the left or above. */
function codeNewOwner(
  coder: BitCoder,
  owners: Owners,
  { owner, width }: Cells,
  cell: number,
  x: number,
  y: number,
): number {
  const left = x > 0 ? owner[cell - 1] : 0;
  const up = y > 0 ? owner[cell - width] : 0;
  const wanted = owner[cell];
  if (left !== 0 && coder.bit(CONTEXTS.heir, wanted === left ? 1 : 0)) return left;
  if (up !== 0 && up !== left && coder.bit(CONTEXTS.heir + 1, wanted === up ? 1 : 0)) return up;
  return owners.code(wanted);
}

/** What the neighbours of a cell that are told already lead one to expect. */
function foresee({ rgba, width }: Cells, cell: number, x: number, y: number, c: number): number {
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  const corner = x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0;
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/**
 * Tells all of a chunk.
 *
 * @param cells a writer's are told, a reader's begin clear and are filled in
 * @param shift colours are told without so many of their lowest bits, 0…7; a writer's hold what comes of that (`coarsen`)
 */
export function codeKey(coder: BitCoder, cells: Cells, shift: number): void {
  const { width, height, owner, rgba } = cells;
  const owners = new Owners(coder);
  const around = new Neighbourhood();
  around.begin(width, height);
  // Levels in place of colours, so that what is foreseen is a level too.
  const levels = recoloured(cells, shift === 0 ? rgba : rgba.map((v) => levelAt(v, shift)));
  const quality = shift === 0 ? 0 : 1;
  for (let y = 0, cell = 0; y < height; y++) {
    for (let x = 0; x < width; x++, cell++) {
      codeKeyOwner(coder, owners, cells, cell, x, y);
      if (owner[cell] === 0) continue;
      const at = around.at(x, y);
      let last = 0;
      for (let i = 0; i < 4; i++) {
        const c = CHANNELS[i];
        const own = foresee(levels, cell, x, y, c);
        // Edges are edges in all colours.
        const from = max(0, min(255 >> shift, own + (i > 1 ? last >> 1 : 0)));
        const set = ((quality * 3 + min(2, i)) * 6 + around.level(at, i)) * 4 + beforeLevel(last);
        const told = codeDifference(
          coder,
          CONTEXTS.key + set * 8,
          CONTEXTS.keySign + (quality * 9 + around.signs(at, i, last)),
          levels.rgba[cell * 4 + c] - from,
        );
        const level = clamp(from + told);
        around.note(at, i, level - own);
        last = level - own;
        levels.rgba[cell * 4 + c] = level;
        rgba[cell * 4 + c] = colourAt(level, shift);
      }
    }
  }
}

/** The level of a colour, and the colour of a level, where so many low bits are left out. */
const levelAt = (value: number, shift: number): number => value >> shift;
const colourAt = (level: number, shift: number): number =>
  shift === 0
    ? level
    : clamp((level << shift) | (level === 255 >> shift ? (1 << shift) - 1 : 1 << (shift - 1)));

/** What cells look like after a key without so many low bits; bare places stay clear. */
export function coarsen(cells: Cells, shift: number): Cells {
  const rgba = cells.rgba.slice();
  for (let i = 0; i < rgba.length; i++) {
    if (cells.owner[i >> 2] !== 0) rgba[i] = colourAt(levelAt(rgba[i], shift), shift);
  }
  return recoloured(cells, rgba);
}

function codeKeyOwner(
  coder: BitCoder,
  owners: Owners,
  { owner, width }: Cells,
  cell: number,
  x: number,
  y: number,
): void {
  const left = x > 0 ? owner[cell - 1] : 0;
  const up = y > 0 ? owner[cell - width] : 0;
  const corner = x > 0 && y > 0 ? owner[cell - width - 1] : 0;
  const next = y > 0 && x + 1 < width ? owner[cell - width + 1] : 0;
  const context =
    (left === up ? 1 : 0) +
    (left === corner ? 2 : 0) +
    (up === next ? 4 : 0) +
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
  } else owner[cell] = owners.code(wanted);
  owners.meet(owner[cell]);
}

/**
 * Tells the low bits that a key has left out.
 *
 * @param cells a writer's hold the exact colours, a reader's what the key has made of them, and become exact
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
