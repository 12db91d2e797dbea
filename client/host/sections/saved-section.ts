/** Saved states of the selected room: list, save, restore, remove. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary, SnapshotState } from '../../../shared/host/state.ts';
import {
  field,
  HostElement,
  iconButton,
  noStorage,
  pictureLoaded,
  sectionHead,
} from '../elements/host-element.ts';
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
    .text {
      padding: 0 6px;
    }
    .acts {
      padding: 0 2px 2px;
    }
    form .field {
      flex: 1 1 16em;
      max-width: 28em;
    }
  `;

  @state() private all: readonly SnapshotState[] | undefined;
  protected override readonly reloadInterval = 10_000;

  protected override roomChanged(): void {
    this.all = undefined;
  }

  protected override section({ name: room }: RoomSummary, { keeping }: HostState): TemplateResult {
    const { all } = this;
    const named = all?.filter(({ name }) => name !== null) ?? [];
    const own = all?.filter(({ name }) => name === null) ?? [];
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
      ${
        keeping === null
          ? noStorage()
          : html`<form class="card row end gap-12" @submit=${this.take}>
                ${field(
                  msg('Save the current state'),
                  html`<input name="name" data-testid="snapshot-name" required maxlength="80" placeholder=${msg('for example: opening night')} autocomplete="off" />`,
                )}
                <button class="solid" data-testid="take">${msg('Save')}</button>
              </form>
              ${named.length > 0 ? this.group(msg('Saved by you'), named) : nothing}
              ${
                all === undefined
                  ? html`<p class="part soft" role="status">${msg('Loading …')}</p>`
                  : own.length > 0
                    ? this.group(msg('Saved automatically'), own)
                    : html`<p class="part soft">${msg('Nothing has been saved automatically yet. This happens in a moment.')}</p>`
              }`
      }`;
  }

  private group(name: string, snapshots: readonly SnapshotState[]): TemplateResult {
    return html`<h3 class="part">${name}</h3>
      <div class="all grid gap-14">${snapshots.map((each) => this.one(each))}</div>`;
  }

  private one(snapshot: SnapshotState): TemplateResult {
    const { room, state: { now = 0 } = {} } = this.host;
    const { tick, at, name, organisms } = snapshot;
    const when = this.moment(at);
    const why = snapshot.before && BEFORE[snapshot.before];
    return html`<article class="card one grid gap-12" aria-label=${name ?? when} data-testid="snapshot-${tick}">
      <img class="picture" src=${pathOf(FILES.snapshotPicture, { room, tick })} alt="" loading="lazy" @load=${pictureLoaded} @error=${pictureLoaded} />
      <div class="text">
        <h3 class="break">${name ?? when}</h3>
        <p class="soft">${name === null ? msg(str`${roughSpan(now - at)} ago`) : when}, ${organismsText(organisms)}</p>
        ${why ? html`<p class="soft">${why}</p>` : nothing}
      </div>
      <div class="row spread acts">
        <button class="plain" data-testid="restore" @click=${() => this.restore(snapshot)}>${hostIcons.undo}${msg('Restore')}</button>
        ${
          name === null
            ? nothing
            : iconButton(
                msg(str`Remove “${name}”`),
                hostIcons.remove,
                () => this.removeSnapshot(snapshot),
                msg('Remove'),
              )
        }
      </div>
    </article>`;
  }

  protected override async load(room: string): Promise<void> {
    if (this.host.state?.keeping === null) {
      this.all = [];
      return;
    }
    try {
      const all = await this.host.api.call('snapshots', { room }, {});
      if (room === this.shownRoom) this.all = [...all].sort((a, b) => b.tick - a.tick);
    } catch {
      // The list loads again soon, and the page says when the server does not answer.
    }
  }

  private async take(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = String(new FormData(form).get('name'));
    const { shownRoom: room } = this;
    const taken = await this.host.do('takeSnapshot', { room }, { name }, () =>
      msg(str`“${name}” is saved.`),
    );
    if (!taken) return;
    form.reset();
    await this.load(this.shownRoom);
  }

  private async restore({ tick, at, name, organisms }: SnapshotState): Promise<void> {
    const { host, shownRoom: room } = this;
    const yes = await host.feedback.ask({
      title: msg(str`Restore this state: ${name ?? this.moment(at)}?`),
      text: msg(
        str`The room goes back to how it was then (${organismsText(organisms)}). The current state is saved first, so you can return to it.`,
      ),
      confirm: msg('Restore'),
      danger: true,
    });
    if (!yes) return;
    const done = await host.do('restore', { room, tick }, {}, ({ kept }) =>
      offerRestore(host, room, msg('The state is restored.'), kept),
    );
    if (done) await this.load(this.shownRoom);
  }

  private async removeSnapshot({ tick, name }: SnapshotState): Promise<void> {
    const { shownRoom: room } = this;
    const yes = await this.host.feedback.ask({
      title: msg(str`Remove “${name}”?`),
      text: msg('It is then deleted in time, like the automatic ones. You cannot undo this.'),
      confirm: msg('Remove'),
      danger: true,
    });
    if (!yes) return;
    await this.host.do('unnameSnapshot', { room, tick }, {}, msg(str`“${name}” is removed.`));
    await this.load(this.shownRoom);
  }
}
