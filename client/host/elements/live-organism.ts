/** Card of the selected organism: what it is, who planted it, and a button to remove it. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { ageText, stateText, survivedText } from '../../elements/organism-text.ts';
import { kindTile } from '../../elements/seed-picture.ts';
import { organismName } from '../../elements/text.ts';
import type { RoomModel } from '../../net/room-model.ts';
import { hostIcons } from '../icons.ts';
import { planterName } from '../text.ts';
import { StyledElement } from './styled-element.ts';

/** Fires `remove` and `close`. */
@customElement('live-organism')
export class LiveOrganism extends StyledElement {
  static override styles = css`
    .card {
      position: relative;
      width: 19em;
      max-width: 100%;
      padding: 16px;
      background: oklch(0.2 0.012 225 / 0.95);
      box-shadow: var(--shadow);
    }
    header {
      gap: 14px;
      padding-inline-end: 30px;
    }
    .tile {
      flex: none;
      width: 3.4em;
      height: 3.4em;
      clip-path: inset(1.5%);
    }
    .nameless {
      width: 2.4em;
      height: 2.4em;
      margin: 0.5em;
      clip-path: circle();
      background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.5 0.06 80));
    }
    .details {
      margin: 10px 0 14px;
    }
    .close {
      position: absolute;
      top: 8px;
      inset-inline-end: 8px;
    }
    @media (max-width: 560px) {
      .card {
        width: 100%;
      }
      .details {
        margin: 8px 0 10px;
      }
    }
  `;

  @property({ attribute: false }) model: RoomModel | undefined;
  @property({ attribute: false }) organism!: OrganismView;

  override render(): TemplateResult | typeof nothing {
    const { model, organism } = this;
    if (!model?.checkpoint) return nothing;
    const { kind, planter, born } = organism;
    const seconds = ((model.tick ?? 0) - born) / (model.room?.tickRate ?? 15);
    return html`<section class="card" aria-label=${msg('Organism')} data-testid="organism">
      <header class="flex">
        ${kindTile(model.checkpoint, kind)}
        <div>
          <h3 class="capital">${organismName(organism)}</h3>
          <p class="soft"><span class="who" style="--hue:${planter.hue}"></span>${planterName(planter)}</p>
        </div>
      </header>
      <p class="details soft">${[ageText(seconds), stateText(organism), survivedText(organism)].filter(Boolean).join(', ')}</p>
      <button class="danger" data-testid="remove" @click=${() => this.emit('remove')}>
        ${hostIcons.remove}${msg('Remove')}
      </button>
      <button class="icon close" aria-label=${msg('Close')} @click=${() => this.emit('close')}>
        ${icons.close}
      </button>
    </section>`;
  }
}
