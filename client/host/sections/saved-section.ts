/** Saved states of the selected room: list, save, restore, remove. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary, SnapshotState } from '../../../shared/host/state.ts';
import {
  HostElement,
  iconButton,
  noStorage,
  picture,
  sectionHead,
  submitName,
} from '../elements/host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { organismsText, roughSpan } from '../text.ts';
import { offerRestore } from './undo-cards.ts';

const BEFORE = {
  undo: msg('before an undo'),
  restore: msg('before a restore'),
  reseed: msg('before starting over'),
} as const;

@customElement('saved-section')
export class SavedSection extends HostElement {
  static override styles = css`
    .all {
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5em), 1fr));
    }
    .one {
      padding: 12px;
      align-content: start;
    }
    .picture {
      aspect-ratio: 16 / 10;
    }
  `;

  @state() private all: readonly SnapshotState[] | undefined;
  protected override readonly reloadInterval = 10_000;

  protected override roomChanged(): void {
    this.all = undefined;
  }

  protected override section({ name: room }: RoomSummary, { keeping }: HostState): TemplateResult {
    const links = html`<div class="row">
        <a class="button plain" data-testid="lineage" href="/lineage#${room}" target="_blank">
          ${hostIcons.open}${msg('Family tree')}
        </a>
        <a class="button plain" href=${pathOf(FILES.replayBundle, { room })} download title=${msg('What happened in the last hour, for npm run replay')}>
          ${hostIcons.save}${msg('Download the last hour')}
        </a>
      </div>`;
    const lead = msg(
      'The room is saved automatically every few seconds. Save a state yourself to keep it permanently.',
    );
    return html`${sectionHead(msg(str`Saved states of “${room}”`), lead, links)}
      ${keeping === null ? noStorage() : this.states()}`;
  }

  private states(): TemplateResult {
    const { all } = this;
    const named = all?.filter(({ name }) => name !== null) ?? [];
    const own = all?.filter(({ name }) => name === null) ?? [];
    const group = (name: string, snapshots: readonly SnapshotState[]): TemplateResult =>
      html`<h3 class="part">${name}</h3>
        <div class="all grid gap-14">${snapshots.map((each) => this.one(each))}</div>`;
    const save = (name: string): Promise<unknown> =>
      this.reload(host.do('takeSnapshot', { name }, { done: msg(str`“${name}” is saved.`) }));
    return html`<form class="card row end gap-12" @submit=${submitName(save)}>
        <label class="field fills" style="max-width: 28em"
          ><span>${msg('Save the current state')}</span
          ><input name="name" data-testid="snapshot-name" required maxlength="80" placeholder=${msg('for example: opening night')} autocomplete="off" />
        </label>
        <button class="solid" data-testid="take">${msg('Save')}</button>
      </form>
      ${named.length > 0 ? group(msg('Saved by you'), named) : nothing}
      ${
        all === undefined
          ? html`<p class="part soft" role="status">${msg('Loading …')}</p>`
          : own.length > 0
            ? group(msg('Saved automatically'), own)
            : html`<p class="part soft">${msg('Nothing has been saved automatically yet. This happens in a moment.')}</p>`
      }`;
  }

  private one(snapshot: SnapshotState): TemplateResult {
    const { room, state: { now = 0 } = {} } = host;
    const { tick, at, name, organisms, before } = snapshot;
    const when = host.moment(at);
    const age = name === null ? msg(str`${roughSpan(now - at)} ago`) : when;
    return html`<article class="card one grid gap-12" aria-label=${name ?? when} data-testid="snapshot-${tick}">
      ${picture(pathOf(FILES.snapshotPicture, { room, tick }))}
      <div class="px-6">
        <h3 class="break">${name ?? when}</h3>
        <p class="soft">${age}, ${organismsText(organisms)}</p>
        ${before ? html`<p class="soft">${BEFORE[before]}</p>` : nothing}
      </div>
      <div class="row spread">
        <button class="plain" data-testid="restore" @click=${() => this.restore(snapshot)}>${hostIcons.undo}${msg('Restore')}</button>
        ${
          name === null
            ? nothing
            : iconButton(
                msg(str`Remove “${name}”`),
                hostIcons.remove,
                () => this.removeSnapshot(tick, name),
                msg('Remove'),
              )
        }
      </div>
    </article>`;
  }

  protected override async load(room: string): Promise<void> {
    if (host.state?.keeping === null) return;
    try {
      const all = await host.api.call('snapshots', { room });
      if (room === host.room) this.all = [...all].sort((a, b) => b.tick - a.tick);
    } catch {
      // The list loads again soon, and the page says when the server does not answer.
    }
  }

  /** Loads the list again after a call. @returns the call's answer */
  private async reload<T>(call: Promise<T>): Promise<T> {
    const answer = await call;
    if (answer) await this.load(host.room);
    return answer;
  }

  private restore({ tick, at, name, organisms }: SnapshotState): unknown {
    const { room } = host;
    const ask = {
      title: msg(str`Restore this state: ${name ?? host.moment(at)}?`),
      text: msg(
        str`The room goes back to how it was then (${organismsText(organisms)}). The current state is saved first, so you can return to it.`,
      ),
      confirm: msg('Restore'),
    };
    const done = offerRestore(room, () => msg('The state is restored.'));
    return this.reload(host.do('restore', { tick }, { ask, done }));
  }

  private removeSnapshot(tick: number, name: string): unknown {
    const ask = {
      title: msg(str`Remove “${name}”?`),
      text: msg('It will be deleted like the automatic ones. You cannot undo this.'),
      confirm: msg('Remove'),
    };
    const done = msg(str`“${name}” is removed.`);
    return this.reload(host.do('unnameSnapshot', { tick }, { ask, done }));
  }
}
