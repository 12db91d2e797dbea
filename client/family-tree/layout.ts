/**
 * Lays out a family tree: time runs along it, and each organism occupies a row from birth to death.
 * Lengths are in widths of a picture. Pure.
 */
import { generationsOf, type LineageOrganism, type LineageTree } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';

/** Maximum length of a gap between two births, as a multiple of the usual (median) gap. */
const LONGEST_GAP = 6;

/** Converts between ticks and positions along the tree. */
export class TimeScale {
  /** Ticks in ascending order, and the position of each, from 0. */
  private readonly ticks: readonly number[];
  private readonly places: readonly number[];

  /** @param step length of the usual gap between two births, in widths of a picture */
  constructor({ organisms, tick }: Pick<LineageTree, 'organisms' | 'tick'>, step: number) {
    const births = organisms.map(({ born }) => born);
    this.ticks = [...new Set([...births, tick])].sort((a, b) => a - b);
    const gaps = this.ticks.slice(1).map((at, i) => at - this.ticks[i]);
    const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
    const places = [0];
    for (const gap of gaps) {
      places.push(places.at(-1)! + step * Math.min(LONGEST_GAP, gap / usual));
    }
    this.places = places;
  }

  /** The position of the last tick. */
  get end(): number {
    return this.places.at(-1)!;
  }

  placeOf(tick: number): number {
    return interpolate(this.ticks, this.places, tick);
  }

  /** Returns the tick at a position, as a fraction. */
  tickAt(place: number): number {
    return interpolate(this.places, this.ticks, place);
  }
}

/** An organism with the positions of its birth and its end along the tree. */
export interface FamilyMember {
  readonly organism: LineageOrganism;
  readonly x: number;
  readonly end: number;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Height of a row, in picture widths. A picture takes several rows, a life's line takes one. */
export const ROW = 0.5;
/** Number of rows that a picture and its name take above and below the organism's own row. */
const ABOVE = 1;
const BELOW = 2;
/** Space that a picture takes along the tree, before and after its middle, in picture widths. */
const BEFORE = 0.75;
const AFTER = 0.8;
/** Space after the end of a life, in picture widths. */
const GAP = 0.35;

/** Free space around the middle of a picture, in picture widths. */
export const ROOM = {
  before: BEFORE,
  after: AFTER,
  above: (ABOVE + 0.5) * ROW,
  below: (BELOW + 0.5) * ROW,
} as const;

/**
 * Assigns rows to organisms.
 *
 * @param members in the order of their ids
 * @returns the row of each organism by id; 0 is the middle row
 */
export function rowsOf(members: readonly FamilyMember[]): Map<number, number> {
  const mates = matesOf(members);
  const hasKin = ({ organism: { id } }: FamilyMember): boolean =>
    mates.has(id) || parentsOf.get(id)!.some((one) => one !== id && parentsOf.has(one));
  const parentsOf = new Map(members.map(({ organism }) => [organism.id, organism.parents]));
  const ground = new Ground();
  const rows = new Map<number, number>();
  // Place families around the middle first. Organisms without kin then fill the gaps.
  const inOrder = [...members.filter(hasKin), ...members.filter((one) => !hasKin(one))];
  for (const member of inOrder) {
    const { id, parents } = member.organism;
    const near = (parents.length > 0 ? parents : [...(mates.get(id) ?? [])]).flatMap(
      (one) => rows.get(one) ?? [],
    );
    const wanted = near.length > 0 ? near.reduce((a, b) => a + b) / near.length : 0;
    const row = ground.nearest(Math.round(wanted), member);
    ground.take(row, member);
    rows.set(id, row);
  }
  return rows;
}

/** Returns the mates of each organism that has children. */
function matesOf(members: readonly FamilyMember[]): Map<number, Set<number>> {
  const mates = new Map<number, Set<number>>();
  for (const { organism } of members) {
    for (const parent of organism.parents) {
      if (parent === organism.id) continue;
      const others = mates.get(parent) ?? new Set();
      for (const other of organism.parents) if (other !== parent) others.add(other);
      mates.set(parent, others);
    }
  }
  return mates;
}

/** Tracks which intervals of each row are taken. */
class Ground {
  /** The taken intervals of each row, in ascending order and without overlaps. */
  private readonly taken = new Map<number, Interval[]>();

  /** Finds the free row nearest to a wanted row. */
  nearest(wanted: number, member: FamilyMember): number {
    for (let distance = 0; ; distance++) {
      // If two rows are equally near, prefer the row closer to the middle.
      const side = wanted > 0 ? -1 : 1;
      for (const row of [wanted + side * distance, wanted - side * distance]) {
        if (this.isFree(row, member)) return row;
      }
    }
  }

  take(row: number, member: FamilyMember): void {
    for (const [each, interval] of roomOf(row, member)) {
      const others = this.taken.get(each);
      if (others) others.splice(placeIn(others, interval.from), 0, interval);
      else this.taken.set(each, [interval]);
    }
  }

  private isFree(row: number, { x, end }: FamilyMember): boolean {
    const [from, to] = [x - BEFORE, x + AFTER];
    // The organism's own row needs the longest interval, so it is checked first.
    if (!this.isOpen(row, from, Math.max(to, end + GAP))) return false;
    for (let each = row - ABOVE; each <= row + BELOW; each++) {
      if (each !== row && !this.isOpen(each, from, to)) return false;
    }
    return true;
  }

  private isOpen(row: number, from: number, to: number): boolean {
    const others = this.taken.get(row);
    const next = others?.[placeIn(others, from)];
    return !next || to <= next.from;
  }
}

/** Returns the index of the first interval that ends after a position; the intervals are sorted. */
function placeIn(others: readonly Interval[], from: number): number {
  let [low, high] = [0, others.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (others[middle].to <= from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function roomOf(row: number, { x, end }: FamilyMember): (readonly [number, Interval])[] {
  const picture = { from: x - BEFORE, to: x + AFTER };
  const own = { from: picture.from, to: Math.max(picture.to, end + GAP) };
  return Array.from({ length: ABOVE + 1 + BELOW }, (_, i) => {
    const each = row - ABOVE + i;
    return [each, each === row ? own : picture] as const;
  });
}

/** An organism with its position and its kin in the tree. */
export interface TreeNode {
  readonly organism: LineageOrganism;
  /** x of the middle of the organism's picture. */
  readonly x: number;
  readonly y: number;
  /** x of the end of the organism's life, or of the present if it lives. */
  readonly end: number;
  /** Generation of the organism, as counted by `generationsOf`. */
  readonly generation: number;
  readonly parents: readonly TreeNode[];
  readonly children: readonly TreeNode[];
}

/** The positions of a tree's organisms, from (0, 0) to (width, height). */
export interface TreeLayout {
  /** Organisms in the order of their ids. */
  readonly nodes: readonly TreeNode[];
  readonly byId: ReadonlyMap<number, TreeNode>;
  readonly width: number;
  readonly height: number;
  /** x of the tree's first moment, where `time` has position 0. */
  readonly start: number;
  readonly time: TimeScale;
}

const MARGIN = 0.5;
/** Minimum and maximum length of the usual gap between two births, in picture widths. */
const LEAST_STEP = 0.03;
const MOST_STEP = 3;
/**
 * Number of bisection steps in the search for the wanted aspect; fewer steps for trees with more
 * than `LARGE` organisms.
 */
const TRIES = 6;
const LARGE_TRIES = 4;
const LARGE = 800;

/** Lays out a tree. @param aspect wanted ratio of width to height; it may be out of reach */
export function layoutTree(tree: LineageTree, aspect: number): TreeLayout {
  let [low, high] = [LEAST_STEP, MOST_STEP];
  // Bisect the step, because a longer tree needs fewer rows.
  for (let tries = tree.organisms.length > LARGE ? LARGE_TRIES : TRIES; ; tries--) {
    const step = Math.sqrt(low * high);
    const layout = layoutWith(tree, step);
    if (tries === 1) return layout;
    if (layout.width / layout.height < aspect) low = step;
    else high = step;
  }
}

type LinkedNode = TreeNode & Record<'parents' | 'children', TreeNode[]>;

function layoutWith(tree: LineageTree, step: number): TreeLayout {
  const time = new TimeScale(tree, step);
  const members = tree.organisms.map((organism): FamilyMember => {
    const end = time.placeOf(organism.died ?? tree.tick);
    return { organism, x: time.placeOf(organism.born), end };
  });
  const rows = rowsOf(members);
  const all = [...rows.values()];
  const top = Math.min(...all);
  const start = ROOM.before + MARGIN;
  const right = Math.max(time.end, ...members.map(({ x }) => x + ROOM.after));
  const generations = generationsOf(tree.organisms);
  const byId = new Map<number, LinkedNode>();
  const nodes = members.map(({ organism, x, end }) => {
    const node = {
      ...{ organism, parents: [] as TreeNode[], children: [] as TreeNode[] },
      x: start + x,
      y: MARGIN + ROOM.above + ROW * (rows.get(organism.id)! - top),
      end: start + end,
      generation: generations.get(organism.id)!,
    };
    byId.set(organism.id, node);
    return node;
  });
  // Parents may follow their children in the list (see `LineageTree`), so connect the nodes only
  // now that all exist.
  for (const node of nodes) {
    for (const id of node.organism.parents) {
      const parent = byId.get(id);
      if (!parent || parent === node) continue;
      node.parents.push(parent);
      parent.children.push(node);
    }
  }
  const height = ROW * (Math.max(...all) - top) + ROOM.above + ROOM.below + 2 * MARGIN;
  return { nodes, byId, time, start, width: start + right + MARGIN, height };
}
