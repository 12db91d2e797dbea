/**
 * Draws a family tree on a canvas, for the lineage page, for its printed picture and for walls. It
 * never handles input. Read `layout.ts` first, which positions the organisms.
 */
import type { LineagePage } from '../../shared/lineage.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { FONTS, oklch, ownerColor, type Rgb } from '../style/fragments.ts';
import type { Size, TreeCamera } from './camera.ts';
import type { TreeLayout, TreeNode } from './layout.ts';
import type { Picture, TreePictures } from './pictures.ts';
import { momentIn, timeMarks } from './time-marks.ts';

type Context = CanvasRenderingContext2D;

/** The colours of a tree. */
export interface TreeInk {
  readonly ground: string;
  readonly disc: string;
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly warm: string;
  readonly alarm: string;
  readonly accent: string;
  /** Returns the colour of a planter. @param hue in degrees */
  readonly planter: (hue: number) => Rgb;
}

export const SCREEN_INK: TreeInk = {
  ground: '#0e1214',
  disc: '#161c1f',
  ink: '#e9efee',
  soft: '#a9b5b8',
  grid: 'rgba(220, 238, 240, 0.09)',
  warm: '#f0cf95',
  alarm: '#f0957c',
  accent: '#b5ead2',
  planter: ownerColor,
};

export const PAPER_INK: TreeInk = {
  ground: '#f7f4ec',
  disc: '#e9e3d4',
  ink: '#1d2426',
  soft: '#5b6669',
  grid: 'rgba(40, 55, 60, 0.12)',
  warm: '#c9862b',
  alarm: '#c0402a',
  accent: '#2e7d63',
  planter: (hue) => oklch(0.6, 0.12, hue),
};

/** A tree with all parameters of its drawing. */
export interface TreeScene {
  readonly page: LineagePage;
  readonly layout: TreeLayout;
  readonly camera: TreeCamera;
  readonly pictures: TreePictures;
  readonly size: Size;
  readonly ink: TreeInk;
  /** Size of the smallest text, in px. */
  readonly textSize: number;
  /** The x, in the layout, up to which the tree has grown. */
  readonly until: number;
  /** The selected organism. */
  readonly chosen?: TreeNode | undefined;
  /** Returns the names of an organism and of its planter. */
  readonly names: (node: TreeNode) => readonly [name: string, planter: string];
  /** Language tag of the axis labels, and their y, in px. */
  readonly locale: string;
  readonly marksAt: number;
  /**
   * The y at which the lines below the axis labels end. If undefined, they end at the canvas's
   * edge.
   */
  readonly marksEnd?: number;
}

/** Minimum distance between two axis labels, in text sizes. */
const MARK = 7;
/** Radius of the disc behind a picture, in widths of a picture. */
const DISC = 0.56;
/**
 * Minimum widths of a picture, in text sizes: for writing the organism's name, and its planter's.
 */
const NAMED = 3.4;
const PLANTED = 5.2;
/** Maximum number of wounds drawn as dots, and the minimum width of a picture with dots, in px. */
const MOST_DOTS = 5;
const DOTTED = 12;

/** Returns the colour of an organism's planter. */
function colourOf({ organism: { planter } }: TreeNode, ink: TreeInk, alpha = 1): string {
  const rgb = planter.id === HOUSE.id ? HOUSE_COLOUR : ink.planter(planter.hue);
  return `rgb(${rgb.map((part) => Math.round(255 * part)).join(' ')} / ${alpha})`;
}

const HOUSE_COLOUR = [0.6, 0.64, 0.64] as const;

/** Draws the tree; the canvas must be empty. */
export function paintTree(to: Context, scene: TreeScene): void {
  const { layout, camera, size, chosen } = scene;
  const kin = chosen && lineOf(chosen);
  const isFaint = (node: TreeNode): boolean => kin !== undefined && !kin.has(node);
  const seen = layout.nodes.filter((node) => isSeen(node, scene));
  paintMarks(to, scene);
  to.save();
  // While the tree is still growing, draw it only up to the moment that it has reached.
  const edge = camera.toScreen(scene.until, 0).x;
  to.beginPath();
  if (camera.forward > 0) to.rect(-size.width, 0, edge + size.width, size.height);
  else to.rect(edge, 0, 3 * size.width, size.height);
  to.clip();
  for (const node of seen) {
    to.globalAlpha = isFaint(node) ? 0.22 : 1;
    paintLife(to, node, scene);
  }
  for (const node of layout.nodes) {
    for (const parent of node.parents) {
      const isOfKin = kin?.has(node) && kin.has(parent);
      to.globalAlpha = kin && !isOfKin ? 0.14 : 1;
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

function isSeen({ x, y, end }: TreeNode, { camera, size }: TreeScene): boolean {
  const [a, b] = [camera.toScreen(x, y), camera.toScreen(end, y)];
  const reach = 2 * camera.scale;
  const [left, right] = a.x < b.x ? [a.x, b.x] : [b.x, a.x];
  return (
    right > -reach && left < size.width + reach && a.y > -reach && a.y < size.height + 2 * reach
  );
}

function paintMarks(to: Context, { page, layout, camera, size, ink, ...scene }: TreeScene): void {
  to.font = `400 ${scene.textSize}px ${FONTS}`;
  to.textAlign = 'center';
  to.textBaseline = 'top';
  for (const mark of timeMarks(layout, page, (MARK * scene.textSize) / camera.scale)) {
    const at = Math.round(camera.toScreen(mark.x, 0).x) + 0.5;
    if (at < -60 || at > size.width + 60) continue;
    to.strokeStyle = ink.grid;
    to.lineWidth = Math.max(1, scene.textSize / 14);
    to.beginPath();
    to.moveTo(at, scene.marksAt + 1.7 * scene.textSize);
    to.lineTo(at, scene.marksEnd ?? size.height);
    to.stroke();
    to.fillStyle = ink.soft;
    to.fillText(momentIn(scene.locale, page, mark.at), at, scene.marksAt);
  }
}

/** Draws the line of an organism's life, and a sign for how it ended. */
function paintLife(to: Context, node: TreeNode, { camera, ink }: TreeScene): void {
  const { scale, forward } = camera;
  const { died, cause } = node.organism;
  if (node.end - node.x < DISC) return;
  const from = camera.toScreen(node.x + DISC, node.y);
  const end = camera.toScreen(node.end, node.y).x;
  to.lineCap = 'round';
  to.lineWidth = Math.max(0.75, 0.06 * scale);
  const fade = to.createLinearGradient(from.x, 0, end, 0);
  fade.addColorStop(0, colourOf(node, ink, 0.75));
  fade.addColorStop(1, colourOf(node, ink, cause === 'departed' ? 0.06 : 0.55));
  to.strokeStyle = fade;
  line(to, from.x, from.y, end, from.y);
  const r = 0.13 * scale;
  if (died === undefined) {
    to.fillStyle = colourOf(node, ink);
    dot(to, end, from.y, Math.max(1.2, 0.1 * scale));
  } else {
    to.lineWidth = Math.max(0.75, 0.05 * scale);
    if (cause === 'departed') {
      to.fillStyle = colourOf(node, ink, 0.5);
      for (const [x, y, size] of DUST) {
        dot(to, end + forward * x * scale, from.y + y * scale, size * scale);
      }
    } else if (cause === 'killed') {
      to.strokeStyle = ink.alarm;
      line(to, end - r, from.y - r, end + r, from.y + r);
      line(to, end - r, from.y + r, end + r, from.y - r);
    } else {
      to.strokeStyle = ink.soft;
      line(to, end, from.y - r, end, from.y + r);
    }
  }
}

/** Position and radius of the specks around the end of an organism that dissolved. */
export const DUST = [
  [-0.18, -0.09, 0.03],
  [-0.05, 0.08, 0.025],
  [0.06, -0.05, 0.02],
  [0.16, 0.04, 0.015],
  [0.27, -0.06, 0.012],
] as const;

/**
 * Draws a line from a parent's life to the birth of its child, or into the life of an older child.
 */
function paintBranch(
  to: Context,
  parent: TreeNode,
  child: TreeNode,
  { camera, ink }: TreeScene,
): void {
  // Bend lines to distant rows earlier, because many lines that bend at the same x would look like
  // a wall.
  const way = 1.2 + 0.3 * Math.abs(child.y - parent.y);
  const left = Math.max(parent.x + DISC * 0.8, Math.min(child.x - way, parent.end));
  const a = camera.toScreen(left, parent.y);
  const turned = child.x < parent.x ? Math.min(left + way, child.end) : 0;
  const right = Math.max(child.x - DISC, turned);
  const b = camera.toScreen(right, child.y);
  const bend =
    camera.forward * camera.scale * Math.max(0.5, (Math.max(child.x, turned) - left) / 2);
  const tint = to.createLinearGradient(a.x, a.y, b.x, b.y);
  tint.addColorStop(0, colourOf(parent, ink, 0.85));
  tint.addColorStop(1, colourOf(child, ink, 0.85));
  to.strokeStyle = tint;
  to.lineCap = 'round';
  to.lineWidth = Math.max(0.8, 0.075 * camera.scale);
  to.beginPath();
  to.moveTo(a.x, a.y);
  to.bezierCurveTo(a.x + bend, a.y, b.x - bend, b.y, b.x, b.y);
  to.stroke();
}

/**
 * Draws an organism's disc, picture and names.
 *
 * @param grown how far the picture has grown, 0 to 1
 */
function paintOrganism(to: Context, node: TreeNode, grown: number, scene: TreeScene): void {
  const { camera, chosen, textSize, ink } = scene;
  const { organism } = node;
  const { x, y } = camera.toScreen(node.x, node.y);
  const scale = camera.scale * grown * (2 - grown);
  to.fillStyle = ink.disc;
  dot(to, x, y, DISC * scale);
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
  if (camera.scale < NAMED * textSize || grown < 1) return;
  const [name, planter] = scene.names(node);
  const below = y + (DISC + 0.14) * scale;
  to.textAlign = 'center';
  to.textBaseline = 'top';
  const common = { x, ground: ink.ground, widest: 2.1 * camera.scale };
  write(to, name, { ...common, y: below, size: textSize, colour: ink.ink });
  if (camera.scale < PLANTED * textSize || planter === '') return;
  const next = { y: below + 1.25 * textSize, size: 0.9 * textSize };
  write(to, planter, { ...common, ...next, colour: ink.soft });
}

/** Draws the picture, or a seed if there is none yet. */
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
 * Writes a text, shortened to a maximum width, with a halo that separates it from lines below it.
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
