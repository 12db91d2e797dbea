/**
 * Draws a family tree on a canvas: for the family-tree page, for printing, and for walls (large
 * displays in an exhibition).
 */
import { HOUSE } from '../../shared/vocabulary.ts';
import { FONTS, oklch, ownerColor } from '../style/fragments.ts';
import { CELL, type Size, type TreeCamera, type TreeLayout, type TreeNode } from './layout.ts';
import type { Picture, TreePictures } from './pictures.ts';

type Context = CanvasRenderingContext2D;

/** The colours of a tree on a screen. */
export const SCREEN_INK = {
  ground: '#0e1214',
  disc: '#161c1f',
  ink: '#e9efee',
  soft: '#a9b5b8',
  stem: '#33413d',
  warm: '#f0cf95',
  alarm: '#f0957c',
  accent: '#b5ead2',
  /** Returns the colour of a planter, from a hue in degrees. */
  planter: ownerColor,
};

export type TreeInk = Readonly<typeof SCREEN_INK>;

export const PAPER_INK: TreeInk = {
  ground: '#f7f4ec',
  disc: '#e9e3d4',
  ink: '#1d2426',
  soft: '#5b6669',
  stem: '#d3c9b1',
  warm: '#c9862b',
  alarm: '#c0402a',
  accent: '#2e7d63',
  planter: (hue) => oklch(0.6, 0.12, hue),
};

/** A tree, and everything needed to draw it. */
export interface TreeScene {
  readonly layout: TreeLayout;
  readonly camera: TreeCamera;
  readonly pictures: TreePictures;
  readonly size: Size;
  readonly ink: TreeInk;
  /** Size of the smallest text, in px. */
  readonly textSize: number;
  /**
   * The tree is drawn only up to this x, in picture widths. The value increases while the page
   * plays back the tree's growth.
   */
  readonly until: number;
  readonly chosen?: TreeNode | undefined;
  readonly names: (node: TreeNode) => readonly [name: string, planter: string];
}

type Point = Record<'x' | 'y', number>;

/**
 * Thickness of the trunk, of a twig (a side branch of the trunk) and of a branch (a line from a
 * parent to a child), each at its base and at its tip, in picture widths.
 */
const TRUNK = [0.36, 0.14] as const;
const TWIG = [0.14, 0.05] as const;
const BRANCH = [0.17, 0.05] as const;
/** Number of straight pieces that approximate a curve. */
const PIECES = 14;
/** Radius of the disc behind a picture, in picture widths. */
const DISC = 0.56;
/**
 * Minimum width of a picture for writing a name below it, as a multiple of the text size. `NAMED`:
 * for the organism's name. `PLANTED`: for the planter's name.
 */
const NAMED = 3;
const PLANTED = 5.2;
/** Minimum font size of a name, in picture widths. */
const NAME = 0.12;
/**
 * `MOST_DOTS`: maximum number of dots around a picture, one per healed wound. `DOTTED`: minimum
 * width of a picture, in px, for drawing the dots and the sign that shows whether the organism
 * lives.
 */
const MOST_DOTS = 5;
const DOTTED = 12;

function colourOf({ organism: { planter } }: TreeNode, ink: TreeInk, alpha = 1): string {
  const rgb = planter.id === HOUSE.id ? HOUSE_COLOUR : ink.planter(planter.hue);
  return `rgb(${rgb.map((part) => Math.round(255 * part)).join(' ')} / ${alpha})`;
}

const HOUSE_COLOUR = [0.6, 0.64, 0.64] as const;

/** Draws the tree. */
export function paintTree(to: Context, scene: TreeScene): void {
  const { layout, camera, size, chosen } = scene;
  const kin = chosen && lineOf(chosen);
  const isFaint = (node: TreeNode): boolean => kin !== undefined && !kin.has(node);
  const seen = layout.nodes.filter((node) => isSeen(node, scene));
  to.save();
  // Clip the branches to the part of the tree that has grown so far.
  const edge = camera.toScreen(scene.until, 0).x;
  to.beginPath();
  if (camera.forward > 0) to.rect(-size.width, 0, edge + size.width, size.height);
  else to.rect(edge, 0, 3 * size.width, size.height);
  to.clip();
  paintStem(to, scene);
  // The more organisms a tree has, the more transparent its branches are.
  const clear = Math.max(0.35, Math.min(1, Math.sqrt(60 / layout.nodes.length)));
  for (const node of layout.nodes) {
    for (const parent of node.parents) {
      const isOfKin = kin?.has(node) && kin.has(parent);
      to.globalAlpha = kin && !isOfKin ? 0.14 : isOfKin ? 1 : clear;
      paintBranch(to, parent, node, scene);
    }
  }
  to.restore();
  for (const node of seen) {
    const grown = Math.max(0, Math.min(1, (scene.until - node.x) / 0.7 + 0.6));
    if (grown === 0) continue;
    to.globalAlpha = isFaint(node) ? 0.3 : 1;
    paintOrganism(to, node, grown, scene);
  }
  to.globalAlpha = 1;
}

/** Returns an organism with all its ancestors and all its descendants. */
function lineOf(node: TreeNode): Set<TreeNode> {
  const kin = new Set<TreeNode>([node]);
  const follow = (one: TreeNode, to: 'parents' | 'children'): void => {
    for (const next of one[to]) {
      if (kin.has(next)) continue;
      kin.add(next);
      follow(next, to);
    }
  };
  follow(node, 'parents');
  follow(node, 'children');
  return kin;
}

function isSeen(node: TreeNode, { camera, size }: TreeScene): boolean {
  const { x, y } = camera.toScreen(node.x, node.y);
  const reach = 2 * camera.scale;
  return x > -reach && x < size.width + reach && y > -reach && y < size.height + reach;
}

/**
 * Draws a Bézier curve whose width changes evenly from its start to its end.
 *
 * @param curve start, two control points and end of the curve, in px
 * @param widths width of the curve at its start and at its end, in px
 */
function taper(
  to: Context,
  [a, b, c, d]: readonly [Point, Point, Point, Point],
  [wide, thin]: readonly [number, number],
): void {
  const left: Point[] = [];
  const right: Point[] = [];
  for (let i = 0; i <= PIECES; i++) {
    const t = i / PIECES;
    const s = 1 - t;
    const at = (of: 'x' | 'y'): number =>
      s ** 3 * a[of] + 3 * s * s * t * b[of] + 3 * s * t * t * c[of] + t ** 3 * d[of];
    const slope = (of: 'x' | 'y'): number =>
      s * s * (b[of] - a[of]) + 2 * s * t * (c[of] - b[of]) + t * t * (d[of] - c[of]);
    const [x, y, dx, dy] = [at('x'), at('y'), slope('x'), slope('y')];
    const half = Math.max(0.4, (wide + (thin - wide) * t) / 2) / (Math.hypot(dx, dy) || 1);
    left.push({ x: x - dy * half, y: y + dx * half });
    right.unshift({ x: x + dy * half, y: y - dx * half });
  }
  to.beginPath();
  for (const { x, y } of [...left, ...right]) to.lineTo(x, y);
  to.fill();
}

function paintStem(to: Context, { layout, camera, ink, size }: TreeScene): void {
  const { scale } = camera;
  const { width, trunk, twigs } = layout;
  const px = (widths: readonly [number, number]) =>
    widths.map((one) => one * scale) as [number, number];
  const at = (x: number, y: number): Point => camera.toScreen(x, y);
  to.fillStyle = ink.stem;
  // Start the trunk outside the canvas, so that it seems to grow in from the canvas's edge.
  const edge = camera.toTree(camera.forward > 0 ? 0 : size.width, 0).x;
  const foot = at(Math.min(-0.6, edge - 0.2), trunk + 0.1);
  const tip = Math.max(0.5, ...twigs.map(({ x }) => x + 0.1));
  const sway = Math.min(0.25, width / 24);
  const bends = [at(tip / 3, trunk - sway), at((2 * tip) / 3, trunk + sway)] as const;
  taper(to, [foot, ...bends, at(tip, trunk)], px(TRUNK));
  for (const { x, nodes } of twigs) {
    const root = at(x, trunk);
    dot(to, root.x, root.y, (TWIG[0] / 2) * scale);
    let from: Point = { x, y: trunk };
    let thick: number = TWIG[0];
    for (const node of nodes) {
      const thin = thick - (TWIG[0] - TWIG[1]) / nodes.length;
      const rise = (node.y - from.y) / 2;
      const isRoot = node === nodes[0];
      const bent = isRoot ? at(from.x + CELL.width / 3, from.y) : at(from.x, from.y + rise);
      const end = at(node.x, node.y);
      taper(to, [at(from.x, from.y), bent, at(node.x, node.y - rise), end], px([thick, thin]));
      [from, thick] = [node, thin];
    }
  }
}

/** Draws a small sign next to an organism, to show whether it lives or how it died. */
function paintEnd(to: Context, node: TreeNode, { camera, ink }: TreeScene): void {
  const { scale, forward } = camera;
  const { died, cause } = node.organism;
  const { x, y } = camera.toScreen(node.x, node.y);
  const end = { x: x + forward * 0.42 * scale, y: y + 0.42 * scale };
  const r = 0.09 * scale;
  to.fillStyle = ink.disc;
  dot(to, end.x, end.y, 0.16 * scale);
  to.lineCap = 'round';
  to.lineWidth = Math.max(0.75, 0.045 * scale);
  to.strokeStyle = cause === 'killed' ? ink.alarm : ink.soft;
  to.fillStyle = colourOf(node, ink);
  if (died === undefined) dot(to, end.x, end.y, r);
  else if (cause === 'departed') {
    for (const [dx, dy, size] of DUST) {
      dot(to, end.x + 0.5 * forward * dx * scale, end.y + 0.7 * dy * scale, size * scale);
    }
  } else if (cause === 'killed') {
    line(to, end.x - r, end.y - r, end.x + r, end.y + r);
    line(to, end.x - r, end.y + r, end.x + r, end.y - r);
  } else line(to, end.x, end.y - r, end.x, end.y + r);
}

/**
 * The dots of the sign for an organism that has departed (dissolved): x, y and radius of each, in
 * picture widths. The dots look like dust.
 */
export const DUST = [
  [-0.18, -0.09, 0.03],
  [-0.05, 0.08, 0.025],
  [0.06, -0.05, 0.02],
  [0.16, 0.04, 0.015],
  [0.27, -0.06, 0.012],
] as const;

function paintBranch(
  to: Context,
  parent: TreeNode,
  child: TreeNode,
  { camera, ink }: TreeScene,
): void {
  const { scale, forward } = camera;
  const [a, b] = [camera.toScreen(parent.x, parent.y), camera.toScreen(child.x, child.y)];
  const bend = forward * scale * Math.max(0.9, Math.abs(child.x - parent.x) / 2);
  const tint = to.createLinearGradient(a.x, a.y, b.x, b.y);
  tint.addColorStop(0, colourOf(parent, ink, 0.9));
  tint.addColorStop(1, colourOf(child, ink, 0.9));
  to.fillStyle = tint;
  const widths = [BRANCH[0] * scale, BRANCH[1] * scale] as const;
  taper(to, [a, { x: a.x + bend, y: a.y }, { x: b.x - bend, y: b.y }, b], widths);
}

/**
 * Draws an organism's disc, picture and names.
 *
 * @param grown progress of the picture's growth, from 0 to 1 (full size)
 */
function paintOrganism(to: Context, node: TreeNode, grown: number, scene: TreeScene): void {
  const { camera, chosen, textSize, ink } = scene;
  const { organism } = node;
  const { x, y } = camera.toScreen(node.x, node.y);
  const scale = camera.scale * grown * (2 - grown);
  // Draw the disc opaque, even for a faint organism, so that it hides the branches behind it.
  const alpha = to.globalAlpha;
  to.globalAlpha = 1;
  to.fillStyle = ink.disc;
  dot(to, x, y, DISC * scale);
  to.globalAlpha = alpha;
  to.strokeStyle = node === chosen ? ink.accent : colourOf(node, ink, 0.6);
  to.lineWidth = Math.max(0.75, (node === chosen ? 0.07 : 0.028) * scale);
  to.stroke();
  paintPicture(to, scene.pictures.of(organism), ink, { x, y, scale });
  const dots = scale < DOTTED ? 0 : Math.min(MOST_DOTS, organism.healed);
  to.fillStyle = ink.warm;
  for (let i = 0; i < dots; i++) {
    const angle = -Math.PI / 2 + (i - (dots - 1) / 2) * 0.36;
    const reach = (DISC + 0.12) * scale;
    dot(to, x + reach * Math.cos(angle), y + reach * Math.sin(angle), Math.max(1, 0.05 * scale));
  }
  if (scale >= DOTTED) paintEnd(to, node, scene);
  if (camera.scale < NAMED * textSize || grown < 1) return;
  const [name, planter] = scene.names(node);
  const below = y + (DISC + 0.1) * scale;
  to.textAlign = 'center';
  to.textBaseline = 'top';
  const widest = 0.97 * CELL.width * camera.scale;
  const size = Math.max(textSize, NAME * camera.scale);
  const common = { x, ground: ink.ground, widest };
  write(to, name, { ...common, y: below, size, colour: ink.ink });
  if (camera.scale < PLANTED * textSize || planter === '') return;
  const next = { y: below + 1.2 * size, size: 0.85 * size };
  write(to, planter, { ...common, ...next, colour: ink.soft });
}

/** Draws an organism's picture, or a seed if the picture has not arrived yet. */
function paintPicture(
  to: Context,
  picture: Picture | undefined,
  ink: TreeInk,
  { x, y, scale }: Record<'x' | 'y' | 'scale', number>,
): void {
  if (!picture) {
    to.fillStyle = ink.accent;
    to.globalAlpha *= 0.6;
    dot(to, x, y, 0.1 * scale);
    return;
  }
  const { image, side } = picture;
  to.drawImage(image, picture.x, picture.y, side, side, x - scale / 2, y - scale / 2, scale, scale);
}

/**
 * Draws a text, shortened to a maximum width, with a halo that separates it from lines behind it.
 */
function write(
  to: Context,
  text: string,
  place: Record<'x' | 'y' | 'size' | 'widest', number> & Record<'colour' | 'ground', string>,
): void {
  const { x, y, size, widest } = place;
  to.font = `500 ${size}px ${FONTS}`;
  let shown = text;
  if (to.measureText(shown).width > widest) {
    const letters = [...text];
    while (letters.length > 1 && to.measureText(`${letters.join('')}…`).width > widest) {
      letters.pop();
    }
    shown = `${letters.join('').trimEnd()}…`;
  }
  to.strokeStyle = place.ground;
  to.lineWidth = 0.3 * size;
  to.lineJoin = 'round';
  to.strokeText(shown, x, y);
  to.fillStyle = place.colour;
  to.fillText(shown, x, y);
}

export function dot(to: Context, x: number, y: number, radius: number): void {
  to.beginPath();
  to.arc(x, y, radius, 0, 2 * Math.PI);
  to.fill();
}

export function line(to: Context, x0: number, y0: number, x1: number, y1: number): void {
  to.beginPath();
  to.moveTo(x0, y0);
  to.lineTo(x1, y1);
  to.stroke();
}
