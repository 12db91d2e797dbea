/**
 * Gives the organisms of a tree rows, so that no picture lies on another, no life runs through a
 * picture, and children lie between their parents. Pure.
 */
import type { LineageOrganism } from '../../shared/lineage.ts';

/** An organism, and from where to where its life is drawn. */
export interface FamilyMember {
  readonly organism: LineageOrganism;
  readonly x: number;
  readonly end: number;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Height of a row: a picture takes several, a life one. */
export const ROW = 0.5;
/** Rows above and below its own that a picture with its name takes. */
const ABOVE = 1;
const BELOW = 2;
/** Room that a picture takes along the tree, before and after its middle. */
const BEFORE = 0.75;
const AFTER = 0.8;
/** Room after a life. */
const GAP = 0.35;

/** What a picture and the lives beside it keep free: left, right, above and below its middle. */
export const ROOM = {
  before: BEFORE,
  after: AFTER,
  above: (ABOVE + 0.5) * ROW,
  below: (BELOW + 0.5) * ROW,
} as const;

/** @param members by id @returns the row of each organism; 0 is the middle */
export function rowsOf(members: readonly FamilyMember[]): Map<number, number> {
  const mates = matesOf(members);
  const hasKin = ({ organism: { id } }: FamilyMember): boolean =>
    mates.has(id) || parentsOf.get(id)!.some((one) => one !== id && parentsOf.has(one));
  const parentsOf = new Map(members.map(({ organism }) => [organism.id, organism.parents]));
  const ground = new Ground();
  const rows = new Map<number, number>();
  // Families lie around the middle; who has no kin fills what they leave.
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

/** With whom organisms have children; those without children are not in it. */
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

/** What is taken of each row. */
class Ground {
  /** By row; sorted, and none overlaps another. */
  private readonly taken = new Map<number, Interval[]>();

  /** The free row that is nearest to one. */
  nearest(wanted: number, member: FamilyMember): number {
    for (let distance = 0; ; distance++) {
      // Towards the middle first.
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
    // Its own row takes most, and so rules out most.
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

/** Index of the first of sorted intervals that does not end before a place. */
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
