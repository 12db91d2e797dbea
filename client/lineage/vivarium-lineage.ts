/**
 * The page of a room's family tree, at `/lineage#<room>`. It draws the tree and lets pointers and
 * keys move it, and never joins the room. `lineage-card.ts` describes one organism.
 */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { LANGUAGES } from '../../shared/languages.ts';
import { type LineagePage, lineagePath } from '../../shared/lineage.ts';
import { icons } from '../elements/icons.ts';
import {
  layoutTree,
  nodeAt,
  TreeCamera,
  type TreeLayout,
  type TreeNode,
} from '../family-tree/layout.ts';
import {
  DUST,
  dot,
  line,
  PAPER_INK,
  paintTree,
  SCREEN_INK,
  type TreeScene,
} from '../family-tree/paint.ts';
import { TreePictures } from '../family-tree/pictures.ts';
import { endText, nameOf, namesOf, sizeText } from '../family-tree/tree-text.ts';
import { bindCanvas, type CanvasHand } from '../input/canvas-input.ts';
import { arrowMove } from '../input/keyboard.ts';
import { canvasOf, pngOf } from '../keepsake/picture.ts';
import { formats, knowKinds, language, languageSelect } from '../locale/locale.ts';
import { FONTS } from '../style/fragments.ts';
import { type LineageCard, style } from './lineage-card.ts';

/** Distance that an arrow key moves the tree, in px. */
const PAN = 90;
/** Factor of a zoom key, and of a zoom button. */
const KEY_ZOOM = 1.4;
const BUTTON_ZOOM = 1.5;
/** Duration of the growth when a tree opens, in ms. */
const GROWTH = 3_000;
/** Maximum distance between a tap and an organism, in px. */
const REACH = 26;
/** Minimum width of a window with a legend, and distance of the legend from the window's edge, in px. */
const LEGEND = 1_100;
const LEGEND_START = 330;
/** Size of names, in px. */
const TEXT = 12;
/** Minimum ratio of a tree's width to its height. */
const LEAST_ASPECT = 0.4;
/** Factor by which the aspect ratio must change for a window to count as turned. */
const TURNED = 1.4;
/** Margins around the tree for the page's texts and buttons, in px. */
const EDGES = { top: 108, bottom: 76, side: 8 };
const LOW_EDGES = { top: 84, bottom: 62, side: 8 };
/** Height of a window, in px, below which `LOW_EDGES` apply. */
const LOW = 400;
/**
 * An organism's card is at the bottom of windows up to `NARROW` px wide, unless they are low.
 * Otherwise it is at the side, `CARD` px wide.
 */
const NARROW = 600;
const CARD = 330;

/** The page's root element. Scripts may read `phase`, `layout` and `camera`. */
@customElement('vivarium-lineage')
@localized()
export class VivariumLineage extends LitElement {
  static override styles = style;

  @state() phase: 'loading' | 'shown' | 'empty' | 'no-room' | 'closed' | 'unreachable' = 'loading';
  /** Positions of the organisms; undefined while no tree is shown. */
  layout: TreeLayout | undefined;
  camera!: TreeCamera;
  private page: LineagePage | undefined;
  private pictures: TreePictures | undefined;
  @state() private chosen: TreeNode | undefined;
  @state() private printing: 'under-way' | 'failed' | undefined;
  @query('canvas.tree') private readonly canvas!: HTMLCanvasElement;
  @query('.foot') private readonly foot!: HTMLElement;
  @query('lineage-card') private readonly card!: LineageCard | null;
  /** Number of loads so far. An earlier load stops when this number has changed. */
  private run = 0;
  private frame = 0;
  /** When the tree began to grow, in ms. */
  private since: number | undefined;
  private size = { width: 1, height: 1 };
  /** Ratio of width to height of the free area for which the tree was laid out. */
  private aspect = 0;

  override firstUpdated(): void {
    addEventListener('hashchange', () => this.load());
    addEventListener('keydown', ({ key }) => {
      if (key === 'Escape' && this.chosen) this.look(undefined);
    });
    bindCanvas(this.canvas, this.hand());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    void this.load();
  }

  protected override updated(): void {
    document.title = `${msg('Family tree')} · ${this.room} · Vivarium`;
    // If the language has changed, time may run in the other direction.
    if (this.layout && this.camera.forward !== this.forward) this.open();
    else this.invalidate();
  }

  override render(): TemplateResult {
    const { chosen, phase, printing, page, pictures, room } = this;
    const isShown = phase === 'shown';
    return html`<div class="all fill" data-testid="lineage" data-phase=${phase}>
      <canvas
        class="tree fill"
        tabindex=${isShown ? 0 : -1}
        role="application"
        aria-label=${msg('Family tree. Arrow keys move it, plus and minus zoom, N and B go to the next creature and back.')}
        @keydown=${this.press}
      ></canvas>
      <div class="head over flex spread ghost">
        <div class="title shrinks">
          <h1>${msg('Family tree')} · <bdi>${room}</bdi></h1>
          <p class="soft small" data-testid="size">${page && this.layout ? sizeText(page, this.layout.nodes) : ''}</p>
          ${
            printing === 'failed'
              ? html`<p class="small" role="alert">${msg('The picture could not be made. Try again in a moment.')}</p>`
              : nothing
          }
        </div>
        ${languageSelect()}
      </div>
      ${isShown ? nothing : this.notice()}
      <div class="foot over flex spread ghost">
        <div class="links flex wrap">
          <a class="quiet" href=${`/r/${room}`} data-testid="to-room">${msg('To the room')}</a>
          ${
            isShown
              ? html`<button class="quiet raise" data-testid="print" ?disabled=${printing === 'under-way'} @click=${this.print}>
                  ${printing === 'under-way' ? msg('One moment') : msg('Picture to print')}
                </button>`
              : nothing
          }
        </div>
        ${isShown ? this.viewButtons() : nothing}
      </div>
      ${
        chosen && page
          ? html`<lineage-card
              .node=${chosen}
              .page=${page}
              .pictures=${pictures}
              room=${room}
              @look=${({ detail }: CustomEvent<TreeNode>) => this.look(detail)}
              @close=${() => this.look(undefined)}
            ></lineage-card>`
          : nothing
      }
      <p class="away" role="status">${chosen ? `${nameOf(chosen.organism)}, ${endText(chosen.organism)}` : ''}</p>
    </div>`;
  }

  private viewButtons(): TemplateResult {
    const button = (name: 'farther' | 'closer' | 'fit', label: string, act: () => void) =>
      html`<button data-testid=${name} aria-label=${label} title=${label} @click=${() => this.move(act)}>${icons[name]}</button>`;
    return html`<div class="view panel flex" role="group" aria-label=${msg('View')}>
      ${button('farther', msg('Zoom out'), () => this.camera.zoom(1 / BUTTON_ZOOM))}
      ${button('closer', msg('Zoom in'), () => this.camera.zoom(BUTTON_ZOOM))}
      ${button('fit', msg('Show the whole tree'), () => {
        this.camera.fit();
        this.resize();
      })}
    </div>`;
  }

  private notice(): TemplateResult {
    const texts: Partial<Record<typeof this.phase, string>> = {
      empty: msg('Nothing has lived here yet. Plant the first seed, and its tree begins.'),
      'no-room': msg('There is no room with that name.'),
      closed: msg('The room is closed. You can see its tree when it opens again.'),
      unreachable: msg('The tree could not be loaded. Try again in a moment.'),
    };
    const canRetry = this.phase === 'closed' || this.phase === 'unreachable';
    return html`<div class="fill middle centred" data-testid="notice">
      <p role=${canRetry ? 'alert' : 'status'}>${texts[this.phase]}</p>
      ${
        canRetry
          ? html`<button class="solid" data-testid="retry" @click=${this.load}>${msg('Try again')}</button>`
          : nothing
      }
    </div>`;
  }

  private get room(): string {
    const name = location.hash.slice(1).replaceAll(/[^a-z0-9-]/g, '');
    return name.slice(0, 32);
  }

  /** 1; −1 if text, and therefore time, runs from right to left. */
  private get forward(): 1 | -1 {
    return LANGUAGES[language()].direction === 'rtl' ? -1 : 1;
  }

  private async load(): Promise<void> {
    const run = ++this.run;
    this.phase = 'loading';
    this.close();
    this.page = this.printing = undefined;
    const response = await fetch(lineagePath(this.room)).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    if (run !== this.run) return;
    if (!response?.ok || !answer) {
      const reason = answer?.reason;
      if (reason === 'no-such-room' || this.room === '') this.phase = 'no-room';
      else this.phase = reason === 'room-closed' ? 'closed' : 'unreachable';
      return;
    }
    this.page = answer as LineagePage;
    knowKinds(this.page.gallery);
    this.phase = this.page.organisms.length > 0 ? 'shown' : 'empty';
    if (this.phase === 'shown') this.open();
  }

  /** Shows the tree of `page`. The first time, it grows. */
  private open(): void {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.since = this.layout || isCalm ? Number.NEGATIVE_INFINITY : undefined;
    this.close();
    this.pictures = new TreePictures(this.room, this.page!, () => {
      this.card?.requestUpdate();
      this.invalidate();
    });
    this.resize();
    this.requestUpdate();
  }

  /** Clears the canvas and stops loading pictures. */
  private close(): void {
    this.canvas.width = 0;
    this.pictures?.close();
    this.pictures = this.layout = this.chosen = undefined;
    this.aspect = 0;
  }

  /** Draws the tree in the next frame. */
  private invalidate(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      this.draw(now);
    });
  }

  private resize(): void {
    if (this.phase !== 'shown') return;
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    this.size = { width, height };
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const { top, bottom, side } = height < LOW ? LOW_EDGES : EDGES;
    // The buttons take more height in narrow windows, which stack them.
    const foot = height - this.foot.getBoundingClientRect().top;
    const edges = { top, side, bottom: Math.max(bottom, foot) };
    const freeHeight = Math.max(1, height - top - edges.bottom);
    this.fill(Math.max(LEAST_ASPECT, (width - 2 * side) / freeHeight));
    this.camera.resize(this.size, edges);
    this.draw(performance.now());
  }

  /**
   * Lays the tree out for an aspect ratio when the tree opens, and again if a phone is turned while
   * the whole tree is shown.
   */
  private fill(aspect: number): void {
    const isTurned = Math.max(aspect / this.aspect, this.aspect / aspect) > TURNED;
    if (this.layout && (!isTurned || this.chosen || !this.camera.isWhole)) return;
    this.aspect = aspect;
    this.layout = layoutTree(this.page!, aspect);
    this.camera = new TreeCamera(this.layout, this.forward);
  }

  private draw(now: number): void {
    const { canvas, layout, camera, pictures, chosen, size } = this;
    const to = canvas.getContext('2d');
    if (!to || !layout || !pictures) return;
    this.since ??= now;
    const share = Math.min(1, (now - this.since) / GROWTH);
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

  /** Moves the camera, if a tree is shown, and draws the tree again. */
  private move(act: () => void): void {
    if (this.layout) act();
    this.invalidate();
  }

  /** Returns handlers of gestures. A drag moves the tree; a press that hardly moves selects. */
  private hand(): CanvasHand {
    const nothing = (): void => {};
    let last: { readonly x: number; readonly y: number } | undefined;
    const panBy = (dx: number, dy: number) => this.move(() => this.camera.panBy(dx, dy));
    const zoomAbout = (x: number, y: number, factor: number) =>
      this.move(() => this.camera.zoomAbout(x, y, factor));
    return {
      toolStart: (x, y) => {
        last = { x, y };
      },
      toolMove: (x, y) => {
        if (last) panBy(x - last.x, y - last.y);
        last = { x, y };
      },
      toolEnd: (x, y, tap) => {
        last = undefined;
        if (!tap || !this.layout) return;
        const reach = Math.max(0.62, REACH / this.camera.scale);
        this.choose(nodeAt(this.layout.nodes, this.camera.toTree(x, y), reach));
        this.invalidate();
      },
      toolCancel: () => {
        last = undefined;
      },
      doubleTap: (x, y, fingers) => zoomAbout(x, y, KEY_ZOOM ** (fingers === 1 ? 2 : -2)),
      ...{ panBy, zoomAbout, panEnd: nothing, hover: nothing, leave: nothing },
    };
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.layout) return;
    const { camera } = this;
    const pan = arrowMove(event, PAN);
    const zoomIn = (): void => camera.zoom(KEY_ZOOM);
    const act = pan
      ? () => camera.panBy(-pan.x, -pan.y)
      : {
          '+': zoomIn,
          '=': zoomIn,
          '-': () => camera.zoom(1 / KEY_ZOOM),
          0: () => camera.fit(),
          n: () => this.meet(1),
          Enter: () => this.meet(1),
          b: () => this.meet(-1),
        }[event.key];
    if (!act) return;
    event.preventDefault();
    this.move(act);
  }

  /** Selects the organism born after the selected one, or before it. */
  private meet(by: 1 | -1): void {
    const { nodes } = this.layout!;
    const at = this.chosen ? nodes.indexOf(this.chosen) + by : by === 1 ? 0 : -1;
    this.choose(nodes.at(at % nodes.length));
  }

  /** Selects an organism and moves it into view; undefined clears the selection. */
  private choose(node: TreeNode | undefined): void {
    this.chosen = node;
    if (!node) return;
    const { width, height } = this.size;
    const isBeside = width > NARROW || height < LOW;
    if (isBeside) this.camera.lookAt(node, 0, Math.min(CARD, width / 2));
    else this.camera.lookAt(node, height / 2, 0);
  }

  /**
   * Selects an organism and moves the focus to its card. If `node` is undefined, clears the
   * selection and moves the focus to the tree.
   */
  private look(node: TreeNode | undefined): void {
    this.choose(node);
    if (!node) this.canvas.focus();
    else void this.updateComplete.then(() => this.card?.enter());
  }

  private async print(): Promise<void> {
    const { page, pictures, run } = this;
    if (!page || !pictures || this.printing === 'under-way') return;
    this.printing = 'under-way';
    const outcome = await savePrint(page, pictures, this.room, this.forward).then(
      () => undefined,
      () => 'failed' as const,
    );
    if (run === this.run) this.printing = outcome;
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
  const r = 0.32 * size;
  const signs: [text: string, draw: (x: number, y: number) => void][] = [
    [msg('lives'), (x, y) => dot(to, x, y, 0.28 * size)],
    [
      msg('has left'),
      (x, y) => {
        for (const [dx, dy, radius] of DUST) {
          dot(to, x + forward * 2.2 * dx * size, y + 2.4 * dy * size, 2.6 * radius * size);
        }
      },
    ],
    [
      msg('died of its wounds'),
      (x, y) => {
        to.strokeStyle = ink.alarm;
        line(to, x - r, y - r, x + r, y + r);
        line(to, x - r, y + r, x + r, y - r);
      },
    ],
    [
      msg('wounds healed'),
      (x, y) => {
        to.fillStyle = ink.warm;
        for (const i of [-1, 0, 1]) dot(to, x + 0.6 * i * size, y, 0.2 * size);
      },
    ],
  ];
  to.lineCap = 'round';
  to.lineWidth = 0.13 * size;
  to.strokeStyle = ink.soft;
  for (const [text, draw] of signs) {
    to.fillStyle = ink.soft;
    draw(x + forward * (at + 0.7 * size), y);
    to.fillStyle = ink.soft;
    to.fillText(text, x + forward * (at + 1.9 * size), y);
    at += 1.9 * size + to.measureText(text).width + 2 * size;
  }
}

/** Width and height of the picture, in px. Phones limit a canvas to 2^24 pixels. */
const WIDTH = 4_860;
const HEIGHT = 3_437;
const MARGIN = 170;
const HEAD = 540;
const FOOT = 250;
/**
 * Maximum wait for pictures, in ms. Organisms whose picture is still missing are printed as seeds.
 */
const LONGEST = 30_000;
/** Size of the smallest text, in px; 8 points on paper. */
const PRINT_TEXT = 33;

/**
 * Draws the whole tree and lets the browser save it as a PNG.
 *
 * @param pictures the page's pictures, because a visitor may request only a few at a time
 * @param forward 1; −1 if time runs from right to left
 * @throws Error if the browser cannot encode the picture, or the tree was closed while pictures
 *   loaded
 */
export async function savePrint(
  page: LineagePage,
  pictures: TreePictures,
  room: string,
  forward: 1 | -1,
): Promise<void> {
  await pictures.all(page.organisms, LONGEST);
  if (pictures.isClosed) throw new Error('the tree was closed');
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  const size = { width: WIDTH, height: HEIGHT };
  const layout = layoutTree(page, (WIDTH - 2 * MARGIN) / (HEIGHT - HEAD - FOOT));
  const camera = new TreeCamera(layout, forward);
  camera.closest = 840;
  camera.resize(size, { top: HEAD, bottom: FOOT, side: MARGIN });
  const { ground, ink, soft } = PAPER_INK;
  to.fillStyle = ground;
  to.fillRect(0, 0, WIDTH, HEIGHT);
  const scene = { layout, camera, size, pictures, ink: PAPER_INK, textSize: PRINT_TEXT };
  paintTree(to, { ...scene, names: namesOf, until: layout.width });
  const start = forward > 0 ? MARGIN : WIDTH - MARGIN;
  const foot = HEIGHT - MARGIN + 20;
  paintLegend(to, { ...scene, textSize: 1.2 * PRINT_TEXT }, start, foot);
  to.textAlign = 'end';
  to.fillText(`${sizeText(page, layout.nodes)} · Vivarium`, WIDTH - start, foot);
  to.textBaseline = 'alphabetic';
  to.textAlign = 'start';
  to.fillStyle = ink;
  to.font = `500 ${4.4 * PRINT_TEXT}px ${FONTS}`;
  to.fillText(msg('Family tree'), start, MARGIN + 105);
  to.fillStyle = soft;
  to.font = `400 ${1.7 * PRINT_TEXT}px ${FONTS}`;
  const date = new Intl.DateTimeFormat(formats(), { dateStyle: 'full' }).format(page.now);
  to.fillText(`${room} · ${date}`, start, MARGIN + 195);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await pngOf(canvas));
  link.download = `vivarium-${room}.png`;
  link.click();
  // Revoke the address later, because the browser reads the file after this call.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
