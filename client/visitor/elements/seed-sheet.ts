/** The dialog for choosing a seed in the gallery, on the map or by drawing. */
import { localized, msg } from '@lit/localize';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import type { SeedView } from '../../../shared/vocabulary.ts';
import type { RequestTracker } from '../../net/request-tracker.ts';
import type { RoomModel } from '../../net/room-model.ts';
import type { Previews } from '../../net/seed-previews.ts';
import type { InteractionState, Sheet } from '../../state/interaction-state.ts';
import { controls } from '../../style/controls.ts';
import './draw-pad.ts';
import './gallery-grid.ts';
import { icons } from '../../elements/icons.ts';
import './latent-map.ts';
import { seedSheetStyle } from './seed-sheet-style.ts';

/** A modal dialog with the content of `sheet`; closed while that is undefined. */
@localized()
@customElement('seed-sheet')
export class SeedSheet extends LitElement {
  static override styles = [controls, seedSheetStyle];

  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) state!: InteractionState;
  @property({ attribute: false }) previews!: Previews;
  @property({ attribute: false }) requests!: RequestTracker;
  @property({ attribute: false }) sheet: Sheet | undefined;
  /** Whether the server is connected. */
  @property({ attribute: false }) live = false;
  @query('dialog') private readonly dialog!: HTMLDialogElement;

  override render(): TemplateResult {
    return html`<dialog
      class=${this.sheet ?? ''}
      aria-labelledby="title"
      data-testid="seed-sheet"
      @close=${this.closed}
      @click=${this.clicked}
      @keydown=${(event: KeyboardEvent) => event.stopPropagation()}
    >
      <header>
        <h2 id="title">${this.title_()}</h2>
        <button aria-label=${msg('Close')} data-testid="sheet-close" @click=${this.close}>
          ${icons.close}
        </button>
      </header>
      ${this.content()}
    </dialog>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('sheet')) return;
    if (this.sheet && !this.dialog.open) this.dialog.showModal();
    if (!this.sheet && this.dialog.open) this.dialog.close();
  }

  private title_(): string {
    if (this.sheet === 'draw') {
      const ink = this.model.checkpoint?.draws === 'ink';
      return ink ? msg('Draw a digit') : msg('Draw a creature');
    }
    return this.sheet === 'map' ? msg('Map of creatures') : msg('All creatures');
  }

  private content(): TemplateResult | typeof nothing {
    const { checkpoint } = this.model;
    const { state: session, previews } = this;
    if (!this.sheet || !checkpoint) return nothing;
    if (this.sheet === 'gallery') {
      return html`<gallery-grid
        .checkpoint=${checkpoint}
        .held=${session.state.held}
        @take=${this.take}
      ></gallery-grid>`;
    }
    if (this.sheet === 'map') {
      return html`<latent-map
        .checkpoint=${checkpoint}
        .previews=${previews}
        .held=${session.state.held}
        @take=${this.take}
      ></latent-map>`;
    }
    return html`<draw-pad
      .checkpoint=${checkpoint}
      .previews=${previews}
      .requests=${this.requests}
      .live=${this.live}
      .hand=${session.state.hand}
      @grown=${({ detail }: CustomEvent<SeedView>) => session.receive(detail)}
      @done=${this.close}
    ></draw-pad>`;
  }

  private take({ detail }: CustomEvent<SeedSource>): void {
    this.state.hold(detail);
    this.close();
  }

  private close(): void {
    this.dialog.close();
  }

  private closed(): void {
    if (this.state.state.sheet) this.state.update({ sheet: undefined });
  }

  /** Closes the dialog on a click outside it; the browser reports those on the dialog itself. */
  private clicked(event: MouseEvent): void {
    if (event.target === this.dialog) {
      const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (x < left || x > right || y < top || y > bottom) this.close();
    }
  }
}
