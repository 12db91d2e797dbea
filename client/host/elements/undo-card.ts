/** Takes back what was done a moment ago, by one visitor or by all. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { VisitorState } from '../../../shared/host/state.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { hostStyle } from '../style.ts';
import { actsText, span, visitorName } from '../text.ts';
import { offerRestore } from '../undo-action.ts';

const SPANS = [10, 30, 60, 300];

@customElement('undo-card')
export class UndoCard extends LitElement {
  static override styles = [
    hostStyle,
    css`
      .card-head {
        margin-bottom: 12px;
      }
      .chips {
        gap: 6px;
      }
      .chip {
        min-height: 2.6em;
        padding-inline: 0.9em;
      }
      form {
        display: grid;
        gap: 14px;
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  @state() private seconds = 30;
  /** Whose acts; undefined: everybody's. He may have left meanwhile. */
  @state() private whom: VisitorState | undefined;
  private room = '';

  protected override willUpdate(): void {
    if (this.host.room === this.room) return;
    this.room = this.host.room;
    this.whom = undefined;
  }

  override render(): TemplateResult {
    const { detail, summary } = this.host;
    const { whom } = this;
    const there = detail?.visitors ?? [];
    const visitors = whom && !there.some(({ id }) => id === whom.id) ? [...there, whom] : there;
    const busy = summary?.busy === 'undoing';
    return html`<form @submit=${this.submit} aria-label=${msg('Take back')}>
      <div>
        <h3>${msg('Take back')}</h3>
        <p class="soft">${msg('The room becomes what it would be, had it not been done.')}</p>
      </div>
      <fieldset>
        <legend>${msg('The last')}</legend>
        <div class="chips">
          ${SPANS.map(
            (seconds) => html`<label class="chip"
              ><input
                type="radio"
                name="seconds"
                value=${seconds}
                .checked=${seconds === this.seconds}
                @change=${() => {
                  this.seconds = seconds;
                }}
              /><span>${seconds < 60 ? `${seconds} s` : `${seconds / 60} min`}</span></label
            >`,
          )}
        </div>
      </fieldset>
      <label class="field">
        <span>${msg('Of whom')}</span>
        <select
          data-testid="undo-whom"
          @change=${(event: Event) => {
            const chosen = Number((event.target as HTMLSelectElement).value);
            this.whom = visitors.find(({ id }) => id === chosen);
          }}
        >
          <option value="0" .selected=${!whom}>${msg('everybody')}</option>
          ${repeat(
            visitors,
            ({ id }) => id,
            (visitor) =>
              html`<option value=${visitor.id} .selected=${visitor.id === whom?.id}>${visitorName(visitor)}</option>`,
          )}
        </select>
      </label>
      <button class="plain" data-testid="undo" ?disabled=${busy}>${hostIcons.undo}${busy ? msg('Taking back …') : msg('Take back')}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { host, room, seconds, whom: who } = this;
    const yes = await host.ask({
      title: msg(str`Take back the last ${span(seconds * 1_000)}?`),
      text: who
        ? msg(
            str`What ${visitorName(who)} has done in that time is undone: seeds, wounds and crosses. The room before is saved.`,
          )
        : msg(
            'What everybody has done in that time is undone: seeds, wounds and crosses. The room before is saved.',
          ),
      act: msg('Take it back'),
    });
    if (!yes) return;
    const whom = who ? who.id : null;
    await host.do('undo', { room }, { seconds, participant: whom }, ({ undone, kept }) =>
      offerRestore(host, room, msg(str`Taken back: ${actsText(undone)}.`), kept),
    );
  }
}
