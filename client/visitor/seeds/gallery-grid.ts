/** The whole gallery as a grid, with a text search and category filters. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import { KIND_TITLES, search } from '../../elements/gallery.ts';
import { type Checkpoint, icons } from '../../elements/icons.ts';
import { roveGrid } from '../../input/keyboard.ts';
import { type Offer, offered, searchable } from '../../state/browser-store.ts';
import { textField, visuallyHidden } from '../../style/fragments.ts';
import { VisitorElement } from '../elements/page-element.ts';
import { galleryButton } from './seed-tray.ts';

/** Fires `take` (`detail`: SeedSource) when a seed is chosen. */
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
      /* Rows are as high as their square tiles, not as the buttons' minimum height. */
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
      aspect-ratio: 1;
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
    /* In a tiny window everything scrolls. */
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
  /** What the host offers. */
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

  /** Moves the focus from the search field to the first result. */
  private searchKey(event: KeyboardEvent): void {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
    // Ignore keys of an input method (IME); Safari reports them only as keyCode 229.
    if (event.isComposing || event.keyCode === 229) return;
    this.grid.querySelector('button')?.focus();
    event.preventDefault();
  }
}
