/** Clears the selected room and plants new seeds. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { organismsText, seedsText, stateBefore } from '../text.ts';
import { offerRestore } from '../undo-action.ts';
import { HostElement } from './host-element.ts';
import { field, inputValue } from './templates.ts';

/** Asks for confirmation first; the result can be undone where the server stores anything. */
@customElement('reseed-card')
export class ReseedCard extends HostElement {
  static override styles = css`
    p {
      margin: 4px 0 14px;
    }
    .field {
      width: 11em;
    }
    .row {
      align-items: end;
    }
  `;

  @state() private organisms = 12;

  override render(): TemplateResult {
    return html`<h3>${msg('Start over')}</h3>
      <p class="soft">${msg('Removes every organism and plants new seeds all over the room.')} ${stateBefore(this.host.state)}</p>
      <form class="row" @submit=${this.submit}>
        ${field(
          msg('New seeds'),
          html`<input
            type="number"
            min="0"
            max="64"
            step="1"
            required
            .value=${String(this.organisms)}
            @input=${(event: InputEvent) => (this.organisms = Number(inputValue(event)))}
          />`,
        )}
        <button class="danger" data-testid="reseed" ?disabled=${!this.host.summary?.open}>${msg('Start over')}</button>
      </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { host, organisms } = this;
    const { room } = host;
    const count = host.summary?.organisms ?? 0;
    const yes = await host.feedback.ask({
      title: msg(str`Start “${room}” over?`),
      text: `${msg(str`Will be removed: ${organismsText(count)}. Will be planted: ${seedsText(organisms)}.`)} ${stateBefore(host.state)}`,
      confirm: msg('Start over'),
      danger: true,
    });
    if (!yes) return;
    await host.do('reseed', { room }, { organisms }, ({ planted, kept }) =>
      offerRestore(host, room, msg(str`Planted: ${seedsText(planted)}.`), kept),
    );
  }
}
