/** The dialog for choosing a seed in the gallery, on the map or by drawing. */
import { msg } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import type { Sheet } from '../../state/interaction-state.ts';
import type { DrawingWork } from '../drawing/draw-pad.ts';
import { Drawing } from '../drawing/drawing.ts';
import { SheetElement } from '../elements/page-element.ts';
import { reasonText } from '../text.ts';

/** Styles of the seed sheet: at the lower edge, or centred in a large window. */
export const seedSheetStyle = css`
  dialog[open] {
    --edge: 12px;
    --margin: 0px;
    --head: 44px;
    --safe-width: calc(100dvw - env(safe-area-inset-left) - env(safe-area-inset-right));
    /* The available size, for the content. */
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
  /* In landscape the pad or the map takes the full height and the controls are beside it. */
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
    /* The map is about square. */
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

/** A modal dialog with the content of `sheet`; closed while `sheet` is undefined. */
@customElement('seed-sheet')
export class SeedSheet extends SheetElement {
  static override styles = seedSheetStyle;

  @property({ attribute: false }) sheet: Sheet | undefined;
  private work = newWork();

  override render(): TemplateResult {
    return html`<dialog
      class="panel ${this.sheet ?? ''}"
      aria-labelledby="title"
      data-testid="seed-sheet"
      @close=${() => this.sheet && this.session.state.update({ sheet: undefined })}
      @click=${this.clicked}
      @take=${this.take}
      @keydown=${(event: KeyboardEvent) => event.stopPropagation()}
    >
      ${this.header(this.heading())} ${this.content()}
    </dialog>`;
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
      .work=${this.work}
    ></draw-pad>`;
  }

  private take({ detail }: CustomEvent<SeedSource>): void {
    const { state } = this.session;
    state.hold(detail);
    if (this.sheet === 'draw') this.work = newWork();
    if (this.sheet !== 'gallery') state.update({ taken: state.state.taken + 1 });
    this.close();
  }
}

const newWork = (): DrawingWork => ({ drawing: new Drawing(), sent: [], seed: undefined });
