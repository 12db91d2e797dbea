/** Two parents and the child between them: the lower half of an organism's card while it is being crossed. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { RoomModel } from '../net/room-model.ts';
import type { Session } from '../session.ts';
import { controls } from '../style/controls.ts';
import { kindTile } from './seed-picture.ts';

@localized()
@customElement('cross-panel')
export class CrossPanel extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      .tile {
        flex: none;
        width: 2.9em;
        height: 2.9em;
        clip-path: inset(1.5%);
      }
      .nameless {
        width: 1.9em;
        height: 1.9em;
        margin: 0.5em;
        clip-path: circle();
        background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.5 0.06 80));
      }
      .pair {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 8px;
        align-items: center;
        margin-top: 14px;
      }
      .pair .empty {
        width: 2.5em;
        height: 2.5em;
        border: 1.5px dashed var(--warm);
        border-radius: 50%;
      }
      .hint {
        margin: 14px 0 0;
        color: var(--warm);
      }
      footer {
        margin-top: 16px;
        display: flex;
        gap: 6px;
        justify-content: space-between;
      }
      @media (max-width: 720px) {
        .pair,
        footer {
          margin-top: 8px;
        }
      }
    `,
  ];

  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) session!: Session;
  /** Changes with session and room, so that this is drawn anew. */
  @property({ attribute: false }) version = 0;

  override render(): TemplateResult | typeof nothing {
    const { selection } = this.session.state;
    const first = selection && this.model.organisms.get(selection.organism);
    const { checkpoint } = this.model;
    if (!selection || !first || !checkpoint) return nothing;
    const second = this.model.organisms.get(selection.second);
    return html`<div class="pair">
        ${kindTile(checkpoint, first.kind)}
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          .value=${String(selection.mix)}
          ?disabled=${!second}
          aria-label=${msg('Share of the second parent')}
          data-testid="mix"
          @input=${(event: InputEvent) => {
            const mix = (event.target as HTMLInputElement).valueAsNumber;
            this.session.update({ selection: { ...selection, mix } });
          }}
        />
        ${second ? kindTile(checkpoint, second.kind) : html`<span class="empty"></span>`}
      </div>
      ${second ? nothing : html`<p class="hint">${msg('Now tap a second organism.')}</p>`}
      <footer>
        <button class="quiet" @click=${() => this.session.update({ selection: undefined })}>
          ${msg('Cancel')}
        </button>
        <button
          class="solid"
          data-testid="make-seed"
          ?disabled=${!second}
          @click=${() => {
            this.dispatchEvent(new CustomEvent('make-seed', { bubbles: true, composed: true }));
          }}
        >
          ${msg('Make a seed')}
        </button>
      </footer>`;
  }
}
