/** The card of one organism: who it is, whose, how it fares; and the beginning of a cross. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Session } from '../session.ts';
import { controls } from '../style/controls.ts';
import './cross-panel.ts';
import { icons } from './icons.ts';
import { kindTile } from './seed-picture.ts';
import { age, kindList, kindName, phaseText, woundsText } from './words.ts';

@localized()
@customElement('organism-card')
export class OrganismCard extends LitElement {
  static override styles = [
    controls,
    css`
      .panel {
        width: 19.5em;
        max-width: 100%;
        padding: 18px;
        position: relative;
      }
      header {
        display: flex;
        align-items: center;
        gap: 14px;
        padding-right: 26px;
      }
      h2 {
        margin: 0;
        font-size: 1.22em;
        font-weight: 500;
        line-height: 1.2;
      }
      h2::first-letter {
        text-transform: uppercase;
      }
      header p {
        margin: 3px 0 0;
        color: var(--ink-soft);
        font-size: 0.93em;
      }
      .tile {
        flex: none;
        width: 3.6em;
        height: 3.6em;
        clip-path: inset(1.5%);
      }
      .nameless {
        width: 2.4em;
        height: 2.4em;
        margin: 0.6em;
        clip-path: circle();
        background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.5 0.06 80));
      }
      .who {
        display: inline-block;
        width: 0.6em;
        height: 0.6em;
        border-radius: 50%;
        margin-right: 0.45em;
        background: oklch(0.8 0.12 var(--hue));
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 5px 18px;
        margin: 16px 0 0;
        padding-top: 14px;
        border-top: 1px solid var(--line);
      }
      dt {
        color: var(--ink-soft);
      }
      dd {
        margin: 0;
      }
      footer {
        margin-top: 16px;
        display: flex;
        gap: 6px;
        justify-content: space-between;
      }
      footer .solid {
        display: inline-flex;
        align-items: center;
        gap: 8px;
      }
      .close {
        position: absolute;
        top: 10px;
        right: 10px;
        padding: 6px;
        border-radius: 50%;
        color: var(--ink-soft);
      }
      /* On a phone the card lies flat above the dock and leaves the dish in sight. */
      @media (max-width: 720px) {
        .panel {
          width: 100%;
          padding: 12px 14px;
        }
        .panel > header .tile:not(.nameless) {
          width: 2.9em;
          height: 2.9em;
        }
        dl {
          grid: auto auto / auto-flow auto;
          gap: 0 12px;
          margin-top: 10px;
          padding-top: 10px;
          font-size: 0.93em;
        }
        .facts {
          position: absolute;
          top: 14px;
          right: 52px;
          margin: 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) version = 0;

  override render(): TemplateResult | typeof nothing {
    const { selection } = this.session.state;
    const organism = selection && this.model.organisms.get(selection.organism);
    const { checkpoint } = this.model;
    if (!selection || !organism || !checkpoint) return nothing;
    return html`<section class="panel" data-testid="organism-card" aria-label=${msg('Organism')}>
      <header>
        ${kindTile(checkpoint, organism.kind)}
        <div>
          <h2>${kindName(organism.kind)}</h2>
          <p>
            <span class="who" style="--hue:${organism.planter.hue}"></span>${this.planter(organism)}
          </p>
        </div>
      </header>
      ${
        selection.crossing
          ? html`<cross-panel
              .model=${this.model}
              .session=${this.session}
              .version=${this.version}
            ></cross-panel>`
          : this.facts(organism)
      }
      <button class="close" aria-label=${msg('Close')} @click=${this.close}>
        ${icons.close}
      </button>
    </section>`;
  }

  private close(): void {
    this.session.update({ selection: undefined });
  }

  private facts(organism: OrganismView): TemplateResult {
    const { room, tick = 0 } = this.model;
    const seconds = (tick - organism.born) / (room?.tickRate ?? 15);
    const { wounds, parents, phase, stage, side, id } = organism;
    return html`<dl>
        <dt>${msg('Planted')}</dt>
        <dd>${age(seconds)}</dd>
        <dt>${msg('State')}</dt>
        <dd>${phaseText(phase, stage, side)}</dd>
        <dt>${msg('Wounds')}</dt>
        <dd>${woundsText(wounds)}</dd>
        ${
          parents.length > 0
            ? html`<dt>${msg('Parents')}</dt>
              <dd>${kindList(parents.map((parent) => this.nameOf(parent)))}</dd>`
            : nothing
        }
      </dl>
      <footer class="facts">
        <button
          class="solid"
          data-testid="cross-with"
          @click=${() =>
            this.session.update({
              selection: { organism: id, crossing: true, second: 0, mix: 0.5 },
            })}
        >
          ${icons.cross}<span>${msg('Cross with…')}</span>
        </button>
      </footer>`;
  }

  private planter({ planter }: OrganismView): string {
    if (planter.id === this.model.you?.id) return msg('you');
    return planter.name || msg('a visitor');
  }

  private nameOf(id: OrganismId): string {
    const parent = this.model.organisms.get(id);
    return parent ? kindName(parent.kind) : msg('one that is gone');
  }
}
