/** The bans, with buttons to lift them. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { BanState } from '../../../shared/host/state.ts';
import { moment, visitorName } from '../text.ts';
import { HostElement } from './host-element.ts';

/** Hidden while there are no bans. */
@customElement('ban-list')
export class BanList extends HostElement {
  static override styles = css`
    li {
      gap: 12px;
      padding: 8px 0;
      border-top: 1px solid var(--line);
    }
    .link {
      flex: none;
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { state } = this.host;
    const bans = state?.bans ?? [];
    this.hidden = bans.length === 0;
    if (!state || bans.length === 0) return nothing;
    return html`<h3>${msg('Banned')}</h3>
      <ul>
        ${bans.map((ban) => this.ban(ban))}
      </ul>`;
  }

  private ban(ban: BanState): TemplateResult {
    const { now = 0, zone = 'UTC' } = this.host.state ?? {};
    const name = visitorName({ id: ban.participant, name: ban.name });
    const until =
      ban.until === null
        ? msg('until you lift it')
        : msg(str`until ${moment(ban.until, now, zone)}`);
    return html`<li class="flex spread">
      <span>${name}<small>${ban.address ? msg('everyone at the address, ') : ''}${until}</small></span>
      <button
        class="link"
        aria-label=${msg(str`Lift the ban for ${name}`)}
        @click=${() => this.host.do('liftBan', { ban: ban.id }, {}, () => msg(str`${name} can come back in.`))}
      >
        ${msg('Lift ban')}
      </button>
    </li>`;
  }
}
