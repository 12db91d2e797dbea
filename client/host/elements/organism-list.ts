/** All organisms of the room, the newest first: the canvas without a pointer. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { icons, kindTile } from '../../elements/icons.ts';
import { ageText, kindName, organismName, stateText, survivedText } from '../../elements/text.ts';
import type { RoomModel } from '../../room/room-model.ts';
import { hostIcons } from '../icons.ts';
import { organismsText, planterName } from '../text.ts';
import { StyledElement } from './styled-element.ts';
import { iconButton, idOf, showAll } from './templates.ts';

/** Rows before “Show all”. */
const FIRST = 20;

/** Fires `pick` and `remove` (`detail`: OrganismId). */
@customElement('organism-list')
export class OrganismList extends StyledElement {
  static override styles = css`
    summary::after {
      content: '';
      width: 0.5em;
      height: 0.5em;
      margin: 0 0.3em;
      border: solid var(--ink-soft);
      border-width: 0 1.5px 1.5px 0;
      rotate: 45deg;
      translate: 0 -25%;
    }
    details[open] summary::after {
      rotate: 225deg;
      translate: 0 25%;
    }
    li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      align-items: center;
      gap: 8px;
      border-top: 1px solid var(--line);
    }
    .pick {
      padding: 6px 0;
      text-align: start;
      border-radius: 8px;
    }
    [aria-current] .pick {
      color: var(--accent);
    }
  `;

  @property({ attribute: false }) model: RoomModel | undefined;
  @property({ attribute: false }) version = 0;
  @property({ attribute: false }) picked: OrganismId = 0;
  @state() private open = false;
  @state() private all = false;

  override render(): TemplateResult {
    const organisms = [...(this.model?.organisms.values() ?? [])].reverse();
    const shown = this.all ? organisms : organisms.slice(0, FIRST);
    return html`<details
      @toggle=${(event: Event) => (this.open = (event.target as HTMLDetailsElement).open)}
    >
      <summary class="flex spread"><h3>${organismsText(organisms.length)}</h3></summary>
      ${
        this.open
          ? html`<ul>${repeat(shown, idOf, (organism) => this.organism(organism))}</ul>
              ${showAll(shown.length, organisms.length, () => (this.all = true))}`
          : nothing
      }
    </details>`;
  }

  private organism({ id, kind, planter }: OrganismView): TemplateResult {
    const name = kindName(kind);
    return html`<li aria-current=${id === this.picked ? 'true' : nothing}>
      <button class="pick grid capital" @click=${() => this.emit('pick', id)}>
        ${name}<small>${planterName(planter)}</small>
      </button>
      ${iconButton(msg(str`Remove ${name}, number ${id}`), hostIcons.remove, () => this.emit('remove', id), msg('Remove'))}
    </li>`;
  }
}

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
