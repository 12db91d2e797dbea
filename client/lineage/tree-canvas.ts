/** The canvas of a family tree: draws the tree, and lets pointers and keys move it. */
import type { LineagePage } from '../../shared/lineage.ts';
import { type Covered, type Edges, layoutTree, nodeAt, TreeCamera, type TreeLayout, type TreeNode } from '../family-tree/layout.ts';
import { dot, DUST, line, paintTree, PAPER_INK, SCREEN_INK, type TreeInk, type TreeScene } from '../family-tree/paint.ts';
import { TreePictures } from '../family-tree/pictures.ts';
import { namesOf, sizeText } from '../family-tree/tree-text.ts';
import { bindCanvas, type CanvasHand } from '../input/canvas-input.ts';
import { arrowMove } from '../input/keyboard.ts';
import { msg } from '@lit/localize';
import { FONTS } from '../style/fragments.ts';
import { canvasOf } from '../keepsake/specimen.ts';
import { formats } from '../locale/locale.ts';

/** Distance that an arrow key moves the tree, in px, and factor of a zoom key. */
const PAN = 90;
const ZOOM = 1.4;
/** Duration of the growth when a tree opens, in ms. */
const GROWTH = 3_000;
/** Maximum distance between a tap and an organism, in px. */
const REACH = 26;
/** Minimum width of a window with a legend, and where the legend begins, in px. */
const LEGEND = 1_100;
const LEGEND_START = 330;
/** Size of names, in px. */
const TEXT = 12;
/** Minimum ratio of a tree's width to its height. */
const LEAST_ASPECT = 0.4;
/** Factor by which the aspect ratio must change for a window to count as turned. */
const TURNED = 1.4;

export class TreeCanvas {
  layout!: TreeLayout;
  camera!: TreeCamera;
  readonly pictures: TreePictures;
  chosen: TreeNode | undefined;
  private readonly unbind: () => void;
  private readonly watch: ResizeObserver;
  private frame = 0;
  private since: number | undefined;
  private size = { width: 1, height: 1 };
  /** Ratio of width to height of the free area that the tree was laid out for. */
  private aspect = 0;

  constructor(
    private readonly options: {
      readonly canvas: HTMLCanvasElement;
      readonly page: LineagePage;
      readonly room: string;
      /** Whether time runs from right to left. */
      readonly isMirrored: boolean;
      /** Whether the tree grows when it opens. */
      readonly grows: boolean;
      /** Returns the margins that other elements cover, in px. */
      readonly edges: () => Edges;
      /** Returns the part that an organism's card covers. */
      readonly covered: () => Covered;
      /** Called when another organism is selected, or none. */
      readonly onChoose: (node: TreeNode | undefined) => void;
      /** Called when another picture has arrived. */
      readonly onPicture: () => void;
    },
  ) {
    const { canvas, page, room } = options;
    this.pictures = new TreePictures(room, page, () => {
      options.onPicture();
      this.invalidate();
    });
    void this.pictures.open();
    const stopPointers = bindCanvas(canvas, this.hand());
    canvas.addEventListener('keydown', this.press);
    this.unbind = () => {
      stopPointers();
      canvas.removeEventListener('keydown', this.press);
    };
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(canvas);
    this.resize();
  }

  /** Draws the tree in the next frame. */
  invalidate(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      this.draw(now);
    });
  }

  zoom(factor: number): void {
    this.camera.zoom(factor);
    this.invalidate();
  }

  fit(): void {
    this.camera.fit();
    this.resize();
  }

  /** Selects an organism and moves it into view; undefined clears the selection. */
  choose(node: TreeNode | undefined): void {
    this.chosen = node;
    if (node) this.camera.lookAt(node, this.options.covered());
    this.options.onChoose(node);
    this.invalidate();
  }

  /** Clears the canvas, removes all listeners and stops loading pictures. */
  close(): void {
    this.options.canvas.width = 0;
    this.unbind();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    this.pictures.close();
  }

  private resize(): void {
    const { canvas, edges } = this.options;
    const { width, height } = canvas.getBoundingClientRect();
    const ratio = devicePixelRatio;
    this.size = { width, height };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const free = edges();
    const freeHeight = Math.max(1, height - free.top - free.bottom);
    this.fill(Math.max(LEAST_ASPECT, (width - 2 * free.side) / freeHeight));
    this.camera.resize(this.size, free);
    this.draw(performance.now());
  }

  /**
   * Lays the tree out for an aspect ratio when the page opens, and again if a phone is turned while
   * the whole tree is shown.
   */
  private fill(aspect: number): void {
    const { page, isMirrored } = this.options;
    const isTurned = Math.max(aspect / this.aspect, this.aspect / aspect) > TURNED;
    if (this.aspect > 0 && (!isTurned || this.chosen || !this.camera.isWhole)) return;
    this.aspect = aspect;
    this.layout = layoutTree(page, aspect);
    this.camera = new TreeCamera(this.layout, isMirrored ? -1 : 1);
  }

  private draw(now: number): void {
    const { canvas, grows } = this.options;
    const { layout, camera, pictures, chosen, size } = this;
    const to = canvas.getContext('2d');
    if (!to) return;
    this.since ??= now;
    const share = grows ? Math.min(1, (now - this.since) / GROWTH) : 1;
    const ratio = canvas.width / Math.max(1, size.width);
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.clearRect(0, 0, size.width, size.height);
    to.imageSmoothingQuality = 'high';
    const scene = {
      ...{ layout, camera, pictures, chosen, size, ink: SCREEN_INK, textSize: TEXT },
      names: namesOf,
      until: layout.width * share,
    };
    paintTree(to, scene);
    // In a close-up, names would lie behind the legend, so it is omitted.
    if (size.width >= LEGEND && camera.isWhole) {
      const start = camera.forward > 0 ? LEGEND_START : size.width - LEGEND_START;
      paintLegend(to, scene, start, size.height - 38);
    }
    if (share < 1) this.invalidate();
  }

  /**
   * Returns handlers of gestures. They read `this.camera` in each call, because a new layout
   * replaces the camera.
   */
  private hand(): CanvasHand {
    const nothing = (): void => {};
    let last: { readonly x: number; readonly y: number } | undefined;
    return {
      // A drag moves the tree; a press that hardly moves is a tap.
      toolStart: (x, y) => {
        last = { x, y };
      },
      toolMove: (x, y) => {
        if (last) this.camera.panBy(x - last.x, y - last.y);
        last = { x, y };
        this.invalidate();
      },
      toolEnd: (x, y, tap) => {
        last = undefined;
        if (tap) this.tap(x, y);
      },
      toolCancel: () => {
        last = undefined;
      },
      panBy: (dx, dy) => {
        this.camera.panBy(dx, dy);
        this.invalidate();
      },
      zoomAbout: (x, y, factor) => {
        this.camera.zoomAbout(x, y, factor);
        this.invalidate();
      },
      doubleTap: (x, y, fingers) => {
        this.camera.zoomAbout(x, y, fingers === 1 ? ZOOM * ZOOM : 1 / (ZOOM * ZOOM));
        this.invalidate();
      },
      ...{ panEnd: nothing, hover: nothing, leave: nothing },
    };
  }

  private tap(x: number, y: number): void {
    const { camera, layout } = this;
    const reach = Math.max(0.62, REACH / camera.scale);
    const node = nodeAt(layout.nodes, camera.toTree(x, y), reach);
    if (node || this.chosen) this.choose(node);
  }

  private readonly press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.use(event)) return;
    event.preventDefault();
    this.invalidate();
  };

  /** Handles a key press. @returns whether the key has a meaning here */
  private use(event: KeyboardEvent): boolean {
    const move = arrowMove(event, PAN);
    if (move) this.camera.panBy(-move.x, -move.y);
    else if (event.key === '+' || event.key === '=') this.camera.zoom(ZOOM);
    else if (event.key === '-') this.camera.zoom(1 / ZOOM);
    else if (event.key === '0') this.camera.fit();
    else if (event.key === 'n' || event.key === 'Enter') this.meet(1);
    else if (event.key === 'b') this.meet(-1);
    else return false;
    return true;
  }

  /** Selects the organism born after the selected one, or before it. */
  private meet(by: 1 | -1): void {
    const { nodes } = this.layout;
    const at = this.chosen ? nodes.indexOf(this.chosen) + by : by === 1 ? 0 : -1;
    this.choose(nodes.at(at % nodes.length));
  }
}

/**
 * Draws the legend in one line.
 *
 * @param x start of the line: its left end, or its right end if time runs from right to left
 * @param y middle of the line
 */
export function paintLegend(
  to: CanvasRenderingContext2D,
  { camera: { forward }, ink, textSize: size }: Pick<TreeScene, 'camera' | 'ink' | 'textSize'>,
  x: number,
  y: number,
): void {
  let at = 0;
  to.font = `400 ${size}px ${FONTS}`;
  to.textAlign = 'start';
  to.direction = forward > 0 ? 'ltr' : 'rtl';
  to.textBaseline = 'middle';
  for (const [sign, text] of signs(ink, size)) {
    to.lineCap = 'round';
    to.lineWidth = 0.13 * size;
    to.strokeStyle = ink.soft;
    to.fillStyle = ink.soft;
    sign(to, x + forward * (at + 0.7 * size), y, forward);
    to.fillStyle = ink.soft;
    to.fillText(text, x + forward * (at + 1.9 * size), y);
    at += 1.9 * size + to.measureText(text).width + 2 * size;
  }
}

/** Draws a sign around a point. */
type Sign = (to: CanvasRenderingContext2D, x: number, y: number, forward: number) => void;

function signs(ink: TreeInk, size: number): readonly (readonly [Sign, string])[] {
  const r = 0.32 * size;
  return [
    [(to, x, y) => dot(to, x, y, 0.28 * size), msg('lives')],
    [
      (to, x, y, forward) => {
        for (const [dx, dy, radius] of DUST) {
          dot(to, x + forward * 2.2 * dx * size, y + 2.4 * dy * size, 2.6 * radius * size);
        }
      },
      msg('has left'),
    ],
    [
      (to, x, y) => {
        to.strokeStyle = ink.alarm;
        line(to, x - r, y - r, x + r, y + r);
        line(to, x - r, y + r, x + r, y - r);
      },
      msg('died of its wounds'),
    ],
    [
      (to, x, y) => {
        to.fillStyle = ink.warm;
        for (const i of [-1, 0, 1]) dot(to, x + 0.6 * i * size, y, 0.2 * size);
      },
      msg('wounds healed'),
    ],
  ];
}

/** Width and height of the picture, in px. Phones limit a canvas to 2^24 pixels. */
const WIDTH = 4_860;
const HEIGHT = 3_437;
const PRINT_MARGIN = 170;
const HEAD = 540;
const FOOT = 250;
/**
 * Maximum wait for pictures, in ms. Organisms whose picture is still missing are printed as seeds.
 */
const LONGEST = 30_000;
/** Size of the smallest text, in px; 8 points on paper. */
const PRINT_TEXT = 33;

export interface Printed {
  readonly room: string;
  /** Whether time runs from right to left. */
  readonly isMirrored: boolean;
  /**
   * The page's pictures. The print reuses them, because a visitor may request only a few at a time.
   */
  readonly pictures: TreePictures;
}

/**
 * Draws the whole tree and lets the browser save it as a PNG.
 *
 * @throws Error if the browser cannot encode the picture, or the tree was closed while pictures
 *   loaded
 */
export async function savePrint(page: LineagePage, of: Printed): Promise<void> {
  await of.pictures.all(page.organisms, LONGEST);
  if (of.pictures.isClosed) throw new Error('the tree was closed');
  save(await printOf(page, of), `vivarium-${of.room}.png`);
}

/** @throws Error if the browser cannot encode the picture */
async function printOf(page: LineagePage, of: Printed): Promise<Blob> {
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  const size = { width: WIDTH, height: HEIGHT };
  const forward = of.isMirrored ? -1 : 1;
  const layout = layoutTree(page, (WIDTH - 2 * PRINT_MARGIN) / (HEIGHT - HEAD - FOOT));
  const camera = new TreeCamera(layout, forward);
  camera.closest = 840;
  camera.resize(size, { top: HEAD, bottom: FOOT, side: PRINT_MARGIN });
  to.fillStyle = PAPER_INK.ground;
  to.fillRect(0, 0, WIDTH, HEIGHT);
  paintTree(to, {
    ...{ layout, camera, size, pictures: of.pictures, ink: PAPER_INK, textSize: PRINT_TEXT },
    ...{ names: namesOf, until: layout.width },
  });
  paintHead(to, page, of.room, forward);
  const generations = Math.max(...layout.nodes.map(({ generation }) => generation));
  const start = forward > 0 ? PRINT_MARGIN : WIDTH - PRINT_MARGIN;
  const y = HEIGHT - PRINT_MARGIN + 20;
  paintLegend(to, { camera, ink: PAPER_INK, textSize: 1.2 * PRINT_TEXT }, start, y);
  to.textAlign = 'end';
  to.fillText(`${sizeText(page, generations)} · Vivarium`, WIDTH - start, y);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });
}

function paintHead(
  to: CanvasRenderingContext2D,
  { now }: LineagePage,
  room: string,
  forward: 1 | -1,
): void {
  const start = forward > 0 ? PRINT_MARGIN : WIDTH - PRINT_MARGIN;
  to.direction = forward > 0 ? 'ltr' : 'rtl';
  to.textBaseline = 'alphabetic';
  to.textAlign = 'start';
  to.fillStyle = PAPER_INK.ink;
  to.font = `500 ${4.4 * PRINT_TEXT}px ${FONTS}`;
  to.fillText(msg('Family tree'), start, PRINT_MARGIN + 105);
  to.fillStyle = PAPER_INK.soft;
  to.font = `400 ${1.7 * PRINT_TEXT}px ${FONTS}`;
  const date = new Intl.DateTimeFormat(formats(), { dateStyle: 'full' }).format(new Date(now));
  to.fillText(`${room} · ${date}`, start, PRINT_MARGIN + 195);
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Revoke the address later, because the browser reads the file after this call.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
