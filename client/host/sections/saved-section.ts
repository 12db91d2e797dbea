/**
 * Section “Saved states” of the selected room, with cards for undoing recent actions, starting
 * over, and ending the day.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { type CallAnswer, FILES, type HostCommand, pathOf } from '../../../shared/host/api.ts';
import type {
  HostState,
  RoomSummary,
  SnapshotState,
  VisitorState,
} from '../../../shared/host/state.ts';
import { MOST_UNDO } from '../../../shared/limits.ts';
import * as ui from '../host-element.ts';
import { host, type Notice } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

/**
 * Creates a notice with a button that restores the room's state from before an action.
 *
 * @param kept snapshot of the state before the action; null if the server stores nothing. Without a
 *   snapshot, the notice has no button
 */
function offerRestore(room: string, text: string, kept: SnapshotState | null): Notice {
  if (!kept) return { text };
  const done = msg('The previous state is restored.');
  const run = () => void host.do('restore', { room, tick: kept.tick }, { done });
  return { text, action: { label: msg('Restore the previous state'), run } };
}

/**
 * Creates a notice with a button that undoes a removal. Everything that happened after the removal
 * stays.
 *
 * @param command identifies the host's command that removed something
 * @param keeping whether the server is storing changes of rooms; null if storage is turned off.
 *   Without storage, the notice has no button
 */
export function offerUndo(
  room: string,
  text: string,
  command: HostCommand,
  keeping = host.state?.keeping,
): Notice {
  if (keeping === null) return { text };
  const done = msg('The removal is undone.');
  const run = () => void host.do('undoCommand', { room, ...command }, { done });
  return { text, action: { label: msg('Undo'), run } };
}

/**
 * A card that undoes recent actions after the host has confirmed. Afterwards, a notice offers to
 * restore the state from before the undo.
 */
@customElement('undo-card')
export class UndoCard extends ui.HostElement {
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
  /** The visitor whose actions will be undone; undefined to undo everybody's actions. */
  @state() private visitor: VisitorState | undefined;

  protected override roomChanged(): void {
    this.visitor = undefined;
  }

  override render(): TemplateResult {
    const { visitor } = this;
    const present = host.detail?.visitors ?? [];
    const hasLeft = visitor && !present.some(({ id }) => id === visitor.id);
    const visitors = hasLeft ? [...present, visitor] : present;
    const names = visitors.map((each) => ({ value: each.id, name: texts.visitorName(each) }));
    const choices = [{ value: 0, name: msg('everyone') }, ...names];
    const choose = (chosen: string): void => {
      this.visitor = visitors.find(({ id }) => id === Number(chosen));
    };
    const isUndoing = host.summary?.busy === 'undoing';
    const spans = ui.choicesOf([10, 30, 60, 300, MOST_UNDO], texts.shortSpan);
    return html`<form class="gap-14" @submit=${this.submit} aria-label=${msg('Undo')}>
      <div>
        <h3>${msg('Undo')}</h3>
        <p class="soft">${msg('Undoes recent actions, as if they had never happened.')}</p>
      </div>
      ${ui.radioChips(msg('In the last'), spans, this.seconds, (seconds) => (this.seconds = seconds))}
      ${ui.field(msg('Whose actions'), ui.select('undo-whom', choices, visitor?.id ?? 0, choose))}
      <button class="plain" data-testid="undo" ?disabled=${isUndoing}>${hostIcons.undo}${isUndoing ? msg('Undoing …') : msg('Undo')}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { seconds, visitor } = this;
    const { room } = host;
    const asked = performance.now();
    const what = visitor
      ? msg(
          str`Undoes everything ${texts.visitorName(visitor)} did in that time, such as planting, crossing and wounding organisms. The current state is saved first.`,
        )
      : msg(
          'Undoes everything visitors, the gardener and programs did in that time, such as planting, crossing and wounding organisms. The current state is saved first.',
        );
    const goesOn = host.summary?.farewell
      ? msg('Undoing also cancels the end of the day, which has already begun.')
      : '';
    const title = msg(str`Undo the last ${texts.span(seconds * 1_000)}?`);
    const text = `${what} ${goesOn}`;
    if (!(await host.ask({ title, text, confirm: msg('Undo'), harmless: true }))) return;
    const participant = visitor?.id ?? null;
    // Undo only actions from before the question was shown: leave out the `ago` seconds since then.
    const ago = Math.min(MOST_UNDO, Math.floor((performance.now() - asked) / 1_000));
    const done = ({ undone, kept }: CallAnswer<'undo'>) =>
      offerRestore(room, msg(str`Undone: ${texts.actsText(undone)}.`), kept);
    await host.do('undo', { room, seconds, ago, participant }, { done });
  }
}

/** Removes all organisms and plants new ones, after the host has confirmed. */
function reseed(event: SubmitEvent): void {
  event.preventDefault();
  const form = new FormData(event.target as HTMLFormElement);
  const organisms = Number(form.get('organisms'));
  const { room, summary, state } = host;
  const count = summary?.organisms ?? 0;
  const ask = {
    title: msg(str`Start “${room}” over?`),
    text: `${msg(str`This removes ${texts.organismsText(count)} and plants ${texts.seedsText(organisms)}.`)} ${texts.stateBefore(state)}`,
    confirm: msg('Start over'),
  };
  const done = ({ planted, kept }: CallAnswer<'reseed'>) =>
    offerRestore(room, msg(str`Planted: ${texts.seedsText(planted)}.`), kept);
  void host.do('reseed', { organisms }, { ask, done });
}

export function reseedCard(): TemplateResult {
  const count = html`<input type="number" name="organisms" min="0" max="64" step="1" required value="12" />`;
  return html`<section class="card">
    <h3>${msg('Start over')}</h3>
    <p class="soft mt-4 mb-14">${msg('Removes every organism and plants new seeds all over the room.')} ${texts.stateBefore(host.state)}</p>
    <form class="row end short" @submit=${reseed}>
      ${ui.field(msg('New seeds'), count)}
      <button class="danger" data-testid="reseed" ?disabled=${!host.summary?.open}>${msg('Start over')}</button>
    </form>
  </section>`;
}

/**
 * Asks the host to confirm, then ends the room's day: within a minute, all organisms dissolve. Then
 * a new day begins.
 */
function farewell(): void {
  const { room, summary, state } = host;
  const count = summary?.organisms ?? 0;
  const ask = {
    title: msg(str`End the day of “${room}”?`),
    text: `${msg(str`Within a minute, ${texts.organismsText(count)} will dissolve. Nobody can act during this minute.`)} ${texts.stateBefore(state)}`,
    confirm: msg('End the day'),
  };
  const done = ({ kept }: CallAnswer<'farewell'>) =>
    offerRestore(room, msg('The day is ending.'), kept);
  void host.do('farewell', {}, { ask, done });
}

/**
 * Renders a card with a button that makes all organisms dissolve within a minute (see `farewell`).
 *
 * @param settings an input for the setting that decides how the next day begins
 */
export function farewellCard(settings: TemplateResult): TemplateResult {
  const stop = () =>
    host.do(
      'stopFarewell',
      {},
      { done: msg('Organisms that have not begun to dissolve stay in the room.') },
    );
  const ending = html`<div class="row mt-14" role="status">
    <span>${msg('The day is ending.')}</span>
    <button class="plain" data-testid="stop-farewell" @click=${stop}>${msg('Stop')}</button>
  </div>`;
  const end = html`<button class="danger mt-14" data-testid="farewell" ?disabled=${!host.summary?.open} @click=${farewell}>${msg('End the day')}</button>`;
  return html`<section class="card">
    <h3>${msg('End the day')}</h3>
    <p class="soft mt-4 mb-14">${texts.farewellText(host.state)}</p>
    ${settings}
    ${host.summary?.farewell ? ending : end}
  </section>`;
}

const BEFORE = {
  undo: msg('before an undo'),
  restore: msg('before a restore'),
  reseed: msg('before starting over'),
} as const;

@customElement('saved-section')
export class SavedSection extends ui.HostElement<readonly SnapshotState[]> {
  static override styles = css`
    .all {
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5em), 1fr));
    }
    .fills {
      max-width: 28em;
    }
    .one {
      padding: 12px;
      align-content: start;
    }
    .picture {
      aspect-ratio: 16 / 10;
    }
  `;

  protected override readonly reloadInterval = 10_000;

  protected override section({ name: room }: RoomSummary, { keeping }: HostState): TemplateResult {
    const links = html`<div class="row">
        <a class="button plain" data-testid="lineage" href="/lineage#${room}" target="_blank">
          ${hostIcons.open}${msg('Family tree')}
        </a>
        <a class="button plain" href=${pathOf(FILES.replayBundle, { room })} download title=${msg('A recording of the last hour, for the command npm run replay')}>
          ${hostIcons.save}${msg('Download the last hour')}
        </a>
      </div>`;
    const lead = msg(
      'The room is saved automatically every few seconds. Save a state yourself to keep it permanently.',
    );
    return html`${ui.sectionHead(msg(str`Saved states of “${room}”`), lead, links)}
      ${keeping === null ? ui.noStorage() : this.states()}`;
  }

  private states(): TemplateResult {
    const all = [...(this.loaded ?? [])].sort((a, b) => b.tick - a.tick);
    const named = all.filter(({ name }) => name !== null);
    const own = all.filter(({ name }) => name === null);
    const group = (name: string, snapshots: readonly SnapshotState[]): TemplateResult =>
      html`<h3 class="part">${name}</h3>
        <div class="all grid gap-14">${snapshots.map((each) => this.one(each))}</div>`;
    const save = (name: string): Promise<unknown> =>
      this.reloadAfter(host.do('takeSnapshot', { name }, { done: msg(str`“${name}” is saved.`) }));
    const empty = msg(
      'Nothing has been saved automatically yet. The first state will be saved in a moment.',
    );
    const status = this.loaded ? empty : msg('Loading …');
    return html`<form class="card row end gap-12" @submit=${ui.submitName(save)}>
        ${ui.nameField(msg('Save the current state'), 'snapshot-name', msg('for example: opening night'))}
        <button class="solid" data-testid="take">${msg('Save')}</button>
      </form>
      ${named.length > 0 ? group(msg('Saved by you'), named) : nothing}
      ${own.length > 0 ? group(msg('Saved automatically'), own) : html`<p class="part soft" role="status">${status}</p>`}`;
  }

  private one(snapshot: SnapshotState): TemplateResult {
    const { room, state: { now = 0 } = {} } = host;
    const { tick, at, name, organisms, before } = snapshot;
    const when = host.moment(at);
    const remove = () => this.removeSnapshot(tick, name!);
    const age = name === null ? msg(str`${texts.roughSpan(now - at)} ago`) : when;
    return html`<article class="card one grid gap-12" aria-label=${name ?? when} data-testid="snapshot-${tick}">
      ${ui.picture(pathOf(FILES.snapshotPicture, { room, tick }))}
      <div class="px-6">
        <h3 class="break">${name ?? when}</h3>
        <p class="soft">${age}, ${texts.organismsText(organisms)}</p>
        ${before ? html`<p class="soft">${BEFORE[before]}</p>` : nothing}
      </div>
      <div class="row spread">
        <button class="plain" data-testid="restore" @click=${() => this.restore(snapshot)}>${hostIcons.undo}${msg('Restore')}</button>
        ${name === null ? nothing : ui.iconButton(msg(str`Remove “${name}”`), hostIcons.remove, remove, msg('Remove'))}
      </div>
    </article>`;
  }

  protected override load(room: string) {
    return host.state?.keeping === null ? undefined : host.api.call('snapshots', { room });
  }

  private async reloadAfter(call: Promise<unknown>): Promise<unknown> {
    const answer = await call;
    if (answer) await this.reload();
    return answer;
  }

  private restore({ tick, at, name, organisms }: SnapshotState): unknown {
    const { room } = host;
    const ask = {
      title: msg(str`Restore this state: ${name ?? host.moment(at)}?`),
      text: msg(
        str`The room returns to this state (${texts.organismsText(organisms)}). The current state is saved first, so you can restore it later.`,
      ),
      confirm: msg('Restore'),
    };
    const done = ({ kept }: CallAnswer<'restore'>) =>
      offerRestore(room, msg('The state is restored.'), kept);
    return this.reloadAfter(host.do('restore', { tick }, { ask, done }));
  }

  private removeSnapshot(tick: number, name: string): unknown {
    const ask = {
      title: msg(str`Remove “${name}”?`),
      text: msg(
        'The server will delete this state later, like the states that it saves automatically. You cannot undo this.',
      ),
      confirm: msg('Remove'),
    };
    const done = msg(str`“${name}” is removed.`);
    return this.reloadAfter(host.do('unnameSnapshot', { tick }, { ask, done }));
  }
}
