/** Saved states of a room: see them, take one, go back to one. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { FILES, pathOf } from '../../../shared/host/api.ts';
import type { SnapshotState } from '../../../shared/host/state.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { blank } from '../snapshot-pictures.ts';
import { hostStyle } from '../style.ts';
import { moment, organismsText, roughSpan } from '../text.ts';
import { offerRestore } from '../undo-action.ts';

const BEFORE = {
  undo: msg('before something was taken back'),
  restore: msg('before going back in time'),
  reseed: msg('before a fresh start'),
} as const;

@customElement('saved-section')
export class SavedSection extends LitElement {
  static override styles = [
    hostStyle,
    css`
      .grid {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5em), 1fr));
        gap: 14px;
      }
      .one {
        display: grid;
        gap: 12px;
        padding: 12px;
        align-content: start;
      }
      img {
        display: block;
        width: 100%;
        aspect-ratio: 16 / 10;
        object-fit: contain;
        border-radius: 10px;
        background: oklch(0.14 0.009 228);
      }
      .failed {
        visibility: hidden;
      }
      .text {
        padding: 0 6px;
      }
      .acts {
        padding: 0 2px 2px;
        justify-content: space-between;
      }
      h3 {
        overflow-wrap: anywhere;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
        align-items: end;
      }
      form .field {
        flex: 1 1 16em;
        max-width: 28em;
      }
      .part {
        margin: 26px 0 12px;
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  @state() private all: readonly SnapshotState[] | undefined;
  private of = '';
  private askedAt = 0;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { room, state: known } = this.host;
    const now = known?.now ?? 0;
    if (room && (room !== this.of || now - this.askedAt > 10_000)) {
      if (room !== this.of) this.all = undefined;
      this.of = room;
      this.askedAt = now;
      void this.load(room);
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { host, all } = this;
    if (!host.state || !host.summary) return nothing;
    const { keeping } = host.state;
    const named = all?.filter(({ name }) => name !== null) ?? [];
    const own = all?.filter(({ name }) => name === null) ?? [];
    return html`<div class="head">
        <div>
          <h2>${msg(str`Saved states of “${host.room}”`)}</h2>
          <p class="lead">${msg('The room saves itself every few seconds. Save one yourself to keep it for good.')}</p>
        </div>
        <a class="button plain" href=${pathOf(FILES.bottle, { room: host.room })} download title=${msg('Everything that happened, for npm run replay')}>
          ${hostIcons.save}${msg('Download all that happened')}
        </a>
      </div>
      ${
        keeping === null
          ? html`<div class="empty"><p>${msg(html`This server keeps nothing: it was started with <b>--data none</b>. Whoever looks after the machine can start it without that.`)}</p></div>`
          : html`<form class="card" @submit=${this.take}>
                <label class="field">
                  <span>${msg('Save the room as it is now')}</span>
                  <input name="name" data-testid="snapshot-name" required maxlength="80" placeholder=${msg('for example: evening of the opening')} autocomplete="off" />
                </label>
                <button class="solid" data-testid="take">${msg('Save')}</button>
              </form>
              ${named.length > 0 ? this.group(msg('Saved by you'), named) : nothing}
              ${
                all === undefined
                  ? html`<p class="part soft" role="status">${msg('Looking …')}</p>`
                  : own.length > 0
                    ? this.group(msg('Saved by itself'), own)
                    : html`<p class="part soft">${msg('Nothing has been saved by itself yet. It will be in a moment.')}</p>`
              }`
      }`;
  }

  private group(name: string, snapshots: readonly SnapshotState[]): TemplateResult {
    return html`<h3 class="part">${name}</h3>
      <div class="grid">${snapshots.map((each) => this.one(each))}</div>`;
  }

  private one(snapshot: SnapshotState): TemplateResult {
    const { room, state: known } = this.host;
    const { now = 0, zone = 0 } = known ?? {};
    const { tick, at, name, organisms } = snapshot;
    const when = moment(at, now, zone);
    const why = snapshot.before && BEFORE[snapshot.before];
    return html`<article class="card one" aria-label=${name ?? when} data-testid="snapshot-${tick}">
      <img src=${pathOf(FILES.snapshotPicture, { room, tick })} alt="" loading="lazy" @error=${blank} />
      <div class="text">
        <h3>${name ?? when}</h3>
        <p class="soft">${name === null ? msg(str`${roughSpan(now - at)} ago`) : when}, ${organismsText(organisms)}</p>
        ${why ? html`<p class="soft">${why}</p>` : nothing}
      </div>
      <div class="row acts">
        <button class="plain" data-testid="restore" @click=${() => this.restore(snapshot)}>${hostIcons.undo}${msg('Go back to it')}</button>
        ${
          name === null
            ? nothing
            : html`<button class="icon" title=${msg('Remove')} aria-label=${msg(str`Remove “${name}”`)} @click=${() => this.unname(snapshot)}>${hostIcons.remove}</button>`
        }
      </div>
    </article>`;
  }

  private async load(room: string): Promise<void> {
    if (this.host.state?.keeping === null) {
      this.all = [];
      return;
    }
    try {
      const all = await this.host.api.call('snapshots', { room }, {});
      if (room === this.of) this.all = [...all].sort((a, b) => b.at - a.at);
    } catch {
      // It is asked for again in a while; the page says itself when the server is gone.
    }
  }

  private async take(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = String(new FormData(form).get('name'));
    const { of: room } = this;
    const taken = await this.host.do('takeSnapshot', { room }, { name }, () =>
      msg(str`“${name}” is saved.`),
    );
    if (!taken) return;
    form.reset();
    await this.load(this.of);
  }

  private async restore({ tick, at, name, organisms }: SnapshotState): Promise<void> {
    const { host, of: room } = this;
    const { now = 0, zone = 0 } = host.state ?? {};
    const yes = await host.ask({
      title: msg(str`Go back to this: ${name ?? moment(at, now, zone)}?`),
      text: msg(
        str`The room becomes what it was then (${organismsText(organisms)}). How it is now is saved first, so that you can come back.`,
      ),
      act: msg('Go back'),
      danger: true,
    });
    if (!yes) return;
    const done = await host.do('restore', { room, tick }, {}, ({ kept }) =>
      offerRestore(host, room, msg('The room is as it was then.'), kept),
    );
    if (done) await this.load(this.of);
  }

  private async unname({ tick, name }: SnapshotState): Promise<void> {
    const { of: room } = this;
    const yes = await this.host.ask({
      title: msg(str`Remove “${name}”?`),
      text: msg('It is forgotten in time, as the others are. This cannot be taken back.'),
      act: msg('Remove it'),
      danger: true,
    });
    if (!yes) return;
    await this.host.do('unnameSnapshot', { room, tick }, {}, () => msg(str`“${name}” is removed.`));
    await this.load(this.of);
  }
}
