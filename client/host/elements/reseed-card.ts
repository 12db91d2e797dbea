/** A fresh start for a room: everything goes, and some new seeds are planted. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { HostModel } from '../host-model.ts';
import { hostStyle } from '../style.ts';
import { organismsText, seedsText } from '../text.ts';
import { offerRestore } from '../undo-action.ts';

@customElement('reseed-card')
export class ReseedCard extends LitElement {
  static override styles = [
    hostStyle,
    css`
      p {
        margin: 4px 0 14px;
      }
      .field {
        width: 11em;
      }
      .row {
        align-items: end;
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  @state() private organisms = 12;

  override render(): TemplateResult {
    return html`<h3>${msg('A fresh start')}</h3>
      <p class="soft">${msg('All that lives is taken away, and new seeds are planted all over the room. The room before is saved, and can be brought back.')}</p>
      <form class="row" @submit=${this.submit}>
        <label class="field">
          <span>${msg('New seeds')}</span>
          <input
            type="number"
            min="0"
            max="64"
            step="1"
            required
            .value=${String(this.organisms)}
            @input=${(event: InputEvent) => {
              this.organisms = Number((event.target as HTMLInputElement).value);
            }}
          />
        </label>
        <button class="danger" data-testid="reseed">${msg('Start afresh')}</button>
      </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { host, organisms } = this;
    const { room } = host;
    const lives = host.summary?.organisms ?? 0;
    const yes = await host.ask({
      title: msg(str`Start “${room}” afresh?`),
      text: msg(
        str`Gone: ${organismsText(lives)}. Newly planted: ${seedsText(organisms)}. The room before is saved.`,
      ),
      act: msg('Start afresh'),
      danger: true,
    });
    if (!yes) return;
    await host.do('reseed', { room }, { organisms }, ({ planted, kept }) =>
      offerRestore(host, room, msg(str`Planted: ${seedsText(planted)}.`), kept),
    );
  }
}
