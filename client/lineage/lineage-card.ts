/** What is told of one organism of a family tree. */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { type LineagePage, lineageSeedPath } from '../../shared/lineage.ts';
import { icons } from '../elements/icons.ts';
import { furtherText, number, survivedText } from '../elements/text.ts';
import type { TreeNode } from '../family-tree/layout.ts';
import type { TreePictures } from '../family-tree/pictures.ts';
import { endText, nameOf, plantedText, spanText, wasText } from '../family-tree/tree-text.ts';
import { style } from './style.ts';

/** Width and height of the picture, px. */
const PICTURE = 160;
/** Most relatives that are listed of each kind. */
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
  private asked: TreeNode | undefined;

  override render(): TemplateResult {
    const { node, page } = this;
    const { organism, parents, children, generation } = node;
    const survived = survivedText(organism);
    return html`<section class="panel card scroll" tabindex="-1" data-testid="lineage-card" aria-label=${msg('Organism')}>
      <header>
        <canvas width=${PICTURE} height=${PICTURE} aria-hidden="true"></canvas>
        <div>
          <h2>${nameOf(organism)}</h2>
          <p class="soft small">${plantedText(organism)}</p>
          <p class="soft small">${wasText(organism)}</p>
        </div>
      </header>
      <button class="close" aria-label=${msg('Close')} @click=${() => this.fire('close')}>
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
    if (this.asked === node) return;
    this.asked = node;
    this.token = undefined;
    void fetch(lineageSeedPath(room, node.organism.id))
      .then(async (response) => (response.ok ? await response.json() : {}))
      .then(({ token }: { token?: string }) => {
        if (this.node === node) this.token = token;
      })
      // Without its seed, there are no links.
      .catch(() => undefined);
  }

  /** Moves the focus into the card. */
  enter(): void {
    this.renderRoot.querySelector<HTMLElement>('section')?.focus({ preventScroll: true });
  }

  private kin(title: string, kin: readonly TreeNode[]): TemplateResult | typeof nothing {
    if (kin.length === 0) return nothing;
    const more = kin.length - MOST;
    return html`<h3>${title}</h3>
      <div class="kin">
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
    return html`<footer>
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
