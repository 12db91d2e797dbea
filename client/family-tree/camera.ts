/** Decides which part of a family tree a canvas shows. Pure. */
import type { Rect } from '../../shared/geometry.ts';
import type { TreeLayout, TreeNode } from './layout.ts';

/** A size on the canvas, in px. */
export type Size = Pick<Rect, 'width' | 'height'>;
/** A point: on the canvas, in px; in the tree, in picture widths. */
type Point = Pick<Rect, 'x' | 'y'>;

/** Margins around the whole tree, in px. */
export interface Edges {
  readonly top: number;
  readonly bottom: number;
  readonly side: number;
}

/**
 * Sizes of two strips of the canvas that an organism's card covers, in px: at the bottom, and at
 * the side where lines of text end.
 */
export interface Covered {
  readonly below: number;
  readonly end: number;
}

/** Maximum width of a picture, in px. */
const CLOSEST = 320;
/** Width of a picture in a close-up, in px, and its maximum width while the whole tree is shown. */
const CLOSE = 120;
const WHOLE = 170;

/** Maps a tree to a canvas. */
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

  /** @param forward 1; −1 if text, and therefore time, runs from right to left */
  constructor(
    private readonly layout: Pick<TreeLayout, 'width' | 'height'>,
    readonly forward: 1 | -1 = 1,
  ) {}

  /** The scale that shows the whole tree. */
  private get least(): number {
    const { width, height } = this.size;
    const { top, bottom, side } = this.edges;
    // In a low window, the margins may exceed the height, so leave at least 1 px for the tree.
    return Math.min(
      Math.max(1, width - 2 * side) / this.layout.width,
      Math.max(1, height - top - bottom) / this.layout.height,
      this.closest,
    );
  }

  /** Adapts to a new size of the canvas. */
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

  /**
   * Zooms about a point, which stays in its position.
   *
   * @param x in px of the canvas
   * @param y in px of the canvas
   */
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

  /** Moves an organism into the uncovered part of the canvas, enlarged if it is small. */
  lookAt({ x, y }: Pick<TreeNode, 'x' | 'y'>, { below, end }: Covered): void {
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
 * Returns the organism at a point of the tree, if any.
 *
 * @param reach maximum distance between the point and the middle of the organism's picture
 */
export function nodeAt(
  nodes: readonly TreeNode[],
  { x, y }: Point,
  reach: number,
): TreeNode | undefined {
  const distance = (node: TreeNode): number => Math.hypot(node.x - x, node.y - y);
  let nearest: TreeNode | undefined;
  for (const node of nodes) {
    if (distance(node) < (nearest ? distance(nearest) : reach)) nearest = node;
  }
  return nearest;
}
