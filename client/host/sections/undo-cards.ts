/** Cards that change a whole room: undo recent actions, start over, end the day. */
import { msg, str } from '@lit/localize';
import { css, html, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type HostCommand, MOST_UNDO } from '../../../shared/host/api.ts';
import type { SnapshotState, VisitorState } from '../../../shared/host/state.ts';
import { field, HostElement, idOf, inputValue, radioChips } from '../elements/host-element.ts';
import type { HostModel, Notice } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import {
  actsText,
  farewellText,
  organismsText,
  seedsText,
  shortSpan,
  span,
  stateBefore,
  visitorName,
} from '../text.ts';

/**
 * Creates a notice that offers to restore the room's previous state.
 *
 * @param snapshot of the previous state; null if this server stores nothing
 */
export function offerRestore(
  host: HostModel,
  room: string,
  text: string,
  snapshot: SnapshotState | null,
): Notice {
  if (!snapshot) return { text };
  const restored = (): string => msg('The previous state is restored.');
  return {
    text,
    action: {
      label: msg('Restore the previous state'),
      run: () => void host.do('restore', { room, tick: snapshot.tick }, {}, restored),
    },
  };
}

/**
 * Creates a notice that offers to undo a removal, but no later actions. The offer needs a server
 * that stores the room's history.
 */
export function offerUndo(
  host: HostModel,
  room: string,
  text: string,
  command: HostCommand,
): Notice {
  if (host.state?.keeping === null) return { text };
  const undo = (): void =>
    void host.do('undoCommand', { room }, command, msg('The removal is undone.'));
  return { text, action: { label: msg('Undo'), run: undo } };
}

const spans = () =>
  [10, 30, 60, 300, MOST_UNDO].map((value) => ({ value, name: shortSpan(value) }));

/** Undoes recent actions after a confirmation; the result can itself be undone. */
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
  `;

  @state() private seconds = 30;
  /** The visitor whose actions are undone, who may have left; undefined for everybody. */
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
    return html`<form class="gap-14" @submit=${this.submit} aria-label=${msg('Undo')}>
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
    const goesOn = host.summary?.farewell ? msg('This also stops the end of the day.') : '';
    const yes = await host.feedback.ask({
      title: msg(str`Undo the last ${span(seconds * 1_000)}?`),
      text: `${what} ${goesOn}`,
      confirm: msg('Undo'),
    });
    if (!yes) return;
    const participant = visitor?.id ?? null;
    // Do not undo actions made while the host was reading.
    const ago = Math.min(MOST_UNDO, Math.floor((performance.now() - asked) / 1_000));
    await host.do('undo', { room }, { seconds, ago, participant }, ({ undone, kept }) =>
      offerRestore(host, room, msg(str`Undone: ${actsText(undone)}.`), kept),
    );
  }
}

/**
 * Removes all organisms and plants new ones after a confirmation. The result can be undone if the
 * server stores anything.
 */
@customElement('reseed-card')
export class ReseedCard extends HostElement {
  static override styles = css`
    p {
      margin: 4px 0 14px;
    }
    .field {
      width: 11em;
    }
  `;

  @state() private organisms = 12;

  override render(): TemplateResult {
    return html`<h3>${msg('Start over')}</h3>
      <p class="soft">${msg('Removes every organism and plants new seeds all over the room.')} ${stateBefore(this.host.state)}</p>
      <form class="row end" @submit=${this.submit}>
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

/**
 * Ends the day after a confirmation. The result can be undone if the server stores anything. The
 * HTML slot contains settings.
 */
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
      text: `${msg(str`Will dissolve within a minute: ${organismsText(count)}. Nobody can act meanwhile.`)} ${stateBefore(host.state)}`,
      confirm: msg('End the day'),
      danger: true,
    });
    if (!yes) return;
    await host.do('farewell', { room }, {}, ({ kept }) =>
      offerRestore(host, room, msg('The day is ending.'), kept),
    );
  }

  private cancel(): void {
    void this.host.do('stopFarewell', { room: this.shownRoom }, {}, msg('What still lives stays.'));
  }
}
