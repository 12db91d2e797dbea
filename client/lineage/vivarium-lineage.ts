/**
 * The page `/lineage#<room>`, which shows a room's family tree. A card describes the selected
 * organism. The page does not join the room.
 */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { LANGUAGES } from '../../shared/languages.ts';
import { type LineagePage, lineagePath, lineageSeedPath } from '../../shared/lineage.ts';
import { icons } from '../elements/icons.ts';
import { furtherText, number, survivedText } from '../elements/text.ts';
import {
  layoutTree,
  nodeAt,
  TreeCamera,
  type TreeLayout,
  type TreeNode,
} from '../family-tree/layout.ts';
import { paintTree, SCREEN_INK } from '../family-tree/paint.ts';
import { TreePictures } from '../family-tree/pictures.ts';
import * as texts from '../family-tree/tree-text.ts';
import { bindCanvas, type CanvasHand } from '../input/canvas-input.ts';
import { arrowMove } from '../input/keyboard.ts';
import { knowKinds, language, languageSelect } from '../locale/locale.ts';
import { paintLegend, savePrint } from './print.ts';
import { style } from './style.ts';

/** Distance that an arrow key moves the tree, in px. */
const PAN = 90;
/** Zoom factor of a key press, and of a click on a zoom button. */
const KEY_ZOOM = 1.4;
const BUTTON_ZOOM = 1.5;
/** Duration of the animation in which a newly opened tree grows, in ms. */
const GROWTH = 3_000;
/** Maximum distance between a tap and the organism that it selects, in px. */
const REACH = 26;
/**
 * `LEGEND`: minimum width of the browser window for which the legend is shown, in px.
 * `LEGEND_START`: distance from the window's left edge to the legend, in px. If time runs from
 * right to left, the distance from the right edge.
 */
const LEGEND = 1_100;
const LEGEND_START = 330;
/** Font size of names, in px. */
const TEXT = 12;
/**
 * Minimum aspect ratio (width / height) for which a tree is laid out. Windows with a smaller ratio
 * use the layout for this ratio.
 */
const LEAST_ASPECT = 0.4;
/** If the window's aspect ratio changes by more than this factor, the tree is laid out again. */
const TURNED = 1.4;
/**
 * Margins around the tree for texts and buttons, in px. `LOW_EDGES` is used if the window's height
 * is less than `LOW`.
 */
const EDGES = { top: 108, bottom: 76, side: 8 };
const LOW_EDGES = { top: 84, bottom: 62, side: 8 };
const LOW = 400;
/**
 * If the window is wider than `NARROW` px or less than `LOW` px high, the selected organism's card
 * is at the side and `CARD` px wide. Otherwise, the card is at the bottom.
 */
const NARROW = 600;
const CARD = 330;
/** Width and height of the selected organism's picture on its card, in px. */
const PORTRAIT = 160;
/** Maximum number of parents, and of children, that an organism's card lists. */
const MOST_KIN = 8;

/** Root element of the family-tree page. Tests read `phase`, `layout` and `camera`. */
@customElement('vivarium-lineage')
@localized()
export class VivariumLineage extends LitElement {
  static override styles = style;

  @state() phase: 'loading' | 'shown' | 'empty' | 'no-room' | 'closed' | 'unreachable' = 'loading';
  /** Positions of the organisms in the tree. Undefined while no tree is shown. */
  layout: TreeLayout | undefined;
  camera!: TreeCamera;
  private page: LineagePage | undefined;
  private pictures: TreePictures | undefined;
  @state() private chosen: TreeNode | undefined;
  @state() private printing: 'under-way' | 'failed' | undefined;
  @query('canvas.tree') private readonly canvas!: HTMLCanvasElement;
  @query('.foot') private readonly foot!: HTMLElement;
  @query('.card') private readonly card!: HTMLElement | null;
  @query('.card canvas') private readonly portrait!: HTMLCanvasElement | null;
  /** Seed token of the organism in `described`; undefined if the server has not sent one. */
  @state() private token: string | undefined;
  /** The organism whose seed token was requested last. */
  private described: TreeNode | undefined;
  /**
   * Number of calls of `load` so far. A waiting call ends early if `load` has been called again.
   */
  private run = 0;
  private frame = 0;
  /** Time at which the tree began to grow, in ms. */
  private since: number | undefined;
  private size = { width: 1, height: 1 };
  /** Aspect ratio (width / height, without the margins) for which the tree was laid out. */
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
    // If the language has changed, time may now run in the other direction.
    if (this.layout && this.camera.forward !== this.forward) this.open();
    else this.invalidate();
    this.drawPortrait();
    if (this.described !== this.chosen) void this.requestSeed(this.chosen);
  }

  override render(): TemplateResult {
    const { chosen, phase, printing, page, room } = this;
    const isShown = phase === 'shown';
    return html`<div class="all fill" data-testid="lineage" data-phase=${phase}>
      <canvas
        class="tree fill"
        tabindex=${isShown ? 0 : -1}
        role="application"
        aria-label=${msg('Family tree. Arrow keys move the tree, plus and minus zoom, N and B go to the next and the previous creature.')}
        @keydown=${this.press}
      ></canvas>
      <div class="head over flex spread ghost">
        <div class="title shrinks">
          <h1>${msg('Family tree')} · <bdi>${room}</bdi></h1>
          <p class="soft small" data-testid="size">${page && this.layout ? texts.sizeText(page, this.layout.nodes) : ''}</p>
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
      ${chosen && page ? this.describe(chosen, page) : nothing}
      <p class="away" role="status">${chosen ? `${texts.nameOf(chosen.organism)}, ${texts.endText(chosen.organism)}` : ''}</p>
    </div>`;
  }

  private describe(node: TreeNode, page: LineagePage): TemplateResult {
    const { organism, parents, children, generation } = node;
    const survived = survivedText(organism);
    const { token, room } = this;
    return html`<section class="panel card over scroll" tabindex="-1" data-testid="lineage-card" aria-label=${msg('Creature')}>
      <header class="flex">
        <canvas class="rigid" width=${PORTRAIT} height=${PORTRAIT} aria-hidden="true"></canvas>
        <div class="shrinks">
          <h2>${texts.nameOf(organism)}</h2>
          <p class="soft small">${texts.plantedText(organism)}</p>
          <p class="soft small">${texts.graftedText(organism)}</p>
          <p class="soft small">${texts.wasText(organism)}</p>
        </div>
      </header>
      <button class="close over" aria-label=${msg('Close')} @click=${() => this.look(undefined)}>
        ${icons.close}
      </button>
      <dl>
        <dt>${msg('Life')}</dt>
        <dd>${texts.spanText(page, organism)}</dd>
        <dt>${msg('Now')}</dt>
        <dd>${texts.endText(organism)}</dd>
        ${survived ? html`<dt>${msg('Wounds')}</dt><dd>${survived}</dd>` : nothing}
        <dt>${msg('Generation')}</dt>
        <dd>${number(generation)}</dd>
      </dl>
      ${this.kin(msg('Child of'), parents)} ${this.kin(msg('Parent of'), children)}
      ${
        token
          ? html`<footer class="wrap">
              ${
                page.canPlant
                  ? html`<a class="solid" data-testid="plant" href=${`/r/${room}?seed=${token}`}>${msg('Plant it again')}</a>`
                  : nothing
              }
              <a class="quiet raise" data-testid="grow" href=${`/keep#${token}/${room}`}>${msg('See it grow')}</a>
            </footer>`
          : nothing
      }
    </section>`;
  }

  private kin(title: string, kin: readonly TreeNode[]): TemplateResult | typeof nothing {
    if (kin.length === 0) return nothing;
    const more = kin.length - MOST_KIN;
    const button = (one: TreeNode): TemplateResult =>
      html`<button data-testid="kin" @click=${() => this.look(one)}>${texts.nameOf(one.organism)}</button>`;
    return html`<h3 class="soft small">${title}</h3>
      <div class="kin wrap">
        ${kin.slice(0, MOST_KIN).map(button)}
        ${more > 0 ? html`<span class="soft small">${furtherText(more)}</span>` : nothing}
      </div>`;
  }

  private async requestSeed(node: TreeNode | undefined): Promise<void> {
    this.described = node;
    this.token = undefined;
    if (!node) return;
    // If the request fails, the organism's card shows no links.
    const response = await fetch(lineageSeedPath(this.room, node.organism.id)).catch(
      () => undefined,
    );
    const answer = response?.ok ? await response.json().catch(() => undefined) : undefined;
    if (this.described === node) this.token = answer?.token;
  }

  private drawPortrait(): void {
    const to = this.portrait?.getContext('2d');
    const picture = this.chosen && this.pictures?.of(this.chosen.organism);
    to?.clearRect(0, 0, PORTRAIT, PORTRAIT);
    if (!to || !picture) return;
    const { image, x, y, side } = picture;
    to.imageSmoothingQuality = 'high';
    to.drawImage(image, x, y, side, side, 0, 0, PORTRAIT, PORTRAIT);
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
    const sentences: Partial<Record<typeof this.phase, string>> = {
      empty: msg('No creature has lived here yet. Plant the first seed to begin the family tree.'),
      'no-room': msg('There is no room with that name.'),
      closed: msg('The room is closed. You can see its tree when it opens again.'),
      unreachable: msg('The tree could not be loaded. Try again in a moment.'),
    };
    const canRetry = this.phase === 'closed' || this.phase === 'unreachable';
    return html`<div class="fill middle centred" data-testid="notice">
      <p role=${canRetry ? 'alert' : 'status'}>${sentences[this.phase]}</p>
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

  /**
   * Direction of time in the tree, which is that of the page's text: 1 from left to right, -1 from
   * right to left.
   */
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

  /** Shows the family tree in `this.page`. Animates its growth if no tree was shown before. */
  private open(): void {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.since = this.layout || isCalm ? Number.NEGATIVE_INFINITY : undefined;
    this.close();
    this.pictures = new TreePictures(this.room, this.page!, () => {
      this.drawPortrait();
      this.invalidate();
    });
    this.resize();
    this.requestUpdate();
  }

  /** Clears the canvas, and stops loading pictures. */
  private close(): void {
    this.canvas.width = 0;
    this.pictures?.close();
    this.pictures = this.layout = this.chosen = undefined;
    this.aspect = 0;
  }

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
    // In narrow windows, the buttons are stacked and need more height.
    const foot = height - this.foot.getBoundingClientRect().top;
    const edges = { top, side, bottom: Math.max(bottom, foot) };
    const freeHeight = Math.max(1, height - top - edges.bottom);
    this.fill(Math.max(LEAST_ASPECT, (width - 2 * side) / freeHeight));
    this.camera.resize(this.size, edges);
    this.draw(performance.now());
  }

  /**
   * Lays out the tree for an aspect ratio. Replaces an existing layout only if the ratio has
   * changed much, no organism is selected, and the whole tree is visible.
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
      names: texts.namesOf,
      until: layout.width * share,
    };
    paintTree(to, scene);
    // If the visitor has zoomed in, draw no legend, because names could overlap the legend.
    if (size.width >= LEGEND && camera.isWhole) {
      const start = camera.forward > 0 ? LEGEND_START : size.width - LEGEND_START;
      paintLegend(to, scene, start, size.height - 38);
    }
    if (share < 1) this.invalidate();
  }

  /** Moves the camera with `act` if a tree is shown, and redraws the tree. */
  private move(act: () => void): void {
    if (this.layout) act();
    this.invalidate();
  }

  /**
   * Returns the handlers of gestures on the canvas. Dragging moves the tree, and tapping selects an
   * organism.
   */
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
      toolCancel: () => (last = undefined),
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

  /**
   * Selects the next organism in the order of birth, or the previous one if `by` is -1. Wraps
   * around at both ends.
   */
  private meet(by: 1 | -1): void {
    const { nodes } = this.layout!;
    const at = this.chosen ? nodes.indexOf(this.chosen) + by : by === 1 ? 0 : -1;
    this.choose(nodes.at(at % nodes.length));
  }

  /**
   * Selects an organism, and moves the camera to it. If `node` is undefined, clears the selection.
   */
  private choose(node: TreeNode | undefined): void {
    this.chosen = node;
    if (!node) return;
    const { width, height } = this.size;
    const isBeside = width > NARROW || height < LOW;
    if (isBeside) this.camera.lookAt(node, 0, Math.min(CARD, width / 2));
    else this.camera.lookAt(node, height / 2, 0);
  }

  /**
   * Selects an organism, and moves the keyboard focus to its card. If `node` is undefined, clears
   * the selection, and moves the focus to the tree.
   */
  private look(node: TreeNode | undefined): void {
    this.choose(node);
    if (!node) this.canvas.focus();
    else void this.updateComplete.then(() => this.card?.focus({ preventScroll: true }));
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
