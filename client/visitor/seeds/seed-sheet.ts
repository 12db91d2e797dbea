/** The dialog in which visitors choose a seed: in the gallery, on the map, or by drawing. */
import { msg } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import { KIND_TITLES, search } from '../../elements/gallery.ts';
import { type Checkpoint, icons } from '../../elements/icons.ts';
import { roveGrid } from '../../input/keyboard.ts';
import { type Offer, offered, searchable } from '../../state/browser-store.ts';
import type { Sheet } from '../../state/interaction-state.ts';
import { textField, visuallyHidden } from '../../style/fragments.ts';
import { Drawing } from '../drawing/drawing.ts';
import { SheetElement, VisitorElement } from '../elements/page-element.ts';
import { reasonText } from '../text.ts';
import { galleryButton } from './seed-tray.ts';

/**
 * Styles of the seed sheet, which is at the lower edge of a small window and in the middle of a
 * large one.
 */
export const seedSheetStyle = css`
  dialog[open] {
    --edge: 12px;
    --margin: 0px;
    --head: 44px;
    --safe-width: calc(100dvw - env(safe-area-inset-left) - env(safe-area-inset-right));
    /* Size available for the sheet's content. */
    --free-width: calc(var(--safe-width) - 2 * var(--margin) - 2 * var(--edge) - 2px);
    --free-height: calc(
      100dvh - 2 * var(--margin) - 2px - max(var(--edge), env(safe-area-inset-top)) -
        max(var(--edge), env(safe-area-inset-bottom))
    );
    inset: auto env(safe-area-inset-right) 0 env(safe-area-inset-left);
    margin: 0 auto;
    grid-template: var(--head) minmax(0, 1fr) / minmax(0, 1fr);
    gap: 8px;
    width: min(var(--safe-width), 38em);
    max-width: none;
    height: min(92dvh, 54em);
    max-height: none;
    padding: var(--edge);
    padding-bottom: max(var(--edge), env(safe-area-inset-bottom));
    background: oklch(0.17 0.012 225);
    border-bottom: 0;
    border-radius: 26px 26px 0 0;
    --from: translateY(60px);
    animation: fade-in 0.32s cubic-bezier(0.2, 0.9, 0.3, 1);
    overscroll-behavior: contain;
  }
  dialog.draw[open] {
    width: fit-content;
    height: fit-content;
    max-height: 100dvh;
  }
  @media (max-height: 600px) {
    dialog[open] {
      height: 100dvh;
      border-radius: 20px 20px 0 0;
    }
  }
  @media (max-width: 359px), (max-height: 359px) {
    dialog[open] {
      --edge: 10px;
    }
  }
  @media (min-width: 721px) and (min-height: 760px) {
    dialog[open] {
      --edge: 16px;
      --margin: 24px;
      inset: 0;
      margin: auto;
      height: min(86dvh, 54em);
      border-bottom: 1px solid var(--line);
      border-radius: 26px;
    }
    dialog.map[open] {
      width: min(100dvw - 2 * var(--margin), 54em);
      height: min(100dvh - 2 * var(--margin), 72em);
    }
  }
  dialog::backdrop {
    --from: none;
    animation: fade-in 0.3s;
  }
  header {
    padding-inline-start: 6px;
  }
  /* In landscape, the drawing pad or map has the full height. Its controls are at the side. */
  @media (min-aspect-ratio: 11/10) {
    dialog[open] {
      --side: clamp(94px, 39dvw, max(188px, 14em));
    }
    dialog:is(.draw, .map)[open] {
      grid-template-rows: minmax(0, 1fr);
    }
    dialog:is(.draw, .map) header {
      position: absolute;
      top: var(--edge);
      inset-inline-end: var(--edge);
      width: var(--side);
      height: var(--head);
    }
    /* Limit the width to keep the map approximately square. */
    dialog.map[open] {
      width: min(var(--safe-width), 100dvh + var(--side), 72em);
    }
    @media (max-height: 600px) {
      dialog.gallery[open] {
        width: min(var(--safe-width), 60em);
      }
    }
  }
`;

/**
 * Modal dialog that shows the gallery, the map or the drawing pad. If `sheet` is undefined, the
 * dialog is closed.
 */
@customElement('seed-sheet')
export class SeedSheet extends SheetElement {
  static override styles = seedSheetStyle;

  @property({ attribute: false }) sheet: Sheet | undefined;
  private drawing = new Drawing();

  constructor() {
    super();
    this.addEventListener('take', (event) => this.take(event as CustomEvent<SeedSource>));
    this.addEventListener('keydown', (event) => event.stopPropagation());
  }

  override render(): TemplateResult {
    return this.frame('seed-sheet', this.heading(), this.content(), this.sheet);
  }

  protected override closed(): void {
    if (this.sheet) this.session.state.update({ sheet: undefined });
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('sheet')) return;
    if (this.sheet && !this.dialog.open) this.show();
    if (!this.sheet && this.dialog.open) this.close();
  }

  private heading(): string {
    if (this.sheet === 'draw') {
      const ink = this.session.model.checkpoint?.draws === 'ink';
      return ink ? msg('Draw a digit') : msg('Draw a creature');
    }
    return this.sheet === 'map' ? msg('Map of creatures') : msg('All creatures');
  }

  private content(): TemplateResult | typeof nothing {
    const { model, state, isLive } = this.session;
    const { checkpoint } = model;
    const whole = model.settings?.wholeGallery;
    if (!this.sheet || !checkpoint) return nothing;
    if (this.sheet === 'gallery') {
      const { held } = state.state;
      return html`<gallery-grid .checkpoint=${checkpoint} .offer=${model.settings} .held=${held}></gallery-grid>`;
    }
    if (this.sheet === 'map') {
      return html`<latent-map .session=${this.session} .whole=${whole}></latent-map>`;
    }
    if (model.settings?.drawings === 'off') {
      return html`<p role="status">${reasonText('no-drawings')}</p>`;
    }
    return html`<draw-pad
      .session=${this.session}
      .live=${isLive}
      .asks=${model.settings?.drawings === 'ask'}
      .drawing=${this.drawing}
    ></draw-pad>`;
  }

  private take({ detail }: CustomEvent<SeedSource>): void {
    const { state } = this.session;
    state.hold(detail);
    if (this.sheet === 'draw') this.drawing = new Drawing();
    if (this.sheet !== 'gallery') state.update({ taken: state.state.taken + 1 });
    this.close();
  }
}

/**
 * The gallery with a search field. Fires `take` (`detail`: SeedSource) when the visitor chooses a
 * seed.
 */
@customElement('gallery-grid')
export class GalleryGrid extends VisitorElement {
  static override styles = css`
    ${textField}
    :host {
      display: grid;
      grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr);
      gap: 8px;
      min-height: 0;
    }
    label {
      gap: 10px;
      padding: 0 14px;
      border-radius: 999px;
      background: oklch(0.95 0.01 210 / 0.07);
    }
    label:focus-within {
      outline: 2px solid var(--accent);
      outline-offset: 1px;
    }
    input {
      padding: 0.72em 0;
      background: none;
      border: 0;
    }
    input:focus-visible {
      outline: 0;
    }
    .chips {
      display: flex;
      gap: 2px;
      overflow-x: auto;
      scrollbar-width: none;
      padding: 2px;
      overscroll-behavior-x: contain;
    }
    .chips button {
      min-height: 2.4em;
      padding: 0 0.95em;
      border-radius: 999px;
    }
    .grid {
      grid-template-columns: repeat(auto-fill, minmax(4.3em, 1fr));
      /*
       * Give rows the height of the tiles, because automatic rows can shrink to a button's minimum
       * height.
       */
      grid-auto-rows: max-content;
      align-content: start;
      gap: 4px;
      padding: 4px 2px 24px;
      scrollbar-width: thin;
      scrollbar-color: oklch(0.95 0.01 210 / 0.2) transparent;
    }
    .grid button {
      border-radius: 16px;
      aspect-ratio: 1;
      contain: content;
    }
    .tile {
      width: 80%;
      clip-path: inset(1.5%);
    }
    p {
      grid-column: 1 / -1;
      margin: 2em auto;
      text-align: center;
    }
    @media (min-aspect-ratio: 11/10) and (max-height: 600px) {
      :host {
        grid-template: auto minmax(0, 1fr) / minmax(9em, 1fr) auto;
        align-items: start;
      }
      .chips {
        min-width: 0;
      }
      .grid {
        grid-column: 1 / -1;
        height: 100%;
      }
    }
    /* In a tiny window, scroll the whole content. */
    @media (max-height: 359px) {
      :host {
        grid-template-rows: none;
        align-content: start;
        padding: 3px;
        margin: -3px;
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .grid {
        height: auto;
        overflow: visible;
      }
    }
    .count {
      ${visuallyHidden}
    }
  `;

  @property({ attribute: false }) checkpoint!: Checkpoint;
  @property({ attribute: false }) held!: SeedSource;
  /** The host's settings that determine which gallery seeds are shown. */
  @property({ attribute: false }) offer: Offer | undefined;
  @state() private typed = '';
  @state() private kind = '';
  @query('.grid') private readonly grid!: HTMLElement;

  override render(): TemplateResult {
    const { gallery } = this.checkpoint;
    const choose = this.typed.trim() === '' ? offered : searchable;
    const all = choose(this.checkpoint, this.offer);
    const kinds = Object.keys(KIND_TITLES).filter((kind) =>
      all.some((index) => gallery[index].kind === kind),
    );
    const ofKind = all.filter((index) => ['', gallery[index].kind].includes(this.kind));
    const found = search(gallery, ofKind, this.typed);
    return html`<label class="flex soft">
        ${icons.search}
        <input
          type="search"
          data-testid="search"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          enterkeyhint="search"
          placeholder=${msg('Search')}
          aria-label=${msg('Search creatures')}
          .value=${this.typed}
          @input=${this.type}
          @keydown=${this.searchKey}
        />
      </label>
      ${
        kinds.length > 1
          ? html`<div class="chips picks" role="group" aria-label=${msg('Kinds of seeds')}>
            ${['', ...kinds].map((kind) => this.chip(kind))}
          </div>`
          : html`<span></span>`
      }
      <div class="grid scroll" role="group" aria-label=${msg('Seeds')} @keydown=${(event: KeyboardEvent) => roveGrid(event, this.grid)}>
        ${found.map((index, at) => galleryButton('found', this.checkpoint, index, this.held, at === 0 ? 0 : -1))}
        ${found.length === 0 ? html`<p class="soft">${msg('Nothing here has that name.')}</p>` : nothing}
      </div>
      <p class="count" role="status">${this.typed === '' ? '' : `${found.length}`}</p>`;
  }

  private chip(kind: string): TemplateResult {
    return html`<button
      class="soft small bright rigid"
      data-testid="kind-${kind || 'all'}"
      aria-pressed=${this.kind === kind}
      @click=${() => {
        this.kind = kind;
        this.grid.scrollTop = 0;
      }}
    >
      ${KIND_TITLES[kind]?.() ?? msg('All')}
    </button>`;
  }

  private type(event: InputEvent): void {
    this.typed = (event.target as HTMLInputElement).value;
    this.grid.scrollTop = 0;
  }

  /**
   * Moves the focus from the search field to the first result if Enter or Arrow Down is pressed.
   */
  private searchKey(event: KeyboardEvent): void {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
    // Ignore keys that belong to an input method editor (IME). Safari marks some of these keys only
    // with the key code 229.
    if (event.isComposing || event.keyCode === 229) return;
    this.grid.querySelector('button')?.focus();
    event.preventDefault();
  }
}
