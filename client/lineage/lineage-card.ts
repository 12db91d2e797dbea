/** Shows the facts about one organism of a family tree. */

import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { type LineagePage, lineageSeedPath } from '../../shared/lineage.ts';
import { icons } from '../elements/icons.ts';
import { furtherText, number, survivedText } from '../elements/text.ts';
import type { TreeNode } from '../family-tree/layout.ts';
import type { TreePictures } from '../family-tree/pictures.ts';
import {
  endText,
  graftedText,
  nameOf,
  plantedText,
  spanText,
  wasText,
} from '../family-tree/tree-text.ts';
import { controls } from '../style/controls.ts';
import { facts, plainSelect, roundButton, visuallyHidden } from '../style/fragments.ts';

/** Styles of the family-tree page and its card. */
export const style = [
  controls,
  css`
    ${facts}
    .all {
      background: radial-gradient(circle at 50% 45%, #1b2123, #12171a 60%, #0b0d0f 100%);
    }
    canvas.tree {
      touch-action: none;
      cursor: grab;
    }
    canvas.tree:active {
      cursor: grabbing;
    }
    .head,
    .foot {
      inset-inline: var(--edge-start) var(--edge-end);
    }
    .head {
      top: var(--edge-top);
      align-items: flex-start;
      gap: 12px;
    }
    .foot {
      bottom: var(--edge-bottom);
      align-items: flex-end;
      gap: 10px;
    }
    /* Texts stay legible over the tree. */
    .head::before {
      content: '';
      position: absolute;
      inset-block: calc(-1 * var(--edge-top)) -1em;
      inset-inline: calc(-1 * var(--edge-start)) calc(-1 * var(--edge-end));
      background: linear-gradient(#12171a 55%, transparent);
    }
    .head > *,
    .foot > * {
      position: relative;
      pointer-events: auto;
    }
    .title {
      pointer-events: none;
    }
    h1 {
      font-size: 1.5em;
      font-weight: 500;
      line-height: 1.2;
      overflow-wrap: anywhere;
    }
    .title p {
      margin-top: 0.15em;
    }
    .view {
      padding: 3px;
      border-radius: 999px;
    }
    .view button,
    .close {
      ${roundButton}
    }
    .links {
      gap: 4px;
      white-space: nowrap;
    }
    .links > *,
    .card footer a {
      display: inline-grid;
      align-content: center;
      min-height: 44px;
      text-decoration: none;
    }
    ${plainSelect}
    .quiet,
    select {
      background: oklch(0.2 0.012 225 / 0.72);
    }
    .middle {
      align-content: center;
      gap: 1em;
      padding: var(--gap);
    }
    .middle p {
      max-width: 30em;
    }
    .card {
      inset-inline-end: var(--edge-end);
      top: calc(var(--edge-top) + 4.6em);
      width: min(22em, calc(100% - var(--edge-start) - var(--edge-end)));
      max-height: calc(100% - var(--edge-top) - var(--edge-bottom) - 9em);
      padding: 16px;
      background: oklch(0.2 0.012 225);
      scrollbar-width: thin;
    }
    .card header {
      gap: 14px;
      padding-inline-end: 34px;
    }
    .card header > div {
      overflow-wrap: anywhere;
    }
    .card header canvas {
      width: 5em;
      margin: -0.3em;
    }
    h3 {
      margin-top: 12px;
      font-weight: 400;
    }
    dl {
      margin-top: 12px;
      padding-top: 12px;
      border-top: 1px solid var(--line);
    }
    .close {
      top: 4px;
      inset-inline-end: 4px;
    }
    .kin {
      gap: 6px;
      margin-top: 4px;
    }
    .kin button {
      min-height: 44px;
      padding: 0 0.9em;
      border-radius: 999px;
      background: var(--raised);
    }
    .card footer {
      gap: 6px;
      margin-top: 14px;
    }
    .away {
      ${visuallyHidden}
    }
    @media (max-width: 400px), (max-width: 600px) and (min-height: 400px) {
      .view {
        flex-direction: column-reverse;
      }
      .card {
        top: auto;
        bottom: var(--edge-bottom);
        inset-inline: var(--edge-start) var(--edge-end);
        width: auto;
        max-height: 58%;
      }
      h1 {
        font-size: 1.25em;
      }
    }
    @media (max-height: 399px) {
      .card {
        top: var(--edge-top);
        bottom: var(--edge-bottom);
        max-height: none;
      }
    }
  `,
];

/** Width and height of the picture, in px. */
const PICTURE = 160;
/** Maximum number of relatives listed per group. */
const MOST = 8;

/** Fires `look` for a relative (`detail`: TreeNode), and `close`. */
@customElement('lineage-card')
@localized()
export class LineageCard extends LitElement {
  static override styles = style;

  @property({ attribute: false }) node!: TreeNode;
  @property({ attribute: false }) page!: LineagePage;
  @property({ attribute: false }) pictures!: TreePictures;
  @property() room = '';
  @state() private token: string | undefined;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private requested: TreeNode | undefined;

  override render(): TemplateResult {
    const { node, page } = this;
    const { organism, parents, children, generation } = node;
    const survived = survivedText(organism);
    return html`<section class="panel card over scroll" tabindex="-1" data-testid="lineage-card" aria-label=${msg('Creature')}>
      <header class="flex">
        <canvas class="rigid" width=${PICTURE} height=${PICTURE} aria-hidden="true"></canvas>
        <div class="shrinks">
          <h2>${nameOf(organism)}</h2>
          <p class="soft small">${plantedText(organism)}</p>
          <p class="soft small">${graftedText(organism)}</p>
          <p class="soft small">${wasText(organism)}</p>
        </div>
      </header>
      <button class="close over" aria-label=${msg('Close')} @click=${() => this.fire('close')}>
        ${icons.close}
      </button>
      <dl>
        <dt>${msg('Life')}</dt>
        <dd>${spanText(page, organism)}</dd>
        <dt>${msg('Now')}</dt>
        <dd>${endText(organism)}</dd>
        ${survived ? html`<dt>${msg('Wounds')}</dt><dd>${survived}</dd>` : nothing}
        <dt>${msg('Generation')}</dt>
        <dd>${number(generation)}</dd>
      </dl>
      ${this.kin(msg('Child of'), parents)} ${this.kin(msg('Parent of'), children)}
      ${this.links()}
    </section>`;
  }

  protected override updated(): void {
    const { node, room } = this;
    this.draw();
    if (this.requested === node) return;
    this.requested = node;
    this.token = undefined;
    void fetch(lineageSeedPath(room, node.organism.id))
      .then(async (response) => (response.ok ? await response.json() : {}))
      .then(({ token }: { token?: string }) => {
        if (this.node === node) this.token = token;
      })
      // If the organism's seed is unavailable, the card shows no links.
      .catch(() => undefined);
  }

  /** Moves the focus into the card. */
  enter(): void {
    this.renderRoot.querySelector<HTMLElement>('section')?.focus({ preventScroll: true });
  }

  private kin(title: string, kin: readonly TreeNode[]): TemplateResult | typeof nothing {
    if (kin.length === 0) return nothing;
    const more = kin.length - MOST;
    return html`<h3 class="soft small">${title}</h3>
      <div class="kin wrap">
        ${kin
          .slice(0, MOST)
          .map(
            (one) =>
              html`<button data-testid="kin" @click=${() => this.fire('look', one)}>${nameOf(one.organism)}</button>`,
          )}
        ${more > 0 ? html`<span class="soft small">${furtherText(more)}</span>` : nothing}
      </div>`;
  }

  private links(): TemplateResult | typeof nothing {
    const { token, room, page } = this;
    if (!token) return nothing;
    return html`<footer class="wrap">
      ${
        page.canPlant
          ? html`<a class="solid" data-testid="plant" href=${`/r/${room}?seed=${token}`}>${msg('Plant it again')}</a>`
          : nothing
      }
      <a class="quiet raise" data-testid="grow" href=${`/keep#${token}/${room}`}>${msg('See it grow')}</a>
    </footer>`;
  }

  private draw(): void {
    const to = this.canvas.getContext('2d')!;
    to.clearRect(0, 0, PICTURE, PICTURE);
    const picture = this.pictures.of(this.node.organism);
    if (!picture) return;
    const { image, x, y, side } = picture;
    to.imageSmoothingQuality = 'high';
    to.drawImage(image, x, y, side, side, 0, 0, PICTURE, PICTURE);
  }

  private fire(name: string, detail?: TreeNode): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
