/**
 * Lays out a family tree: time runs along it, and each organism has a row for as long as it lived.
 * Lengths are widths of a picture. Pure.
 */
import { generationsOf, type LineageOrganism, type LineageTree } from '../../shared/lineage.ts';
import { type FamilyMember, ROOM, ROW, rowsOf } from './rows.ts';
import { TimeScale } from './time-scale.ts';

/** An organism's place. */
export interface TreeNode {
  readonly organism: LineageOrganism;
  /** Middle of its picture. */
  readonly x: number;
  readonly y: number;
  /** Where its life ends, or now. */
  readonly end: number;
  /** See `generationsOf`. */
  readonly generation: number;
  readonly parents: readonly TreeNode[];
  readonly children: readonly TreeNode[];
}

/** A tree that is laid out, from (0, 0) to (width, height). */
export interface TreeLayout {
  /** By id. */
  readonly nodes: readonly TreeNode[];
  readonly byId: ReadonlyMap<number, TreeNode>;
  readonly width: number;
  readonly height: number;
  /** x of its first moment, from which `time` counts. */
  readonly start: number;
  readonly time: TimeScale;
}

/** Around the tree. */
const MARGIN = 0.5;
/** Least and most room of a usual gap between two births. */
const LEAST_STEP = 0.03;
const MOST_STEP = 3;
/** How often the room is halved until the tree has the wanted form; less often for large trees. */
const TRIES = 6;
const LARGE_TRIES = 4;
const LARGE = 800;

/** @param aspect width by height that the tree is to have, if it can */
export function layoutTree(tree: LineageTree, aspect: number): TreeLayout {
  let [low, high] = [LEAST_STEP, MOST_STEP];
  // The more room along it, the fewer rows it needs.
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
  // Parents may come later: see `LineageTree`.
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
