/** Ends the day of the selected room: all organisms go within a minute, and a new day begins. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { HostElement } from '../elements/host-element.ts';
import { farewellText, organismsText, stateBefore } from '../text.ts';
import { offerRestore } from './undo-card.ts';

/** Asks for confirmation first; the result can be undone where the server stores anything. Slot: settings of it. */
@customElement('farewell-card')
export class FarewellCard extends HostElement {
  static override styles = css`
    p {
      margin: 4px 0 14px;
    }
    ::slotted(*) {
      margin-bottom: 14px;
    }
  `;

  override render(): TemplateResult {
    const { summary, state } = this.host;
    return html`<h3>${msg('End the day')}</h3>
      <p class="soft">${farewellText(state)}</p>
      <slot></slot>
      ${
        summary?.farewell
          ? html`<div class="row" role="status">
              <span>${msg('The day is ending.')}</span>
              <button class="plain" data-testid="stop-farewell" @click=${this.cancel}>${msg('Stop')}</button>
            </div>`
          : html`<button class="danger" data-testid="farewell" ?disabled=${!summary?.open} @click=${this.begin}>${msg('End the day')}</button>`
      }`;
  }

  private async begin(): Promise<void> {
    const { host, shownRoom: room } = this;
    const count = host.summary?.organisms ?? 0;
    const yes = await host.feedback.ask({
      title: msg(str`End the day of “${room}”?`),
      text: `${msg(str`Will go within a minute: ${organismsText(count)}. Nobody can act meanwhile.`)} ${stateBefore(host.state)}`,
      confirm: msg('End the day'),
      danger: true,
    });
    if (!yes) return;
    await host.do('farewell', { room }, {}, ({ kept }) =>
      offerRestore(host, room, msg('The day is ending.'), kept),
    );
  }

  private cancel(): void {
    void this.host.do('stopFarewell', { room: this.shownRoom }, {}, () =>
      msg('What still lives stays.'),
    );
  }
}
