/** The list of organisms beside the live room. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { kindName } from '../../elements/text.ts';
import type { RoomModel } from '../../room/room-model.ts';
import * as ui from '../host-element.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

/** Number of organisms listed before the host chooses “Show all”. */
const FIRST_ORGANISMS = 20;

/**
 * Lists the organisms. Fires `pick` when the host selects an organism, and `remove` when the host
 * wants to remove it. The `detail` of both events is the OrganismId.
 */
@customElement('organism-list')
export class OrganismList extends ui.HostElement {
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
      grid-template-columns: minmax(0, 1fr) auto;
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
  @property({ attribute: false }) picked: OrganismId = 0;
  @state() private open = false;

  override render(): TemplateResult {
    const organisms = [...(this.model?.organisms.values() ?? [])].reverse();
    const shown = this.first(organisms, FIRST_ORGANISMS);
    const toggled = ({ target }: Event) => (this.open = (target as HTMLDetailsElement).open);
    const list = html`<ul>${repeat(shown, ui.idOf, (organism) => this.organism(organism))}</ul>
      ${this.showAll(shown.length, organisms.length)}`;
    return html`<details @toggle=${toggled}>
      <summary class="flex spread"><h3>${texts.organismsText(organisms.length)}</h3></summary>
      ${this.open ? list : nothing}
    </details>`;
  }

  private organism({ id, kind, planter }: OrganismView): TemplateResult {
    const name = kindName(kind);
    return html`<li class="lined grid centre gap-8" aria-current=${id === this.picked ? 'true' : nothing}>
      <button class="pick grid capital" @click=${() => this.emit('pick', id)}>
        ${name}<small>${texts.planterName(planter)}</small>
      </button>
      ${ui.iconButton(msg(str`Remove ${name}, number ${id}`), hostIcons.remove, () => this.emit('remove', id), msg('Remove'))}
    </li>`;
  }
}
