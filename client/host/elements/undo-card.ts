/** Undoes what one visitor or everybody did in the last seconds or minutes. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { VisitorState } from '../../../shared/host/state.ts';
import { shortSpan } from '../aggregates.ts';
import { hostIcons } from '../icons.ts';
import { actsText, span, visitorName } from '../text.ts';
import { offerRestore } from '../undo-action.ts';
import { HostElement } from './host-element.ts';
import { field, idOf, inputValue, radioChips } from './templates.ts';

const spans = () => [10, 30, 60, 300, 600].map((value) => ({ value, name: shortSpan(value) }));

/** Asks for confirmation first; the result can be undone. */
@customElement('undo-card')
export class UndoCard extends HostElement {
  static override styles = css`
    .chips {
      gap: 6px;
    }
    .chip {
      min-height: 2.6em;
      padding-inline: 0.9em;
    }
    form {
      gap: 14px;
    }
  `;

  @state() private seconds = 30;
  /** The visitor whose actions are undone, who may have left since; undefined for everybody. */
  @state() private visitor: VisitorState | undefined;

  protected override roomChanged(): void {
    this.visitor = undefined;
  }

  override render(): TemplateResult {
    const { detail, summary } = this.host;
    const selected = this.visitor;
    const present = detail?.visitors ?? [];
    const hasLeft = selected && !present.some(({ id }) => id === selected.id);
    const visitors = hasLeft ? [...present, selected] : present;
    const busy = summary?.busy === 'undoing';
    return html`<form @submit=${this.submit} aria-label=${msg('Undo')}>
      <div>
        <h3>${msg('Undo')}</h3>
        <p class="soft">${msg('Undoes recent actions, as if they had never happened.')}</p>
      </div>
      ${radioChips(msg('In the last'), spans(), this.seconds, (seconds) => (this.seconds = seconds))}
      ${field(
        msg('Whose actions'),
        html`<select
          data-testid="undo-whom"
          @change=${(event: Event) => (this.visitor = visitors.find(({ id }) => id === Number(inputValue(event))))}
        >
          <option value="0" .selected=${!selected}>${msg('everyone')}</option>
          ${repeat(
            visitors,
            idOf,
            (each) =>
              html`<option value=${each.id} .selected=${each.id === selected?.id}>${visitorName(each)}</option>`,
          )}
        </select>`,
      )}
      <button class="plain" data-testid="undo" ?disabled=${busy}>${hostIcons.undo}${busy ? msg('Undoing …') : msg('Undo')}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { host, shownRoom: room, seconds, visitor } = this;
    const asked = performance.now();
    const what = visitor
      ? msg(
          str`Undoes everything ${visitorName(visitor)} did in that time: seeds, wounds and crosses. The current state is saved first.`,
        )
      : msg(
          'Undoes everything visitors, the gardener and programs did in that time: seeds, wounds and crosses. The current state is saved first.',
        );
    const goesOn = host.summary?.farewell ? msg('The day then does not end.') : '';
    const yes = await host.feedback.ask({
      title: msg(str`Undo the last ${span(seconds * 1_000)}?`),
      text: `${what} ${goesOn}`,
      confirm: msg('Undo'),
    });
    if (!yes) return;
    const participant = visitor?.id ?? null;
    // What happened while the host was reading is not meant.
    const ago = Math.min(600, Math.floor((performance.now() - asked) / 1_000));
    await host.do('undo', { room }, { seconds, ago, participant }, ({ undone, kept }) =>
      offerRestore(host, room, msg(str`Undone: ${actsText(undone)}.`), kept),
    );
  }
}
