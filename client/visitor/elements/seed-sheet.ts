/** The dialog for choosing a seed in the gallery, on the map or by drawing. */
import { msg } from '@lit/localize';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import type { SeedView } from '../../../shared/vocabulary.ts';
import { Drawing } from '../../draw/drawing.ts';
import type { Sheet } from '../../state/interaction-state.ts';
import { reasonText } from '../refusal-text.ts';
import './draw-pad.ts';
import type { DrawingWork } from './draw-pad.ts';
import './gallery-grid.ts';
import './latent-map.ts';
import { seedSheetStyle } from './seed-sheet-style.ts';
import { SheetElement } from './sheet-element.ts';

/** A modal dialog with the content of `sheet`; closed while that is undefined. */
@customElement('seed-sheet')
export class SeedSheet extends SheetElement {
  static override styles = seedSheetStyle;

  @property({ attribute: false }) sheet: Sheet | undefined;
  private work = newWork();

  override render(): TemplateResult {
    return html`<dialog
      class=${this.sheet ?? ''}
      aria-labelledby="title"
      data-testid="seed-sheet"
      @close=${() => this.sheet && this.session.state.update({ sheet: undefined })}
      @click=${this.clicked}
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
    const { model, state, previews, requests } = this.session;
    const { checkpoint, connection } = model;
    const { held, hand } = state.state;
    const whole = model.settings?.wholeGallery;
    if (!this.sheet || !checkpoint) return nothing;
    if (this.sheet === 'gallery') {
      return html`<gallery-grid
        .checkpoint=${checkpoint}
        .whole=${whole}
        .held=${held}
        @take=${this.take}
      ></gallery-grid>`;
    }
    if (this.sheet === 'map') {
      return html`<latent-map
        .checkpoint=${checkpoint}
        .whole=${whole}
        .previews=${previews}
        .held=${held}
        @take=${this.take}
      ></latent-map>`;
    }
    if (model.settings?.drawings === 'off') {
      return html`<p role="status">${reasonText('no-drawings')}</p>`;
    }
    return html`<draw-pad
      .checkpoint=${checkpoint}
      .previews=${previews}
      .requests=${requests}
      .live=${connection === 'live'}
      .asks=${model.settings?.drawings === 'ask'}
      .hand=${hand}
      .work=${this.work}
      @grown=${({ detail }: CustomEvent<SeedView>) => this.session.receiveDrawing(detail)}
      @refused=${({ detail }: CustomEvent<Reason>) => this.session.refuseDrawing(detail)}
      @take=${(event: CustomEvent<SeedSource>) => {
        this.work = newWork();
        this.take(event);
      }}
    ></draw-pad>`;
  }

  private take({ detail }: CustomEvent<SeedSource>): void {
    const { state } = this.session;
    state.hold(detail);
    if (this.sheet !== 'gallery') state.update({ taken: state.state.taken + 1 });
    this.close();
  }
}

const newWork = (): DrawingWork => ({ drawing: new Drawing(), sent: [], seed: undefined });
