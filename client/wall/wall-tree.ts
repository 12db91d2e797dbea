/** The family tree of a day, which a wall shows when the day of its room ends. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { type LineagePage, lineagePath } from '../../shared/lineage.ts';
import { layoutTree, TreeCamera, type TreeLayout } from '../family-tree/layout.ts';
import { paintTree, SCREEN_INK } from '../family-tree/paint.ts';
import { TreePictures } from '../family-tree/pictures.ts';
import { calm } from '../style/fragments.ts';
import { type Caption, ENGLISH, signature, TEXTS } from './text.ts';

/** Duration of the animation in which the tree grows, in ms. */
const GROWTH = 24_000;
/** Minimum time between two frames of the animation, in ms. */
const STEP = 50;
/** Delay before a failed request is repeated, in ms. */
const RETRY = 2_000;
/** Font size, as a share of the wall's shorter side. */
const TEXT = 1 / 45;
/** Margin around the tree, as a share of the wall's shorter side. */
const GAP = 0.02;
/** Maximum width of an organism's picture, as a share of the tree's height. */
const CLOSEST = 0.32;

/**
 * Shows the family tree. When the tree is first drawn, sets the attribute `data-organisms`, which
 * makes this element visible.
 */
@customElement('wall-tree')
export class WallTree extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      inset: 0;
      background: #0b0e10;
      animation: appear 3s ease-in-out;
    }
    :host(:not([data-organisms])) {
      visibility: hidden;
      animation: none;
    }
    @keyframes appear {
      from {
        opacity: 0;
      }
    }
    canvas {
      position: absolute;
      width: 100%;
      height: 100%;
    }
    h2 {
      position: absolute;
      margin: 0;
      inset-block-start: 2cqmin;
      inset-inline: 2cqmin;
      font-size: 3cqmin;
      font-weight: 500;
      color: var(--ink);
    }
    ${calm}
  `;

  @property() room = '';
  /** Language of the title. */
  @property({ attribute: false }) voice: Caption = ENGLISH;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private page: LineagePage | undefined;
  private layout: TreeLayout | undefined;
  private pictures: TreePictures | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private since = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.pictures?.close();
    this.page = undefined;
  }

  override firstUpdated(): void {
    void this.open();
  }

  override render(): TemplateResult {
    const { voice } = this;
    return html`<canvas></canvas>
      <h2 lang=${voice.language} dir=${voice.direction}>${voice.say(TEXTS.tree)}</h2>`;
  }

  private async open(): Promise<void> {
    const page: LineagePage | undefined = await fetch(lineagePath(this.room))
      .then((response) => (response.ok ? response.json() : undefined))
      .catch(() => undefined);
    if (!this.isConnected) return;
    if (!page) this.timer = setTimeout(() => void this.open(), RETRY);
    if (!page || page.organisms.length === 0) return;
    this.page = page;
    this.pictures = new TreePictures(this.room, page, () => {});
    // Before the tree starts to grow, wait up to 5 s for the pictures of gallery organisms.
    await this.pictures.all([], 5_000);
    if (!this.isConnected) return;
    this.since = performance.now();
    this.dataset.organisms = `${page.organisms.length}`;
    this.draw();
  }

  private draw(): void {
    const begun = performance.now();
    const { page, pictures, canvas, voice } = this;
    const to = canvas.getContext('2d');
    if (!page || !pictures || !to) return;
    const size = { width: this.clientWidth, height: this.clientHeight };
    const ratio = devicePixelRatio;
    const [width, height] = [size.width, size.height].map((side) => Math.round(side * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      this.layout = undefined;
    }
    const text = TEXT * Math.min(size.width, size.height);
    const gap = GAP * Math.min(size.width, size.height);
    const top = 2 * gap + 2 * text;
    const [free, tall] = [size.width - 2 * gap, size.height - top - gap];
    this.layout ??= layoutTree(page, free / Math.max(1, tall));
    const { layout } = this;
    const camera = new TreeCamera(layout, voice.direction === 'rtl' ? -1 : 1);
    camera.closest = CLOSEST * tall;
    camera.resize(size, { top, bottom: gap, side: gap });
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const share = isCalm ? 1 : Math.min(1, (performance.now() - this.since) / GROWTH);
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.clearRect(0, 0, size.width, size.height);
    to.imageSmoothingQuality = 'high';
    paintTree(to, {
      ...{ layout, camera, pictures, size, ink: SCREEN_INK, textSize: text },
      until: layout.width * share,
      names: ({ organism }) => [signature(voice.say, organism.planter.name), ''],
    });
    // Draw less often on a slow machine, and when the tree is fully grown. Never stop, because
    // pictures may still be loading.
    const wait = Math.max(STEP, 3 * (performance.now() - begun));
    this.timer = setTimeout(() => this.draw(), share < 1 ? wait : 20 * wait);
  }
}
