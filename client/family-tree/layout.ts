/**
 * Lays out a family tree like a plant. Pairs of twigs grow from a horizontal trunk: one twig above
 * the trunk and one below it. Organisms born later are on later pairs. All lengths are multiples of
 * the width of an organism's picture.
 */

import type { Rect } from '../../shared/geometry.ts';
import { generationsOf, type LineageOrganism, type LineageTree } from '../../shared/lineage.ts';

/** An organism with its position and its kin in the tree. */
export interface TreeNode {
  readonly organism: LineageOrganism;
  /** Middle of the organism's picture, in picture widths. */
  readonly x: number;
  readonly y: number;
  readonly generation: number;
  readonly parents: readonly TreeNode[];
  readonly children: readonly TreeNode[];
}

/**
 * A side branch of the trunk. `x` is where the twig leaves the trunk. The first of its `nodes` is
 * nearest to the trunk.
 */
export interface Twig {
  readonly x: number;
  readonly nodes: readonly TreeNode[];
}

/** Space for one organism's picture and its name, in picture widths. */
export const CELL = { width: 1.5, height: 1.7 } as const;
/**
 * `MARGIN`: space around the whole tree. `LANE`: height kept free for the trunk. Both in picture
 * widths.
 */
const MARGIN = 0.2;
const LANE = 0.5;
/**
 * Distance along x between consecutive organisms of a twig, in picture widths. Twigs lean towards
 * larger x, the direction in which time runs.
 */
const BEND = 0.2;
/**
 * Maximum shift of a picture from its regular position, in picture widths. The shifts keep the tree
 * from looking like a table.
 */
const OFF = 0.07;

/**
 * A place for an organism on a pair of twigs. `side`: −1 for the twig above the trunk, 1 for the
 * twig below it. `index`: 0 next to the trunk, then outwards.
 */
interface Place {
  readonly side: 1 | -1;
  readonly index: number;
}

/** Returns the first `count` places on a pair of twigs, nearest to the trunk first. */
const placesOf = (count: number): Place[] =>
  Array.from({ length: count }, (_, i) => ({ side: i % 2 ? 1 : -1, index: i >> 1 }));

const reachOf = ({ side, index }: Place): number => side * (LANE / 2 + CELL.height * (index + 0.5));

/**
 * Computes the width and height of a tree, in picture widths.
 *
 * @param count number of organisms in the tree
 * @param each maximum number of organisms per pair of twigs
 */
function sizeOf(count: number, each: number) {
  const steps = Math.ceil(count / each);
  const most = Math.min(count, each);
  const bend = BEND * ((most - 1) >> 1);
  return {
    width: 2 * MARGIN + CELL.width * steps + bend,
    height: 2 * MARGIN + LANE + CELL.height * most,
  };
}

type LinkedNode = TreeNode & Record<'parents' | 'children', TreeNode[]>;

/**
 * Lays out a tree. Chooses the number of organisms per pair of twigs that makes the pictures as
 * large as possible.
 *
 * @param aspect ratio of width to height of the area that will show the tree
 */
export function layoutTree({ organisms }: Pick<LineageTree, 'organisms'>, aspect: number) {
  const count = Math.max(1, organisms.length);
  const scaleOf = (each: number): number => {
    const { width, height } = sizeOf(count, each);
    return Math.min(aspect / width, 1 / height);
  };
  let each = 1;
  for (let more = 2; more <= count; more++) if (scaleOf(more) > scaleOf(each)) each = more;
  const { width, height } = sizeOf(count, each);
  const trunk = MARGIN + CELL.height * Math.ceil(Math.min(count, each) / 2) + LANE / 2;
  const generations = generationsOf(organisms);
  const byId = new Map<number, LinkedNode>();
  const twigs: Twig[] = [];
  for (let first = 0; first < organisms.length; first += each) {
    const group = organisms.slice(first, first + each);
    const x = MARGIN + CELL.width * (first / each + 0.5);
    const places = placeGroup(group, (id) => byId.get(id)?.y, trunk);
    for (const organism of group) {
      const place = places.get(organism)!;
      byId.set(organism.id, {
        ...{ organism, parents: [], children: [], generation: generations.get(organism.id)! },
        x: x + BEND * place.index + OFF * Math.sin(2.4 * organism.id),
        y: trunk + reachOf(place) + OFF * Math.sin(1.7 * organism.id),
      });
    }
    for (const side of [-1, 1]) {
      const nodes = group
        .map(({ id }) => byId.get(id)!)
        .filter(({ y }) => side * (y - trunk) > 0)
        .sort((a, b) => side * (a.y - b.y));
      if (nodes.length > 0) twigs.push({ x: x - CELL.width / 2, nodes });
    }
  }
  // A child may come before its parents in the list, so create all nodes before connecting them.
  for (const node of byId.values()) {
    for (const id of node.organism.parents) {
      const parent = byId.get(id);
      if (!parent || parent === node) continue;
      node.parents.push(parent);
      parent.children.push(node);
    }
  }
  const nodes: readonly TreeNode[] = [...byId.values()];
  return { nodes, width, height, trunk, twigs };
}

/**
 * A laid-out tree: the organisms' positions, from (0, 0) to (width, height); the twigs; and the y
 * of the trunk.
 */
export type TreeLayout = ReturnType<typeof layoutTree>;

/**
 * Assigns organisms to places on a pair of twigs. Each organism gets the free place whose y is
 * nearest to the mean y of its parents. If no parent has been placed yet, it gets the free place
 * nearest to the trunk.
 *
 * @param yOf returns the y of an organism; undefined if the organism has not been placed yet
 * @param trunk y of the trunk
 */
function placeGroup(
  group: readonly LineageOrganism[],
  yOf: (id: number) => number | undefined,
  trunk: number,
): Map<LineageOrganism, Place> {
  const free = placesOf(group.length);
  const placed = new Map<LineageOrganism, Place>();
  const wishOf = ({ parents }: LineageOrganism): number | undefined => {
    const known = parents.flatMap((id) => yOf(id) ?? []);
    return known.length > 0 ? known.reduce((a, b) => a + b) / known.length - trunk : undefined;
  };
  const take = (organism: LineageOrganism, wish: number): void => {
    const distances = free.map((place) => Math.abs(reachOf(place) - wish));
    const [place] = free.splice(distances.indexOf(Math.min(...distances)), 1);
    placed.set(organism, place);
  };
  const wishes = group.map((organism) => ({ organism, wish: wishOf(organism) }));
  for (const { organism, wish } of wishes) if (wish !== undefined) take(organism, wish);
  for (const { organism, wish } of wishes) if (wish === undefined) take(organism, 0);
  return placed;
}

/** A size on the canvas, in px. */
export type Size = Pick<Rect, 'width' | 'height'>;
/** A point: on the canvas (in px) or in the tree (in picture widths). */
type Point = Pick<Rect, 'x' | 'y'>;

/** Margins around the whole tree, in px. */
type Edges = Readonly<Record<'top' | 'bottom' | 'side', number>>;

/** Maximum width of a picture, in px. */
const CLOSEST = 320;
/**
 * `CLOSE`: width of a picture in a close-up. `WHOLE`: maximum width of a picture while the whole
 * tree is shown. Both in px.
 */
const CLOSE = 120;
const WHOLE = 170;

/** Converts between positions in a tree and on a canvas. */
export class TreeCamera {
  /** Width of a picture, in px. */
  scale = 1;
  /** The point of the tree in the middle of the canvas, in picture widths. */
  x = 0;
  y = 0;
  /** Maximum width of a picture while the whole tree is shown, in px. */
  closest = WHOLE;
  private size: Size = { width: 1, height: 1 };
  private edges: Edges = { top: 0, bottom: 0, side: 0 };

  /**
   * @param forward direction in which time runs on the canvas: 1 for right; −1 for left, in
   *   languages written from right to left
   */
  constructor(
    private readonly layout: Pick<TreeLayout, 'width' | 'height'>,
    readonly forward: 1 | -1 = 1,
  ) {}

  /** The scale that shows the whole tree. */
  private get least(): number {
    const { width, height } = this.size;
    const { top, bottom, side } = this.edges;
    // In a small window, the margins may leave no space. At least 1 px keeps the scale positive.
    return Math.min(
      Math.max(1, width - 2 * side) / this.layout.width,
      Math.max(1, height - top - bottom) / this.layout.height,
      this.closest,
    );
  }

  /** Adapts the view to a new canvas size and new margins. */
  resize(size: Size, edges: Edges): void {
    const wasWhole = this.isWhole;
    this.size = size;
    this.edges = edges;
    if (wasWhole) this.fit();
    else this.keepInside();
  }

  get isWhole(): boolean {
    return this.scale <= this.least * 1.001 || this.size.width <= 1;
  }

  fit(): void {
    const { top, bottom } = this.edges;
    this.scale = this.least;
    this.x = this.layout.width / 2;
    this.y = this.layout.height / 2 + (bottom - top) / 2 / this.scale;
  }

  panBy(dx: number, dy: number): void {
    this.x -= (this.forward * dx) / this.scale;
    this.y -= dy / this.scale;
    this.keepInside();
  }

  /** Zooms in or out around the point (x, y) of the canvas, in px. */
  zoomAbout(x: number, y: number, factor: number): void {
    const at = this.toTree(x, y);
    this.scale = Math.max(this.least, Math.min(CLOSEST, this.scale * factor));
    const { width, height } = this.size;
    this.x = at.x - (this.forward * (x - width / 2)) / this.scale;
    this.y = at.y - (y - height / 2) / this.scale;
    this.keepInside();
  }

  zoom(factor: number): void {
    this.zoomAbout(this.size.width / 2, this.size.height / 2, factor);
  }

  /**
   * Moves the view so that an organism's card does not cover the organism. Enlarges the tree if the
   * organism is small.
   *
   * @param below height of the strip that the card covers at the bottom of the canvas, in px
   * @param end width of the strip that the card covers at the side of the canvas where lines of
   *   text end (right, or left in languages written from right to left), in px
   */
  lookAt({ x, y }: Pick<TreeNode, 'x' | 'y'>, below: number, end: number): void {
    this.scale = Math.max(this.scale, CLOSE);
    this.x = x + end / 2 / this.scale;
    this.y = y + (below - this.edges.top) / 2 / this.scale;
    this.keepInside();
  }

  toScreen(x: number, y: number): Point {
    const { width, height } = this.size;
    return {
      x: width / 2 + this.forward * this.scale * (x - this.x),
      y: height / 2 + this.scale * (y - this.y),
    };
  }

  toTree(x: number, y: number): Point {
    const { width, height } = this.size;
    return {
      x: this.x + (this.forward * (x - width / 2)) / this.scale,
      y: this.y + (y - height / 2) / this.scale,
    };
  }

  private keepInside(): void {
    if (this.isWhole) {
      this.fit();
      return;
    }
    const { width, height } = this.layout;
    this.x = Math.max(0, Math.min(width, this.x));
    this.y = Math.max(0, Math.min(height, this.y));
  }
}

/**
 * Returns the organism nearest to a point of the tree; undefined if none is within reach.
 *
 * @param reach maximum distance from the point to the middle of a picture, in picture widths
 */
export function nodeAt(nodes: readonly TreeNode[], { x, y }: Point, reach: number) {
  let [nearest, least]: [TreeNode | undefined, number] = [undefined, reach];
  for (const node of nodes) {
    const distance = Math.hypot(node.x - x, node.y - y);
    if (distance < least) [nearest, least] = [node, distance];
  }
  return nearest;
}
